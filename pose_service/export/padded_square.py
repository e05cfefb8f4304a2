"""The picture as PHALP sees it: padded to a square, rounded down, and 256 pixels wide.

A camera there has a focal length of 5000 of these pixels and looks at the square's centre. Units of
the square run from 0 to 1, x right, y down.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import Camera

_FOCAL, _SIDE = 5000.0, 256.0


@dataclass(frozen=True)
class PaddedSquare:
    """The square around a picture of this size."""

    width_px: int
    height_px: int

    @classmethod
    def of(cls, camera: Camera) -> Self:
        return cls(camera.width_px, camera.height_px)

    @property
    def side_px(self) -> int:
        return max(self.width_px, self.height_px)

    @property
    def focal_px(self) -> float:
        """The focal length in pixels of the picture."""
        return _FOCAL / _SIDE * self.side_px

    def translation_m(self, translation_m: FloatArray, camera: Camera) -> FloatArray:
        """(3,) before the picture's camera to (3,) before the square's.

        The body is seen at the same place and, with another focal length than the square's, in the
        same size: it is then moved away or near.
        """
        depth_m = translation_m[2] * self.focal_px / camera.focal_px
        across_m = translation_m[:2] + self._off_centre_px * depth_m / self.focal_px
        return np.array([*across_m, depth_m])

    def picture_translation_m(self, translation_m: FloatArray) -> FloatArray:
        """(3,) before the square's camera to (3,) before the picture's own of `focal_px`."""
        depth_m = translation_m[2]
        across_m = translation_m[:2] - self._off_centre_px * depth_m / self.focal_px
        return np.array([*across_m, depth_m])

    def projected(self, points_cam_m: FloatArray) -> FloatArray:
        """(n, 3) before the square's camera to (n, 2) in units of the square."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return points_cam_m[:, :2] / points_cam_m[:, 2:] * (_FOCAL / _SIDE) + 0.5

    def pixels(self, units: FloatArray) -> FloatArray:
        """(n, 2) units of the square to pixels of the picture."""
        return units * self.side_px - self._padding_px

    @property
    def _padding_px(self) -> FloatArray:
        sides = np.array([self.width_px, self.height_px])
        return (self.side_px - sides) // 2

    @property
    def _off_centre_px(self) -> FloatArray:
        """(2,) of the picture's centre from the square's: half a pixel where padding is rounded."""
        sides = np.array([self.width_px, self.height_px])
        return self._padding_px + (sides - self.side_px) / 2
