"""Official HMR 2.0 weights: from a checkpoint into the network.

A checkpoint is taken whole or not at all: a tensor too few, too many or of another shape is an
error that lists it. The training discriminator and the body model that official files carry are
passed over; the body always comes from the user's own SMPL file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.hmr2.config import Hmr2Config
from pose_service.hmr2.network import Hmr2
from pose_service.hmr2.official import (
    Shapes,
    ingredient_shapes,
    is_made,
    official_name,
    translated,
)
from pose_service.runtime.opening.lightning import open_lightning

_PASSED_OVER: Final = ("discriminator.", "smpl.", "initialized")
_SHOWN: Final = 8
_HINT: Final = "Use the official HMR2.0b checkpoint as it was published."
_CPU: Final = torch.device("cpu")


def load_file(
    path: Path, config: Hmr2Config, *, device: torch.device, half: torch.dtype | None, remedy: str
) -> Hmr2:
    """The network with the weights of a Lightning checkpoint, on `device`; see `load_network`.

    The file is read once, tensor by tensor, as they are moved. In float32 on the CPU the weights
    stay pages of the file, which must not be written to while the network lives. Raises
    `EngineError` with `remedy` if the file is missing, damaged or of another model.
    """
    official = open_lightning(path, remedy)
    try:
        return load_network(official, config, device=device, half=half)
    except EngineError as error:
        raise EngineError(f"{path}: {error}", hint=remedy) from error


def load_network(
    official: Mapping[str, Tensor],
    config: Hmr2Config,
    *,
    device: torch.device = _CPU,
    half: torch.dtype | None = None,
) -> Hmr2:
    """The network with the weights of `official`, ready to run on `device`.

    `official`: a checkpoint's `state_dict`. `half`: the type that the backbone multiplies in (see
    `Hmr2.multiply_in`); with None all is float32, and tensors that are kept as they are stay
    shared with `official`. No layer ever holds a made-up value. Raises `EngineError` where names
    or shapes are not those of `official_shapes(config)`, or a value is no number.
    """
    check_official(official, config)
    network = _hollow(config)
    if half is not None:
        network.multiply_in(half)
    types = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    weights = {
        name: _placed(weight, device, types[name], share=half is None)
        for name, weight in translated(official, types, config.decoder.layers)
    }
    network.load_state_dict(weights, strict=True, assign=True)
    _refuse_broken(weights)
    return network.requires_grad_(False).eval()


def official_shapes(config: Hmr2Config) -> Shapes:
    """Official name and shape of every tensor that is loaded."""
    plain = {
        official_name(name): tuple(tensor.shape)
        for name, tensor in _hollow(config).state_dict().items()
        if not is_made(name)
    }
    return {**plain, **ingredient_shapes(config)}


def check_official(official: Mapping[str, Tensor], config: Hmr2Config) -> None:
    """Raise `EngineError` unless names and shapes are those of `official_shapes(config)`."""
    wanted = official_shapes(config)
    given = {name: each for name, each in official.items() if not name.startswith(_PASSED_OVER)}
    faults = {
        "missing": sorted(wanted.keys() - given.keys()),
        "not known": sorted(given.keys() - wanted.keys()),
        "of another shape or kind": [
            f"{name} (expected {shape} float, got {tuple(given[name].shape)} {given[name].dtype})"
            for name, shape in wanted.items()
            if name in given and not _fits(given[name], shape)
        ],
    }
    if any(faults.values()):
        raise EngineError(
            "The checkpoint is not one of HMR 2.0: "
            + "; ".join(f"{what}: {_listed(names)}" for what, names in faults.items() if names),
            hint=_HINT,
        )


def _hollow(config: Hmr2Config) -> Hmr2:
    """The network with shapes but without memory."""
    with torch.device("meta"):
        return Hmr2(config)


def _fits(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    return tuple(tensor.shape) == shape and tensor.is_floating_point()


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


def _placed(weight: Tensor, device: torch.device, dtype: torch.dtype, *, share: bool) -> Tensor:
    placed = weight.to(device, dtype)
    # one shared tensor would keep the whole file mapped
    return placed.clone() if placed is weight and not share else placed


def _refuse_broken(weights: Mapping[str, Tensor]) -> None:
    # the least and the largest value are NaN if any value is; finding them needs no memory
    broken = [
        name
        for name, weight in weights.items()
        if not all(extreme.isfinite() for extreme in weight.aminmax())
    ]
    if broken:
        raise EngineError(
            f"The checkpoint is damaged: NaN or infinity in {_listed(broken)}", hint=_HINT
        )
