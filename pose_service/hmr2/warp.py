"""A square of a picture, scaled to the network's size by OpenCV 4's bilinear rule.

OpenCV 5 samples differently, which moves a person by centimetres; the weights and all published
numbers come from the years of OpenCV 4. So its rule is written out here: positions in 32nds of a
pixel, whole-number weights, zero outside of the picture. As the squares are upright the two axes
are independent.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.hmr2.config import CROP_PX

# positions are rounded to 1024ths first, then to 32nds
_FINE, _COARSE_BITS = 1024, 5
_STEPS = 32


class Taps(NamedTuple):
    """The two neighbours of each output pixel along one axis, both (2, 256).

    `places` are inside of the picture; `weights` sum to 32, or less where a neighbour is outside.
    """

    places: IntArray
    weights: IntArray

    def moved(self, start: int) -> "Taps":
        """The same taps in a picture cut off before `start`."""
        return Taps(self.places - start, self.weights)


def taps_of_square(
    centre_px: FloatArray, side_px: np.floating[Any], size_px: tuple[int, int]
) -> tuple[Taps, Taps]:
    """Taps along x and y of one square, in a picture of `size_px` (width, height).

    `centre_px` (2,) and `side_px`: float32, as in `Squares`.
    """
    back = cv2.invertAffineTransform(matrix_of_square(centre_px, side_px))
    # what couples the axes is noise of 1e-17
    x, y = (_taps(back[axis, axis], back[axis, 2], size_px[axis]) for axis in (0, 1))
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


def _taps(step: float, first: float, length: int) -> Taps:
    fine = np.rint(step * np.arange(CROP_PX) * _FINE) + np.rint(first * _FINE)
    position = (fine.astype(np.int64) + 16) >> _COARSE_BITS
    place, fraction = np.divmod(position, _STEPS)
    places = np.stack([place, place + 1])
    weights = np.stack([_STEPS - fraction, fraction])
    inside = (places >= 0) & (places < length)
    return Taps(places.clip(0, length - 1), (weights * inside).astype(np.int32))


def sample(picture: NDArray[Any], x: Taps, y: Taps) -> NDArray[Any]:
    """(height, width, channels) to (256, 256, channels) of the same type, uint8 or float64."""
    total = sum(
        picture[y.places[row][:, None], x.places[column]]
        * (y.weights[row][:, None] * x.weights[column])[..., None]
        for row in (0, 1)
        for column in (0, 1)
    )
    if picture.dtype == np.uint8:
        rounded: NDArray[np.uint8] = ((total + _STEPS * _STEPS // 2) >> 10).astype(np.uint8)
        return rounded
    return np.asarray(total / (_STEPS * _STEPS))
