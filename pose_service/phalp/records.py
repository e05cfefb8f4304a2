"""What PHALP's tracker knows of one person in one frame, as plain arrays."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, expect_shape

BoolArray = NDArray[np.bool_]

Compat = Literal["fixed", "upstream"]
"""`upstream` decides as the released code does, `fixed` without its defects: see docs/phalp.md."""

HISTORY: Final = 7
"""Sights of a person that a track remembers."""
TEXTURE_PX: Final = 256
"""Side of a texture, and of the crops that it is taken from."""

LOCATION_NUMBERS: Final = 99
"""45 joints' x and y in the padded square, 0 to 1; then three rows of three: a place, the spread of
its prediction, and flags. Of a detection all three rows are the place."""
POSE_NUMBERS: Final = 229
"""24 row-major rotation matrices, 10 betas, and the place, its depth divided by 200."""

POINT: Final = slice(88, 90)
"""Where the body's origin is seen: the last joint."""
PLACE: Final = slice(90, 93)
"""x, y and depth of the body's origin, metres; see `phalp.features`."""
DEPTH: Final = 92
SPREAD: Final = slice(93, 96)
"""Half-widths of a prediction's interval: x and y in squares, depth as a factor."""


@dataclass(frozen=True)
class Detection:
    """One person in one frame.

    `box_xyxy_px`: (4,) as detected. `score`: 0 to 1. `square_px`: the picture's longer side, the
    unit of the points in `location`. `location`: (99,) and `pose`: (229,) as `phalp.features` makes
    them.
    """

    box_xyxy_px: FloatArray
    score: float
    square_px: float
    location: FloatArray
    pose: FloatArray

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("location", self.location, (LOCATION_NUMBERS,))
        expect_shape("pose", self.pose, (POSE_NUMBERS,))

    @property
    def is_sane(self) -> bool:
        """Whether it can be compared: all numbers are finite and the body is before the camera."""
        numbers = self.box_xyxy_px, self.score, self.location, self.pose
        finite = all(np.isfinite(each).all() for each in numbers)
        return finite and bool(self.location[DEPTH] > 0)
