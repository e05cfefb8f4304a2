"""The official checkpoint's arrays into the net, all of them or none."""

from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import EngineError
from pose_service.runtime.opening.detectron2 import open_detectron2
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.model import VitDet
from pose_service.vitdet.ops import Ops

_WRAPPER = "module."
_CONSTANTS = ("pixel_mean", "pixel_std")
_ANCHORS = "proposal_generator.anchor_generator.cell_anchors."
_LISTED = 8
_CPU = torch.device("cpu")
_REMEDY = (
    "Fetch the file again; it must be model_final_f05665.pkl of ViTDet-H, Cascade Mask R-CNN, "
    "75 epochs."
)


def model_names(names: Iterable[str]) -> dict[str, str]:
    """Name in the file to name in the net, of every entry that the net can use.

    The net's own names are the official ones. A `module.` before all of them is taken off;
    constants that older files carry, and that the net computes, are left out.
    """
    names = list(names)
    wrapped = bool(names) and all(name.startswith(_WRAPPER) for name in names)
    plain = {name: name.removeprefix(_WRAPPER) if wrapped else name for name in names}
    return {
        name: own
        for name, own in plain.items()
        if own not in _CONSTANTS and not own.startswith(_ANCHORS)
    }


def build(config: VitDetConfig, arrays: Mapping[str, FloatArray], ops: Ops) -> VitDet:
    """The net of `config` with the weights `arrays`, ready to run; it shares their memory.

    `EngineError` lists what is missing, what is too much and what has another shape or type.
    """
    model = _without_weights(config, ops)
    load(model, dict(arrays))
    return model.eval().requires_grad_(False)


def load_file(
    path: Path,
    config: VitDetConfig,
    ops: Ops,
    *,
    device: torch.device,
    half: torch.dtype | None,
    remedy: str,
) -> VitDet:
    """The net of `config` with the weights of the official file, on `device`, ready to run.

    `half`: the type that it shall multiply in, see `VitDet.multiply_in`; None for float32. Each
    array is let go when it is on the device, in its final type: the weights are never there twice.
    `EngineError` with `remedy` where the file cannot be read or does not fit.
    """
    model = _without_weights(config, ops)
    if half is not None:
        model.multiply_in(half)
    arrays = open_detectron2(path, remedy)
    try:
        load(model, arrays, device, remedy)
    except EngineError as error:
        raise EngineError(f"{path}: {error}", hint=error.hint) from error
    return model.eval().requires_grad_(False)


def _without_weights(config: VitDetConfig, ops: Ops) -> VitDet:
    with torch.device("meta"):
        return VitDet(config, ops)


def load(
    model: nn.Module,
    arrays: MutableMapping[str, FloatArray],
    device: torch.device = _CPU,
    remedy: str = _REMEDY,
) -> None:
    """`arrays`, float32 under the checkpoint's names, become the weights of `model`, on `device`.

    They are taken out of `arrays` one by one, and turned into the types that `model` has.
    """
    given = {own: arrays[name] for name, own in model_names(arrays).items()}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    problems = [
        *_listed("missing", sorted(wanted.keys() - given.keys())),
        *_listed("unknown", sorted(given.keys() - wanted.keys())),
        *_listed("of another shape or type", _misfits(wanted, given)),
    ]
    if problems:
        raise EngineError(
            f"the detector's checkpoint does not fit: {'; '.join(problems)}",
            hint=remedy,
        )
    arrays.clear()
    tensors = {
        # torch shares writable memory only
        name: torch.from_numpy(np.require(given.pop(name), requirements=("C", "W"))).to(
            device, value.dtype
        )
        for name, value in model.state_dict().items()
    }
    model.load_state_dict(tensors, assign=True)


def _misfits(wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, FloatArray]) -> list[str]:
    return [
        f"{name} (wanted float32 {shape}, got {given[name].dtype} {given[name].shape})"
        for name, shape in sorted(wanted.items())
        if name in given and (given[name].shape != shape or given[name].dtype != np.float32)
    ]


def _listed(what: str, names: list[str]) -> list[str]:
    if not names:
        return []
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return [f"{len(names)} {what}: {', '.join(names[:_LISTED])}{rest}"]
