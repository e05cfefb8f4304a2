"""Records, settings and skeletons."""

from pathlib import Path

import numpy as np
import pytest

from pose_service.core.config import SettingsError, read_settings, unknown_names
from pose_service.core.records import BodyPoses, Frame, Regions
from pose_service.core.skeletons import (
    BLAZEPOSE33,
    COCO17,
    COCO17_FROM_BLAZEPOSE33,
    SMPL24,
    smpl24_confidence,
)


def test_a_record_names_the_array_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"boxes_xyxy_px: expected \(2, 4\), got \(2, 3\)"):
        Regions(np.zeros((2, 3)), np.zeros(2), np.zeros((2, 4)), np.zeros(2, int))
    with pytest.raises(ValueError, match=r"translations_m: expected \(1, 3\), got \(2, 3\)"):
        BodyPoses(np.zeros((1, 20, 3, 3)), np.zeros((2, 3)), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="image: expected uint8, got float64"):
        Frame(0, 0.0, np.zeros((4, 4, 3)))  # type: ignore[arg-type]


def test_regions_join_in_order_and_none_make_an_empty_one() -> None:
    one = Regions(np.ones((1, 4)), np.array([0.5]), np.ones((1, 4)), np.array([7]))
    joined = Regions.join([one, Regions.empty(), one])
    assert joined.track_ids.tolist() == [7, 7]
    assert len(Regions.join([])) == 0


def test_the_smpl_names_stand_in_the_order_the_back_end_reads() -> None:
    assert len(SMPL24) == 24
    assert SMPL24.joints[:4] == ("pelvis", "left_hip", "right_hip", "spine1")
    assert SMPL24.joints[-2:] == ("left_hand", "right_hand")
    assert SMPL24.parents[0] == -1
    assert all(parent < child for parent, child in SMPL24.bones)


def test_coco_joints_are_read_from_the_landmarks_of_the_same_name() -> None:
    assert [BLAZEPOSE33.joints[i] for i in COCO17_FROM_BLAZEPOSE33] == list(COCO17.joints)
    expected = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, *range(23, 29))
    assert expected == COCO17_FROM_BLAZEPOSE33


def test_a_hidden_left_wrist_lowers_the_confidence_of_the_left_wrist_alone() -> None:
    landmarks = np.ones(33)
    landmarks[BLAZEPOSE33.index("left_wrist")] = 0.1
    confidence = dict(zip(SMPL24.joints, smpl24_confidence(landmarks), strict=True))
    assert confidence.pop("left_wrist") == pytest.approx(0.1)
    assert set(confidence.values()) == {1.0}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "pose.toml"
    file.write_text('PORT = 6000\nPOSE_ENGINE = "embedded"\n')
    settings = read_settings({"POSE_CONFIG": str(file), "PORT": "7000"})
    assert (settings.port, settings.engine) == (7000, "embedded")


def test_media_roots_keep_the_drive_letter_of_a_windows_folder() -> None:
    settings = read_settings({"POSE_MEDIA_ROOTS": "C:\\clips:/mnt/d:D:/more"})
    assert [str(root) for root in settings.media_roots] == ["C:\\clips", "/mnt/d", "D:/more"]


def test_a_path_map_is_pairs() -> None:
    settings = read_settings({"POSE_PATH_MAP": "C:\\clips=/mnt/c/clips;/app=/srv"})
    assert settings.path_map == (("C:\\clips", "/mnt/c/clips"), ("/app", "/srv"))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PORT": "seventy"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"POSE_DEVICE": "tpu"}, "POSE_DEVICE"),
        ({"POSE_PATH_MAP": "no-equals-sign"}, "POSE_PATH_MAP"),
        ({"POSE_CONFIG": "/does/not/exist.toml"}, "POSE_CONFIG"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_settings(environ)


def test_a_file_with_an_unknown_name_or_no_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pose.toml"
    file.write_text("POSE_ENGIN = 1")
    with pytest.raises(SettingsError, match="POSE_ENGIN"):
        read_settings({"POSE_CONFIG": str(file)})
    file.write_text("= nothing")
    with pytest.raises(SettingsError, match="not TOML"):
        read_settings({"POSE_CONFIG": str(file)})


def test_misspelt_names_are_found() -> None:
    assert unknown_names({"POSE_ENGIN": "x", "POSE_ENGINE": "auto", "HOME": "/"}) == ("POSE_ENGIN",)


def test_an_empty_value_is_no_value() -> None:
    assert read_settings({"POSE_ENGINE": "", "PORT": ""}).port == 5000


def test_names_that_other_programs_set_count_where_ours_are_not_set(tmp_path: Path) -> None:
    file = tmp_path / "pose.toml"
    file.write_text("POSE_BATCH = 4\nPOSE_DEVICE = 'cuda'")
    others = {
        "ML_HMR2_CHECKPOINT_PATH": "/models/hmr2.ckpt",
        "ML_HMR2_DEVICE": "cpu",
        "ML_SMPL_MODEL_PATH": "/models/smpl",
        "ML_BATCH_SIZE": "1",
        "ML_DETECTION_THRESHOLD": "0.6",
    }
    settings = read_settings({"POSE_CONFIG": str(file), **others})
    assert settings.hmr2_checkpoint == Path("/models/hmr2.ckpt")
    assert settings.smpl_file == Path("/models/smpl")
    assert (settings.device, settings.batch, settings.picture_score) == ("cpu", 1, 0.6)
    ours = read_settings({**others, "POSE_BATCH": "2", "ML_HMR2_DEVICE": ""})
    assert (ours.device, ours.batch) == ("auto", 2)


def test_a_bad_value_is_told_by_the_name_under_which_it_was_set() -> None:
    with pytest.raises(SettingsError, match=r"ML_BATCH_SIZE: .*got 'many'"):
        read_settings({"ML_BATCH_SIZE": "many"})
    with pytest.raises(SettingsError, match=r"POSE_BATCH: .*got 'many'"):
        read_settings({"ML_BATCH_SIZE": "3", "POSE_BATCH": "many"})


@pytest.mark.parametrize("value", ["", "caches", "./caches"])
def test_base_folders_that_are_empty_or_relative_count_as_none(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("XDG_STATE_HOME", value)
    settings = read_settings({})
    assert settings.data_dir == tmp_path / ".cache" / "pose-service"
    assert settings.state_dir == tmp_path / ".local/state" / "pose-service"


def test_base_folders_are_taken_from_their_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert read_settings({}).data_dir == tmp_path / "pose-service"
