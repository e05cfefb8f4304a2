"""The turned square around one person that the landmark network looks at."""

import math
from typing import NamedTuple, Self

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray

CROP_SIDE_PX = 256
_SHRINK_OVER_PX = 512
_MARGIN = 1.25


class Roi(NamedTuple):
    """Centre and side in pixels, angle in radians, clockwise on the screen."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def from_points(cls, hip: FloatArray, end: FloatArray) -> Self:
        """From the mid-hip and the point that tells size and direction, (2,) pixels each."""
        dx, dy = float(end[0] - hip[0]), float(end[1] - hip[1])
        angle = math.pi / 2 - math.atan2(-dy, dx)
        side = 2 * _MARGIN * math.hypot(dx, dy)
        return cls(float(hip[0]), float(hip[1]), side, wrapped(angle))

    @property
    def axes(self) -> FloatArray:
        """(2, 2): the square's own x and y direction as columns."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cosine, -sine], [sine, cosine]])

    def to_picture(self, points: FloatArray) -> FloatArray:
        """(..., 2) fractions of the square, 0 to 1 inside, to pixels of the picture."""
        return (points - 0.5) @ (self.side * self.axes.T) + (self.x, self.y)

    def distance(self, other: "Roi") -> float:
        """Between the centres, as a share of this square's side."""
        return math.hypot(other.x - self.x, other.y - self.y) / max(self.side, 1.0)

    def size_ratio(self, other: "Roi") -> float:
        return other.side / max(self.side, 1.0)


def wrapped(angle: float) -> float:
    """`angle` in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def crop(image: ImageArray, roi: Roi) -> ImageArray:
    """The square of `roi`, upright, as (256, 256, 3); pixels past the picture's edge repeat it.

    Large squares are shrunk by area first, so that thin limbs do not fall between the samples.
    """
    part, scale, origin = _shrunk_part(image, roi)
    step = roi.side / CROP_SIDE_PX * roi.axes
    # cv2.resize keeps pixel areas aligned, so that pixel centres move by half a pixel
    start = (roi.to_picture(np.zeros(2)) - origin + 0.5) * scale - 0.5
    square = cv2.warpAffine(
        part,
        np.column_stack([scale[:, None] * step, start]),
        (CROP_SIDE_PX, CROP_SIDE_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(square, np.uint8)


def _shrunk_part(image: ImageArray, roi: Roi) -> tuple[ImageArray, FloatArray, FloatArray]:
    """The part of the picture that `roi` needs, its scale and its origin, (2,) x, y each."""
    factor = int(roi.side / CROP_SIDE_PX) if roi.side > _SHRINK_OVER_PX else 1
    centre, limits = np.array([roi.x, roi.y]), np.array(image.shape[1::-1])
    reach = np.abs(roi.side * roi.axes).sum(axis=1) / 2 + 2 * factor
    first = np.clip(np.floor(centre - reach), 0, limits - 1).astype(int)
    last = np.clip(np.ceil(centre + reach), first + 1, limits).astype(int)
    size = np.maximum((last - first) // factor, 1)
    # whole multiples of the factor take OpenCV's fast path; a lost edge is under one new pixel
    last = np.where(last - first >= factor, first + size * factor, last)
    part = image[first[1] : last[1], first[0] : last[0]]
    if factor > 1:
        small = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        part = np.asarray(small, np.uint8)
    return part, size / (last - first), first.astype(float)
