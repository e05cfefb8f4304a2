"""A person's outline in a picture as a field: how far each place is outside of it."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.masks import Mask

# A body of 1.8 m is then about 400 rows high: half a row is 2 mm.
_LONGER_SIDE = 448
_MARGIN = 0.12  # of the mask's longer side, left clear around it for places outside
_HALF = 0.5
_BORDER = 0.005  # of the picture's longer side


@dataclass(frozen=True, eq=False)
class Outline:
    """`distance_px`: (rows, columns) pixels of the picture, above 0 outside of the person.

    Cell (0, 0) has its middle at `origin_px` (2,), cells are `step_px` (2,) wide and high.
    `picture_px`: (2,) the picture's size: beyond it nobody knows where the person ends.
    """

    distance_px: FloatArray
    origin_px: FloatArray
    step_px: FloatArray
    picture_px: FloatArray

    def __post_init__(self) -> None:
        expect_shape("distance_px", self.distance_px, ("rows", "columns"))
        expect_shape("origin_px", self.origin_px, (2,))
        expect_shape("step_px", self.step_px, (2,))
        expect_shape("picture_px", self.picture_px, (2,))

    @classmethod
    def of(cls, mask: Mask) -> Self | None:
        """None where the mask is all but empty."""
        pixels = mask.pixels()
        columns, rows = (np.flatnonzero(pixels.any(axis=axis)) for axis in (0, 1))
        if len(columns) < 2 or len(rows) < 2:
            return None
        low = np.array([columns[0], rows[0]])
        size = np.array([columns[-1], rows[-1]]) + 1 - low
        cut = pixels[low[1] : low[1] + size[1], low[0] : low[0] + size[0]].astype(np.float32)
        small = np.maximum(np.rint(size * min(1.0, _LONGER_SIDE / size.max())), 1).astype(int)
        soft = cv2.resize(cut, (int(small[0]), int(small[1])), interpolation=cv2.INTER_AREA)
        margin = int(np.ceil(_MARGIN * small.max()))
        # a whole number of cells: they are a little longer one way than the other
        step = size / small
        origin = low + step * (_HALF - margin)
        distance = _signed_distance(np.pad(soft, margin)) * step.mean()
        return cls(distance, origin, step, np.array([mask.width_px, mask.height_px], float))

    def at(self, points_px: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Distances (n,), pixels, at `points_px` (n, 2), and their slopes (n, 2) per pixel."""
        rows, columns = self.distance_px.shape
        places = (points_px - self.origin_px) / self.step_px
        clipped = np.clip(places, 0, [columns - 1.001, rows - 1.001])
        low = clipped.astype(np.int64)
        x, y = (clipped - low).T
        a, b, c, d = (self._cells(low, right, down) for down in (0, 1) for right in (0, 1))
        value = (a * (1 - x) + b * x) * (1 - y) + (c * (1 - x) + d * x) * y
        slope_x = (b - a) * (1 - y) + (d - c) * y
        slope_y = (c - a) * (1 - x) + (d - b) * x
        beyond = np.linalg.norm((places - clipped) * self.step_px, axis=1)
        return value + beyond, np.stack([slope_x, slope_y], axis=1) / self.step_px

    def knows(self, points_px: FloatArray) -> NDArray[np.bool_]:
        """(n,) whether each of `points_px` (n, 2) lies in the picture, clear of its border."""
        border = _BORDER * self.picture_px.max()
        inside = (points_px > border) & (points_px < self.picture_px - border)
        return np.asarray(inside.all(axis=1))

    def _cells(self, low: IntArray, right: int, down: int) -> FloatArray:
        return np.asarray(self.distance_px[low[:, 1] + down, low[:, 0] + right])


def _signed_distance(soft: FloatArray) -> FloatArray:
    """Cells to the level of a half in `soft` (0 to 1), above 0 outside."""
    inside = (soft >= _HALF).astype(np.uint8)
    out_cells, in_cells = (
        np.asarray(cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float64)
        for side in (1 - inside, inside)
    )
    # each is measured to the middle of the first cell of the other side, half a cell too far
    whole = np.where(inside > 0, _HALF - in_cells, out_cells - _HALF)
    # at the border itself the share of the cell that is covered tells more
    near = np.abs(whole) < 1
    return np.where(near & (soft > 0) & (soft < 1), _HALF - soft, whole)
