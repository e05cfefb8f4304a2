"""The appearance encoder from `hmar_v2_weights.pth`, of which it is a thirtieth."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.checkpoint import fill, ready, refuse
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.lightning import open_tensors

_ENTRY: Final = "model"
_NAME: Final = re.compile(r"(?:.*\.)?encoding_head\.(\w+\.(?:weight|bias))")


def load_appearance_encoder(
    path: Path, *, device: torch.device, half: torch.dtype | None, remedy: str
) -> AppearanceEncoder:
    """The encoder with the weights of the file `path`, on `device`; `half`: see `multiply_in`.

    What else is in the file (the body network of PHALP's first version) is not read. `EngineError`
    with `remedy` if the file is missing, damaged or another.
    """
    official = open_tensors(path, WantedFile("the weights of PHALP's appearance", remedy), _ENTRY)
    try:
        encoder = encoder_of(official, path)
    except EngineError as error:
        raise EngineError(str(error), hint=remedy) from error
    if half is not None:
        encoder.multiply_in(half)
    ready(encoder, device)
    return encoder


def encoder_of(official: Mapping[str, Tensor], path: Path) -> AppearanceEncoder:
    """The encoder of tensors called `….encoding_head.<layer>.<weight or bias>`, on the CPU."""
    with torch.device("meta"):
        encoder = AppearanceEncoder()
    own = {name: f"encoding_head.{name}" for name in encoder.state_dict()}
    fill(encoder, _without_prefix(official, own, path), own, path)
    return encoder


def _without_prefix(
    official: Mapping[str, Tensor], own: Mapping[str, str], path: Path
) -> dict[str, Tensor]:
    """The wanted tensors by the end of their names; what stands before differs between files."""
    found: dict[str, list[str]] = {}
    for name in official:
        if (match := _NAME.fullmatch(name)) and match[1] in own:
            found.setdefault(match[1], []).append(name)
    refuse(
        path,
        {"there twice": [name for names in found.values() if len(names) > 1 for name in names]},
    )
    return {own[name]: official[names[0]] for name, names in found.items()}
