"""Official tensors into PHALP's networks: all that are needed, whole and well shaped, or none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from pose_service.core.errors import EngineError

_SHOWN: Final = 8


def fill(
    network: nn.Module, official: Mapping[str, Tensor], names: Mapping[str, str], path: Path
) -> None:
    """Copies of `official` become the weights of `network`, in its own types.

    `names`: each name in the network to the official one. `path` is what errors call the file.
    `EngineError` lists what is missing, has another shape or kind, or holds NaN or infinity.
    """
    wanted = network.state_dict()
    faults = {
        "missing": [there for there in names.values() if there not in official],
        "of another shape or kind": [
            f"{there} (expected {tuple(wanted[here].shape)} float, got "
            f"{tuple(official[there].shape)} {official[there].dtype})"
            for here, there in names.items()
            if there in official and not _fits(official[there], wanted[here])
        ],
    }
    refuse(path, faults)
    broken = [there for there in names.values() if _broken(official[there])]
    refuse(path, {"NaN or infinity in": broken})
    # copies: nothing keeps the whole file in memory
    weights = {
        here: official[there].detach().to(wanted[here].dtype, copy=True)
        for here, there in names.items()
    }
    network.load_state_dict(weights, strict=True, assign=True)


def refuse(path: Path, faults: Mapping[str, list[str]]) -> None:
    """`EngineError` that lists `faults`, what is wrong to the tensors' names, if there are any."""
    listed = [f"{what}: {_listed(names)}" for what, names in faults.items() if names]
    if listed:
        raise EngineError(f"{path} does not fit: {'; '.join(listed)}")


def ready(network: nn.Module, device: torch.device) -> None:
    """`network` on `device`, to run and not to train."""
    network.to(device).requires_grad_(False).eval()


def _fits(tensor: Tensor, wanted: Tensor) -> bool:
    return tensor.shape == wanted.shape and tensor.is_floating_point()


def _broken(tensor: Tensor) -> bool:
    # the least and the largest value are NaN if any value is
    return not all(extreme.isfinite() for extreme in tensor.aminmax())


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
