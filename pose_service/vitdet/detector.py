"""Pictures in, detections in their own pixels out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.vitdet.boxes import has_area
from pose_service.vitdet.model import Findings, VitDet
from pose_service.vitdet.placing import paint_masks, place_boxes
from pose_service.vitdet.prepare import canvas, resize
from pose_service.vitdet.selection import Selected

MaskArray = NDArray[np.bool_]
_Size = tuple[int, int]


@dataclass(frozen=True)
class Detections:
    """What was found in one picture, the surest first, in the picture's own pixels.

    `boxes_xyxy_px`: (n, 4) float32. `scores`: (n,) 0 to 1. `classes`: (n,) COCO's contiguous ids,
    0 a person. `masks`: (n, height, width) bool, or None where none were asked for.
    """

    boxes_xyxy_px: FloatArray
    scores: FloatArray
    classes: IntArray
    masks: MaskArray | None

    def __post_init__(self) -> None:
        count = len(self.scores)
        expect_shape("boxes_xyxy_px", self.boxes_xyxy_px, (count, 4))
        expect_shape("scores", self.scores, (count,))
        expect_shape("classes", self.classes, (count,))
        if self.masks is not None:
            expect_shape("masks", self.masks, (count, "height", "width"))


@torch.inference_mode()
def detect(
    model: VitDet,
    images: Sequence[ImageArray],
    *,
    only_class: int | None = None,
    score_over: float | None = None,
    masks: bool = False,
) -> list[Detections]:
    """One `Detections` per picture, all pictures in one forward.

    `images`: (height, width, 3) uint8 RGB each, of any sizes. `only_class` leaves the others out,
    after they have competed for the best places as in the official model; no mask is computed for
    them. `score_over`: only detections above it, strictly; None for what the model's rules say. The
    higher, the less work.
    """
    if not images:
        return []
    side = model.config.canvas_px
    resized = [resize(image, side) for image in images]
    sizes_hw = [(len(picture), picture.shape[1]) for picture in resized]
    device = next(model.parameters()).device
    found = model(canvas(resized, side, device), sizes_hw, score_over)
    originals_hw = [(len(image), image.shape[1]) for image in images]
    chosen = [
        _visible(_of_class(selected, only_class), size, original)
        for selected, size, original in zip(found.pictures, sizes_hw, originals_hw, strict=True)
    ]
    painted = _painted(model, found, chosen, originals_hw) if masks else [None] * len(chosen)
    return [
        Detections(_array(boxes), _array(each.scores), _array(each.classes), mask)
        for (each, boxes), mask in zip(chosen, painted, strict=True)
    ]


def _of_class(selected: Selected, only_class: int | None) -> Selected:
    return selected if only_class is None else selected.take(selected.classes == only_class)


def _visible(selected: Selected, from_hw: _Size, to_hw: _Size) -> tuple[Selected, Tensor]:
    """Detections whose box in the original picture is not empty, and that box."""
    boxes = place_boxes(selected.boxes, from_hw, to_hw)
    kept = has_area(boxes)
    return selected.take(kept), boxes[kept]


def _painted(
    model: VitDet,
    found: Findings,
    chosen: Sequence[tuple[Selected, Tensor]],
    originals_hw: Sequence[_Size],
) -> list[MaskArray | None]:
    # the features are pooled from the boxes as they are on the canvas
    logits = model.roi_heads.masks(
        found.levels, [each.boxes for each, _ in chosen], [each.classes for each, _ in chosen]
    )
    return [
        _array(paint_masks(one.sigmoid(), boxes, size))
        for one, (_, boxes), size in zip(logits, chosen, originals_hw, strict=True)
    ]


def _array(values: Tensor) -> NDArray[Any]:
    return values.numpy(force=True)
