"""Checkpoints of detectron2 and of PyTorch Lightning: tensors out, everything else stays shut."""

import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from standin_smpl import class_in, write_pickle
from test_opening import Calls

from pose_service.core.errors import EngineError
from pose_service.runtime.opening.detectron2 import open_detectron2
from pose_service.runtime.opening.lightning import open_lightning

REMEDY = "Run fetch-weights."
PARAMETERS = {
    "backbone.weight": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
    "backbone.bias": np.zeros(2, np.float32),
}


def zoo_file(path: Path, protocol: int = 2, **changed: Any) -> Path:
    """A checkpoint as detectron2's model zoo hands it out, with some entries `changed`."""
    content = {"model": PARAMETERS, "__author__": "someone", "iteration": np.int64(9)} | changed
    return write_pickle(path, content, protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_detectron2_parameters_come_back_bit_for_bit(
    tmp_path: Path, protocol: int, kind: type
) -> None:
    path = zoo_file(tmp_path / "model.pkl", protocol, model=kind(PARAMETERS))
    opened = open_detectron2(path, REMEDY)
    assert opened.keys() == PARAMETERS.keys()
    for name, value in PARAMETERS.items():
        np.testing.assert_array_equal(opened[name], value)


def test_a_wrapper_before_all_names_is_taken_off_but_never_before_some(tmp_path: Path) -> None:
    wrapped = {f"module.{name}": value for name, value in PARAMETERS.items()}
    path = zoo_file(tmp_path / "model.pkl", model=wrapped)
    assert open_detectron2(path, REMEDY).keys() == PARAMETERS.keys()
    mixed = {"module.a": np.zeros(1, np.float32), "b": np.zeros(1, np.float32)}
    path = zoo_file(tmp_path / "model.pkl", model=mixed)
    assert open_detectron2(path, REMEDY).keys() == mixed.keys()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"model": {"a": np.zeros(2)}}, "a (float64)"),
        ({"model": {"a": [0.0, 1.0]}}, "a (list)"),
        ({"model": {}}, "no table of parameters"),
        ({"model": np.zeros(2, np.float32)}, "no table of parameters"),
        ({"matching_heuristics": True}, "matching_heuristics"),
        ({"then": Calls(os.system, "false")}, f"`{os.system.__module__}.system`"),
        ({"model": {"a": np.array([None])}}, "'O8'"),
    ],
)
def test_a_file_that_is_no_good_detectron2_checkpoint_is_told(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    path = zoo_file(tmp_path / "model.pkl", **changed)
    with pytest.raises(EngineError) as caught:
        open_detectron2(path, REMEDY)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.hint == REMEDY


def test_a_pickle_that_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="lacks the entries"):
        open_detectron2(write_pickle(tmp_path / "model.pkl", PARAMETERS), REMEDY)


def lightning_file(path: Path, **changed: Any) -> Path:
    """A checkpoint as PyTorch Lightning writes it, with some entries `changed`."""
    content = {
        "state_dict": OrderedDict(
            {
                "backbone.weight": torch.linspace(0, 1, 6).reshape(2, 3).T,
                "head.half": torch.ones(2, dtype=torch.bfloat16),
                "head.parameter": torch.nn.Parameter(torch.full((2,), 3.0)),
                "initialized": torch.tensor(True),
            }
        ),
        "pytorch-lightning_version": "1.8.1",
        "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}}],
    }
    torch.save(content | changed, path)
    return path


def test_lightning_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    state = open_lightning(lightning_file(tmp_path / "epoch=35.ckpt"), REMEDY)
    assert list(state) == ["backbone.weight", "head.half", "head.parameter", "initialized"]
    torch.testing.assert_close(
        state["backbone.weight"], torch.linspace(0, 1, 6).reshape(2, 3).T, rtol=0, atol=0
    )
    assert state["head.half"].dtype == torch.bfloat16
    assert state["head.parameter"].tolist() == [3.0, 3.0]
    assert state["initialized"].item() is True


def test_what_is_written_into_a_tensor_stays_out_of_the_file(tmp_path: Path) -> None:
    path = lightning_file(tmp_path / "epoch=35.ckpt")
    before = path.read_bytes()
    open_lightning(path, REMEDY)["backbone.weight"].fill_(7.0)
    assert path.read_bytes() == before


def test_settings_of_packages_that_are_not_here_do_not_stand_in_the_way(tmp_path: Path) -> None:
    """Shapes of omegaconf's and yacs' objects: state of their own; a dict and a list as base."""
    with pytest.MonkeyPatch.context() as patch:
        plain = class_in(patch, "omegaconf.dictconfig", "DictConfig")()
        plain.__dict__ = {"_content": {"a": 1}, "_metadata": Any}
        node = class_in(patch, "yacs.config", "CfgNode", dict)(a=1)
        node.__dict__ = {"frozen": True}
        names = class_in(patch, "omegaconf.listconfig", "ListConfig", list)([1, 2, 3])
        settings = {"cfg": plain, "old": node, "names": names, "folder": Path("somewhere")}
        path = lightning_file(tmp_path / "epoch=35.ckpt", hyper_parameters=settings)
    assert len(open_lightning(path, REMEDY)) == 4


@pytest.mark.parametrize("function", [os.system, eval])
def test_a_hostile_checkpoint_is_not_run_and_its_function_is_named(
    tmp_path: Path, function: Any
) -> None:
    trace = tmp_path / "trace"
    act = f"touch {trace}" if function is os.system else f"open({str(trace)!r}, 'w')"
    path = lightning_file(tmp_path / "epoch=35.ckpt", hyper_parameters=Calls(function, act))
    with pytest.raises(EngineError, match=f"{function.__module__}.{function.__name__}") as caught:
        open_lightning(path, REMEDY)
    assert str(path) in str(caught.value)
    assert not trace.exists()


def test_a_function_nobody_thought_of_is_not_run_either(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = lightning_file(tmp_path / "epoch=35.ckpt", more=Calls(Path.touch, trace))
    assert len(open_lightning(path, REMEDY)) == 4
    assert not trace.exists()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"state_dict": {}}, "it is empty"),
        ({"state_dict": {"a": torch.ones(1), "b": 3}}, "no tensors at b"),
        ({"state_dict": None}, "has no `state_dict`"),
        ({"state_dict": {"a": Calls(Path.cwd)}}, "no tensors at a"),
    ],
)
def test_a_file_without_tensors_is_told(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(EngineError, match=named):
        open_lightning(lightning_file(tmp_path / "epoch=35.ckpt", **changed), REMEDY)


def test_a_checkpoint_that_ends_early_is_told(tmp_path: Path) -> None:
    path = lightning_file(tmp_path / "epoch=35.ckpt")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(EngineError, match="ends early"):
        open_lightning(path, REMEDY)


def test_a_torchscript_program_is_refused_before_torch_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "epoch=35.ckpt"
    with path.open("wb") as file:
        torch.save({"state_dict": {}}, file)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", b"\x80\x02).")
    with pytest.raises(EngineError, match="TorchScript program"):
        open_lightning(path, REMEDY)


def test_an_old_checkpoint_that_is_one_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "epoch=35.ckpt"
    torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(EngineError, match="it is a pickle"):
        open_lightning(path, REMEDY)
