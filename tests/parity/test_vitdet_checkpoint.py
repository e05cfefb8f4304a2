"""Names and shapes of the official checkpoint, and what happens when a file does not have them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from standin_vitdet import OPS, TINY, manifest, tiny_model, weights

from pose_service.core.errors import EngineError
from pose_service.vitdet.checkpoint import build, load, load_file, model_names
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.model import VitDet


@pytest.mark.parametrize(("name", "config"), [("tiny", TINY), ("full", VitDetConfig())])
def test_the_net_has_the_tensors_of_the_checkpoint_name_for_name(
    name: str, config: VitDetConfig
) -> None:
    with torch.device("meta"):
        model = VitDet(config, OPS)
    assert {key: tuple(value.shape) for key, value in model.state_dict().items()} == manifest(name)


def test_the_official_model_has_691_million_values() -> None:
    assert len(manifest("full")) == 561
    assert sum(int(np.prod(shape)) for shape in manifest("full").values()) == 691_468_958


def test_every_tensor_of_the_file_is_in_the_net_afterwards() -> None:
    state = tiny_model().state_dict()
    for name, values in weights("tiny").items():
        assert np.array_equal(state[name].numpy(), values), name


def test_a_built_net_is_ready_to_run_and_not_to_train() -> None:
    model = tiny_model()
    assert not any(module.training for module in model.modules())
    assert not any(each.requires_grad for each in model.parameters())


def test_weights_share_the_memory_of_the_file() -> None:
    arrays = weights("tiny")
    model = build(TINY, arrays, OPS)
    name = "backbone.net.pos_embed"
    assert np.shares_memory(model.get_parameter(name).numpy(), arrays[name])


def test_arrays_that_may_not_be_written_are_copied() -> None:
    arrays = weights("tiny")
    for array in arrays.values():
        array.flags.writeable = False
    model = build(TINY, arrays, OPS)
    assert model.get_parameter("backbone.net.pos_embed").device.type == "cpu"


def test_a_wrapper_before_all_names_is_taken_off() -> None:
    wrapped = {f"module.{name}": values for name, values in weights("tiny").items()}
    assert len(build(TINY, wrapped, OPS).state_dict()) == 169


def test_a_wrapper_before_some_names_is_part_of_them() -> None:
    assert model_names(["module.a", "b"]) == {"module.a": "module.a", "b": "b"}


def test_constants_of_older_files_are_left_out() -> None:
    cells = "proposal_generator.anchor_generator.cell_anchors.0"
    assert model_names(["pixel_mean", "pixel_std", cells, "a"]) == {"a": "a"}


def test_a_missing_tensor_is_named() -> None:
    arrays = weights("tiny")
    del arrays["backbone.simfp_2.1.bias"]
    with pytest.raises(EngineError, match=r"1 missing: backbone\.simfp_2\.1\.bias") as refused:
        build(TINY, arrays, OPS)
    assert "Fetch the file again" in refused.value.hint


def test_an_unknown_tensor_is_named() -> None:
    with pytest.raises(EngineError, match=r"1 unknown: backbone\.net\.cls_token"):
        build(TINY, {**weights("tiny"), "backbone.net.cls_token": np.zeros(3, np.float32)}, OPS)


@pytest.mark.parametrize(
    ("bad", "came"),
    [
        (np.zeros((1, 66, 64), np.float32), r"float32 \(1, 66, 64\)"),
        (np.zeros((1, 65, 64), np.float16), r"float16 \(1, 65, 64\)"),
    ],
)
def test_a_tensor_of_another_shape_or_type_is_named_with_both(bad: Any, came: str) -> None:
    name = "backbone.net.pos_embed"
    wanted = rf"1 of another shape or type: {name} \(wanted float32 \(1, 65, 64\), got {came}\)"
    with pytest.raises(EngineError, match=wanted):
        build(TINY, {**weights("tiny"), name: bad}, OPS)


def test_a_checkpoint_of_another_model_is_refused_with_counts() -> None:
    with pytest.raises(EngineError, match=r"169 missing: .* and 161 more; 1 unknown: head\.weight"):
        build(TINY, {"head.weight": np.zeros(3, np.float32)}, OPS)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_becomes_the_net_with_every_weight(tmp_path: Path, protocol: int) -> None:
    state = _opened(_file(tmp_path, protocol)).state_dict()
    for name, values in weights("tiny").items():
        assert np.array_equal(state[name].numpy(), values), name


def test_a_file_opened_in_a_half_type_is_the_net_turned_into_it(tmp_path: Path) -> None:
    turned = build(TINY, weights("tiny"), OPS)
    turned.multiply_in(torch.bfloat16)
    wanted, got = turned.state_dict(), _opened(_file(tmp_path), torch.bfloat16).state_dict()
    assert {value.dtype for value in got.values()} == {torch.bfloat16, torch.float32}
    for name, value in wanted.items():
        assert got[name].dtype == value.dtype, name
        assert torch.equal(got[name], value), name


def test_arrays_are_let_go_while_they_are_taken_over() -> None:
    arrays = weights("tiny")
    with torch.device("meta"):
        model = VitDet(TINY, OPS)
    load(model, arrays)
    assert arrays == {}


def test_what_follows_from_the_weights_is_made_on_their_device() -> None:
    with torch.device("meta"):
        model = VitDet(TINY, OPS)
    load(model, weights("tiny"), torch.device("meta"))
    assert {each.device.type for each in (*model.parameters(), *model.buffers())} == {"meta"}
    assert model.proposal_generator.anchors.shape == ((64**2 + 32**2 + 16**2 + 8**2 + 4**2) * 3, 4)


def test_a_file_that_does_not_fit_comes_with_the_callers_remedy(tmp_path: Path) -> None:
    path = tmp_path / "other.pkl"
    content = {"model": {"head.weight": np.zeros(3, np.float32)}, "__author__": "nobody"}
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(EngineError, match="1 unknown") as refused:
        _opened(path)
    assert refused.value.hint == "Run fetch-weights."


def _file(folder: Path, protocol: int = 4) -> Path:
    path = folder / "model.pkl"
    content = {"model": weights("tiny"), "__author__": "nobody"}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def _opened(path: Path, half: torch.dtype | None = None) -> VitDet:
    device = torch.device("cpu")
    return load_file(path, TINY, OPS, device=device, half=half, remedy="Run fetch-weights.")
