"""The official checkpoint's arrays into the net, all of them or none."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import nn

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import EngineError
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.model import VitDet
from pose_service.vitdet.ops import Ops

_WRAPPER = "module."
_CONSTANTS = ("pixel_mean", "pixel_std")
_ANCHORS = "proposal_generator.anchor_generator.cell_anchors."
_LISTED = 8


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
    with torch.device("meta"):
        model = VitDet(config, ops)
    load(model, arrays)
    return model.eval().requires_grad_(False)


def load(model: nn.Module, arrays: Mapping[str, FloatArray]) -> None:
    """`arrays`, float32 under the checkpoint's names, become the weights of `model`."""
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
            hint="Fetch the file again; it must be model_final_f05665.pkl of ViTDet-H, "
            "Cascade Mask R-CNN, 75 epochs.",
        )
    tensors = {
        # torch shares writable memory only
        name: torch.from_numpy(np.require(array, requirements=("C", "W")))
        for name, array in given.items()
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
