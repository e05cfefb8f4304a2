"""A square of a picture, scaled to the network's size by OpenCV 4's bilinear rule.

OpenCV 5 samples differently, which moves a person by centimetres; the weights and all published
numbers come from the years of OpenCV 4. So its rule is written out here: positions in 32nds of a
pixel, whole-number weights, zero outside of the picture. As the squares are upright the two axes
are independent, and a blur before the scaling is nothing but more neighbours per output pixel.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.hmr2.config import CROP_PX

SHARP: NDArray[np.int32] = np.ones(1, np.int32)
"""The kernel of no blur; sums of whole numbers stay whole."""

# positions are rounded to 1024ths first, then to 32nds
_FINE, _COARSE_BITS = 1024, 5
_STEPS = 32
# of both axes' weights
_ONE = _STEPS * _STEPS


class Taps(NamedTuple):
    """The picture's pixels along one axis that make up each output pixel, and how much of each.

    `start`: the first output pixel that sees the picture. `places`: (taps, seen) inside of the
    picture. `weights`: (taps, seen), int32 or float64; they sum to 32, or less at the edges.
    """

    start: int
    places: IntArray
    weights: NDArray[Any]

    @property
    def span(self) -> tuple[int, int]:
        """The first place and the one after the last; 0, 0 if the picture is not seen."""
        if not self.places.size:
            return 0, 0
        return int(self.places.min()), int(self.places.max()) + 1

    def moved(self, start: int) -> "Taps":
        """The same taps in a picture cut off before `start`."""
        return self._replace(places=self.places - start)


def taps_of_square(
    centre_px: FloatArray,
    side_px: np.floating[Any],
    size_px: tuple[int, int],
    kernel: NDArray[Any] = SHARP,
) -> tuple[Taps, Taps]:
    """Taps along x and y of one square, in a picture of `size_px` (width, height).

    `centre_px` (2,) and `side_px`: float32, as in `Squares`. `kernel`: (2 r + 1,) weights of the
    blur before the scaling, for which the picture's edges are replicated.
    """
    back = cv2.invertAffineTransform(matrix_of_square(centre_px, side_px))
    # what couples the axes is noise of 1e-17
    x, y = (_taps(back[axis, axis], back[axis, 2], size_px[axis], kernel) for axis in (0, 1))
    return x, y


def matrix_of_square(centre_px: FloatArray, side_px: np.floating[Any]) -> FloatArray:
    """(2, 3): a picture's pixels to those of the square, from three points as official code does.

    The points are float32, and the matrix is solved for, not written down: where a position lies
    just between two steps, the noise of the solution decides.
    """
    points = np.array([[0, 0], [0, 0.5], [0.5, 0]], np.float32)
    there = (centre_px + side_px * points).astype(np.float32)
    here = np.float32(CROP_PX) * (points + np.float32(0.5))
    return np.asarray(cv2.getAffineTransform(there, here), np.float64)


def scaled(picture: Tensor, x: Taps, y: Taps) -> Tensor:
    """(height, width, channels) uint8 to (256, 256, channels) grey levels, on its own device.

    Without a blur int32, rounded as OpenCV does, else float64.
    """
    left, right = x.span
    rows = _summed(picture[:, left:right], y)
    total = _summed(rows.transpose(0, 1).contiguous(), x.moved(left)).transpose(0, 1)
    if total.is_floating_point():
        return torch.div(total, _ONE)
    return torch.div(total + _ONE // 2, _ONE, rounding_mode="floor")


def _taps(step: float, first: float, length: int, kernel: NDArray[Any]) -> Taps:
    fine = np.rint(step * np.arange(CROP_PX) * _FINE) + np.rint(first * _FINE)
    position = (fine.astype(np.int64) + 16) >> _COARSE_BITS
    place, fraction = np.divmod(position, _STEPS)
    inside = (place >= 0) & (place < length), (place >= -1) & (place < length - 1)
    here, next_ = (_STEPS - fraction) * inside[0], fraction * inside[1]
    seen = np.flatnonzero(here + next_)
    start, stop = (int(seen[0]), int(seen[-1]) + 1) if seen.size else (0, 0)
    weights = np.zeros((len(kernel) + 1, stop - start), kernel.dtype)
    weights[:-1] += np.multiply.outer(kernel, here[start:stop])
    weights[1:] += np.multiply.outer(kernel, next_[start:stop])
    offsets = np.arange(len(weights))[:, None] - len(kernel) // 2
    return Taps(start, (place[start:stop] + offsets).clip(0, length - 1), weights)


def _summed(lines: Tensor, taps: Taps) -> Tensor:
    """(length, others, channels) to (256, others, channels): weighted sums along the first axis."""
    places, weights = (torch.from_numpy(array).to(lines.device) for array in taps[1:])
    total = torch.zeros((CROP_PX, *lines.shape[1:]), dtype=weights.dtype, device=lines.device)
    seen = total[taps.start : taps.start + places.shape[1]]
    for place, weight in zip(places, weights, strict=True):
        seen.addcmul_(weight[:, None, None], lines.index_select(0, place))
    return total
