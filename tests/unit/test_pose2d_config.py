"""The file of the 2D nets, and the environment over it."""

import json
from pathlib import Path
from typing import Any

import pytest

from pose_service import __version__
from pose_service.core.config import SettingsError, read_settings
from pose_service.pose2d.config import DEFAULT_FILE, ModelConfig, read_model_config


def written(folder: Path, content: Any) -> Path:
    path = folder / "model_config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def config_of(path: Path, **environ: str) -> ModelConfig:
    return read_model_config(read_settings({"POSE_MODEL_CONFIG": str(path), **environ}))


def test_the_file_beside_the_source_says_what_is_the_default_anyway() -> None:
    config = read_model_config(read_settings({}))
    assert config.source == DEFAULT_FILE
    assert config.version == __version__
    assert config.unknown == ()
    bare = ModelConfig()
    assert (config.biomechanics, config.performance) == (bare.biomechanics, bare.performance)
    assert config.rtmpose.enabled and config.rtmpose.hands_on
    assert config.hrnet.enabled and not config.hrnet.hands_on
    assert config.hrnet.config == "td-hm_hrnet-w48_8xb32-210e_coco-256x192"


def test_every_field_of_the_file_is_read(tmp_path: Path) -> None:
    content = {
        "service": "coach",
        "version": "3.1",
        "models": {
            "rtmpose_medium": {"enabled": False, "config": "c", "checkpoint": "a.onnx"},
            "hrnet_w48": {"enabled": False, "checkpoint": "https://x/y.pth", "fallback": False},
        },
        "biomechanics": {"symmetry_detection": False},
        "performance": {
            "confidence_threshold": 0.5, "max_concurrent_requests": 2, "batch_processing": False,
        },
    }  # fmt: skip
    config = config_of(written(tmp_path, content))
    assert (config.service, config.version) == ("coach", "3.1")
    assert not config.rtmpose.enabled and config.rtmpose.hands_on
    assert not config.hrnet.enabled and not config.hrnet.hands_on
    assert config.checkpoint_of(config.rtmpose) == tmp_path / "a.onnx"
    assert config.checkpoint_of(config.hrnet) is None
    assert not config.biomechanics.symmetry_detection
    assert config.biomechanics.joint_angle_analysis
    told = config.performance
    assert (told.confidence_threshold, told.max_concurrent_requests) == (0.5, 2)
    assert not told.batch_processing


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"models": {"rtmpose_medium": {"enabled": False}, "hrnet_w48": {"enabled": True}}},
    )
    config = config_of(
        path, RTMPOSE_ENABLED="true", HRNET_ENABLED="0", CONFIDENCE_THRESHOLD="0.45",
        BIOMECHANICS_ANALYSIS="false",
    )  # fmt: skip
    assert (config.rtmpose.enabled, config.hrnet.enabled) == (True, False)
    assert config.performance.confidence_threshold == 0.45
    assert not config.biomechanics.enabled


def test_unknown_fields_are_borne_and_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"gpu": 1, "models": {"vitpose": {}, "hrnet_w48": {"weights": "w"}}})
    assert set(config_of(path).unknown) == {"gpu", "models.vitpose", "models.hrnet_w48.weights"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"models": {"rtmpose_medium": {"enabled": "yes"}}}, "models.rtmpose_medium.enabled"),
        ({"performance": {"confidence_threshold": 1.5}}, "performance.confidence_threshold"),
        ({"performance": {"confidence_threshold": "0.3"}}, "performance.confidence_threshold"),
        ({"performance": {"max_concurrent_requests": 0}}, "performance.max_concurrent_requests"),
        ({"performance": {"batch_processing": 1}}, "performance.batch_processing"),
        ({"biomechanics": []}, "biomechanics"),
        ([], "the whole"),
        ("{", "not JSON"),
        ('{"performance": {"confidence_threshold": NaN}}', "performance.confidence_threshold"),
    ],
)
def test_a_field_of_the_wrong_type_is_named_with_its_file(
    content: Any, named: str, tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SettingsError, match=named) as told:
        config_of(path)
    assert str(path) in str(told.value)
    assert told.value.hint


def test_a_file_that_is_named_and_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"POSE_MODEL_CONFIG=.*none\.json cannot be read"):
        config_of(tmp_path / "none.json")


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "much"])
def test_a_threshold_in_the_environment_is_from_0_to_1(value: str) -> None:
    with pytest.raises(SettingsError, match="CONFIDENCE_THRESHOLD"):
        read_settings({"CONFIDENCE_THRESHOLD": value})
