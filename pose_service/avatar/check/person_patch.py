"""The part of a picture that shows a person, gray and at one size, to judge light and focus by."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.avatar.check.body_points import BodyPoints
from pose_service.core.arrays import FloatArray, ImageArray, expect_shape

PATCH_STATURE_PX = 512
"""A standing person is at most so high in the patch; smaller ones keep their size."""

_LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
_LIMB_M, _HEAD_M = 0.16, 0.28
"""How wide limbs and head are taken, their outlines included."""


@dataclass(frozen=True)
class PersonPatch:
    """`gray`: (h, w) float 0 to 255. `body`: (h, w), pixels of the person and of the outline.

    `stature_px`: how high the person, standing, would be in the patch.
    """

    gray: FloatArray
    body: NDArray[np.bool_]
    stature_px: float

    def __post_init__(self) -> None:
        expect_shape("body", self.body, self.gray.shape)

    @property
    def person_gray(self) -> FloatArray:
        """(n,) brightness of the person's pixels; of all, where none is inside the patch."""
        return self.gray[self.body] if self.body.any() else self.gray.ravel()

    @classmethod
    def of(cls, image: ImageArray, points: BodyPoints, box_xyxy_px: FloatArray) -> Self:
        """`image`: (height, width, 3) uint8 RGB; the person is at `points` in the box (4,)."""
        limits = np.array(image.shape[1::-1])
        low = np.clip(np.floor(box_xyxy_px[:2]), 0, limits - 1).astype(int)
        high = np.clip(np.ceil(box_xyxy_px[2:]), low + 1, limits).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        scale = min(PATCH_STATURE_PX / points.stature_px, 1.0)
        size = np.maximum(np.rint((high - low) * scale), 1).astype(int)
        small = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        body = _body(gray.shape, _Drawing(points, low, scale))
        return cls(gray, body, points.stature_px * scale)


@dataclass(frozen=True)
class _Drawing:
    """A person's places in the pixels of a patch that begins at `origin_px` of the picture."""

    points: BodyPoints
    origin_px: NDArray[np.int_]
    scale: float

    def at(self, places_px: FloatArray) -> NDArray[np.int32]:
        # far outside is outside all the same, and OpenCV takes small numbers only
        inside = (places_px - self.origin_px) * self.scale
        return np.asarray(np.clip(inside, -9999, 9999).round(), np.int32)

    def width(self, metres: float) -> int:
        return max(int(metres * self.points.px_per_m * self.scale), 1)


def _body(shape: tuple[int, ...], drawing: _Drawing) -> NDArray[np.bool_]:
    canvas = np.zeros(shape, np.uint8)
    points, limb_px = drawing.points, drawing.width(_LIMB_M)
    ways = [
        (points.pair(start)[side], points.pair(end)[side])
        for start, end in _LIMBS
        for side in (0, 1)
    ]
    for start, end in ways:
        cv2.line(canvas, drawing.at(start).tolist(), drawing.at(end).tolist(), 1, limb_px)
    trunk = drawing.at(np.concatenate([points.pair("shoulder"), points.pair("hip")[::-1]]))
    cv2.fillConvexPoly(canvas, cv2.convexHull(trunk), 1)
    cv2.polylines(canvas, [trunk], True, 1, limb_px)
    cv2.circle(canvas, drawing.at(points.head_px).tolist(), drawing.width(_HEAD_M / 2), 1, -1)
    return canvas.astype(bool)
