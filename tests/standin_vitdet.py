"""Stand-ins for the detector's official weights, test picture and torchvision operations.

The reference tensors under `data/vitdet` were computed with weights that are a pure function of
their names and shapes; `weights` is that function. RoIAlign and NMS are written as plainly as can
be, so that the nets are tested where torchvision is not installed.
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
from pose_service.vitdet.ops import Ops
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


def roi_align(
    maps: Tensor, rois: Tensor, size: int, scale: float, sampling_ratio: int, aligned: bool, /
) -> Tensor:
    """RoIAlign, box by box: a weighted mean of rows, then one of columns."""
    pooled = maps.new_zeros(len(rois), maps.shape[1], size, size)
    for roi, bins in zip(rois, pooled, strict=True):
        x0, y0, x1, y1 = roi[1:] * scale - (0.5 if aligned else 0.0)
        if not aligned:
            x1, y1 = torch.maximum(x1, x0 + 1), torch.maximum(y1, y0 + 1)
        rows = _bin_weights(y0, y1, size, maps.shape[2], sampling_ratio)
        columns = _bin_weights(x0, x1, size, maps.shape[3], sampling_ratio)
        high, wide = rows.any(dim=0), columns.any(dim=0)
        part = maps[int(roi[0])][:, high][:, :, wide]
        bins[:] = torch.einsum("chw,yh,xw->cyx", part, rows[:, high], columns[:, wide])
    return pooled


def _bin_weights(start: Tensor, end: Tensor, bins: int, cells: int, samples: int) -> Tensor:
    """(bins, cells): what each cell of one axis counts in each bin from `start` to `end`.

    In single precision like torchvision: exact places would move logits by up to 1.4e-4.
    """
    width = (end - start) / bins
    samples = samples or int(width.ceil())
    steps = (torch.arange(samples) + 0.5) * width / max(samples, 1)
    at = start + torch.arange(bins)[:, None] * width + steps
    inside = (at >= -1) & (at <= cells)
    away = (at.clamp(0, cells - 1)[..., None] - torch.arange(cells)).abs()
    bilinear = (1 - away).clamp(min=0) * inside[..., None]
    return bilinear.sum(dim=1) / max(samples, 1)


def nms(boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float, /) -> Tensor:
    """Greedy suppression: take the best, drop what overlaps it in its group, again."""
    left, kept = scores.argsort(descending=True), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        goes = (iou(boxes[best], boxes[left]) > iou_threshold) & (groups[left] == groups[best])
        left = left[~goes]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def iou(box: Tensor, boxes: Tensor) -> Tensor:
    """(n,) intersection over union of `box` (4,) with each of `boxes` (n, 4)."""
    low, high = torch.maximum(box[:2], boxes[:, :2]), torch.minimum(box[2:], boxes[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) - shared
    return shared / union


OPS = Ops(roi_align=roi_align, nms=nms)


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
