"""Boxes around people that a caller knows already."""

from collections.abc import Sequence

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError

_SMALLEST_PX = 1.0
_FARTHEST = 4.0
"""How far a box may reach beyond the picture, in lengths of the picture's longer edge."""


def known_boxes(
    boxes: Sequence[Sequence[float]] | None, width_px: int, height_px: int
) -> FloatArray | None:
    """(n, 4) boxes xyxy, pixels of a picture of this size; None where the caller sent none.

    `BadRequestError` names the first that nobody in the picture can be in.
    """
    if boxes is None:
        return None
    for place, box in enumerate(boxes):
        if fault := _fault(np.array(box), width_px, height_px):
            raise BadRequestError(
                f"boxes[{place}]: expected [x1, y1, x2, y2] in pixels of the picture of "
                f"{width_px} x {height_px}, got {list(box)}, which {fault}",
                hint="x1 y1 is a box's upper left corner, x2 y2 its lower right one.",
            )
    return np.array(boxes, float).reshape(-1, 4)


def _fault(box: FloatArray, width_px: int, height_px: int) -> str:
    """What is wrong with `box`; empty if nothing is."""
    size = np.array([width_px, height_px])
    if not np.isfinite(box).all():
        return "is not finite"
    if (box[2:] - box[:2] < _SMALLEST_PX).any():
        return "has no area"
    if (box[:2] >= size).any() or (box[2:] <= 0).any():
        return "lies outside of the picture"
    if (np.abs(box - np.tile(size / 2, 2)) > _FARTHEST * size.max()).any():
        return "is far larger than the picture"
    return ""
