"""Stand-ins for the detector's official weights and test picture.

The reference tensors under `data/vitdet` were computed with weights that are a pure function of
their names and shapes; `weights` is that function.
"""

import json
from collections.abc import Container
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from standin import plain_weight
from torch import Tensor, nn

from pose_service.vitdet.checkpoint import build
from pose_service.vitdet.config import (
    BackboneConfig,
    DetectionRules,
    ProposalRules,
    VitDetConfig,
)
from pose_service.vitdet.model import VitDet
from pose_service.vitdet.ops import plain_ops
from pose_service.vitdet.prepare import canvas, resize

Array = NDArray[Any]

DATA = Path(__file__).resolve().parent / "data" / "vitdet"

TINY = VitDetConfig(
    backbone=BackboneConfig(
        grid=16, pretrained_grid=8, table_grid=12, width=64, depth=4, heads=4, window=5,
        global_blocks=(1, 3), pyramid_width=32,
    ),
    anchor_sizes_px=(16, 32, 64, 128, 256),
    canonical_box_px=56,
    box_head_width=64,
    proposals=ProposalRules(per_level=60, keep=160),
    detections=DetectionRules(score_over=0.1304, keep=37),
)  # fmt: skip
"""The official model in small; the tables of its global blocks are made for another grid."""

_LOUDER = {
    "rel_pos_h": 10, "rel_pos_w": 10, "pos_embed": 10, "objectness_logits.weight": 3,
    "cls_score.weight": 4, "bbox_pred.weight": 3, "mask_head.predictor.weight": 4,
}  # fmt: skip
"""Factors by the end of the name, without which positions and scores would hardly matter."""


@cache
def golden(name: str) -> dict[str, Array]:
    """The arrays of one file of reference tensors."""
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


@cache
def manifest(name: str) -> dict[str, tuple[int, ...]]:
    """Name to shape of every tensor of the `tiny` or the `full` model's checkpoint."""
    entries = json.loads((DATA / f"manifest_{name}.json").read_text())
    assert {kind for _, kind in entries.values()} == {"float32"}
    return {key: tuple(shape) for key, (shape, _) in entries.items()}


def weight(name: str, shape: tuple[int, ...]) -> Array:
    """The stand-in of one tensor of the detector."""
    values = plain_weight(name, shape)
    for ending, factor in _LOUDER.items():
        if name.endswith(ending):
            values *= np.float32(factor)
    if name.endswith("cls_score.bias"):
        values[0] += np.float32(3.5)
    if name.endswith("mask_head.predictor.bias"):
        values += np.float32(0.5)
    return values


def weights(name: str) -> dict[str, Array]:
    """Stand-ins of every tensor of the `tiny` or the `full` model."""
    return {key: weight(key, shape) for key, shape in manifest(name).items()}


def picture_bgr(height: int, width: int) -> NDArray[np.uint8]:
    """The picture of the reference tensors, in the order of its stored channels."""
    y, x, c = np.ogrid[:height, :width, :3]
    stripes = (3 - c) * x + (2 + c) * y + (x * y) // (24 + 8 * c)
    checks = 70 * ((x // 23 + y // 17) % 2)
    disc = 60 * ((x - 150) ** 2 + (y - 60) ** 2 < 1600)
    return np.asarray((stripes + checks + disc) % 256, np.uint8)


def picture_rgb(height: int, width: int) -> NDArray[np.uint8]:
    """The same in the order that the service uses."""
    return np.ascontiguousarray(picture_bgr(height, width)[:, :, ::-1])


OPS = plain_ops()
"""Our own, so that the nets are tested where torchvision does not load."""


@cache
def tiny_model() -> VitDet:
    """The tiny detector with its stand-in weights."""
    return build(TINY, weights("tiny"), OPS)


class Trace:
    """What went in and out of a net's modules during one run, call by call.

    `into` and `out` hold by module name one entry per call: the tuple of arguments, the result.
    Only modules whose name is in `watched` are followed, or all.
    """

    def __init__(self, model: nn.Module, watched: Container[str] | None = None) -> None:
        self.into: dict[str, list[Any]] = {}
        self.out: dict[str, list[Any]] = {}
        self._hooks = [
            module.register_forward_hook(self._hook(name))
            for name, module in model.named_modules()
            if watched is None or name in watched
        ]

    def _hook(self, name: str) -> Any:
        def remember(_module: nn.Module, given: Any, result: Any) -> None:
            self.into.setdefault(name, []).append(given)
            self.out.setdefault(name, []).append(result)

        return remember

    def stop(self) -> None:
        for hook in self._hooks:
            hook.remove()


@cache
def tiny_trace() -> Trace:
    """The tiny model's run on the picture of 172 x 240 pixels."""
    resized = resize(picture_rgb(172, 240), TINY.canvas_px)
    model = tiny_model()
    trace = Trace(model)
    with torch.inference_mode():
        model(
            canvas([resized], TINY.canvas_px, torch.device("cpu")),
            [(len(resized), resized.shape[1])],
        )
    trace.stop()
    return trace


def worst(got: Tensor, wanted: Array) -> float:
    """Largest absolute difference; the shapes must agree."""
    assert tuple(got.shape) == wanted.shape
    return float(np.abs(got.numpy(force=True).astype(np.float64) - wanted).max())


def sample(values: Tensor) -> Tensor:
    """The 2000 values that the files for the full size keep of a tensor."""
    flat = values.flatten()
    return flat[torch.arange(2000) * 1000003 % len(flat)]
