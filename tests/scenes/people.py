"""People of scripted scenes: where they are, how they move, and what of them is detected."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.phalp.features import FOCAL_SQUARES, location_features, pose_features
from pose_service.phalp.records import Detection

WIDTH_PX, HEIGHT_PX = 1280, 720
LOOK_NUMBERS = 32
"""Of a look: the first half shows from the front, the second from behind."""

_BODY_HEIGHT_M = 1.8
_BOX_WIDTH = 0.4
_HIPS_AND_SHOULDERS = 1, 2, 16, 17
_SWING_RAD = 0.5
# What nets are off by: shares of the height, of the depth, radians, and how unlike one person's
# looks are from frame to frame; others' looks differ by 1 in each number.
_PLACE_NOISE, _DEPTH_NOISE, _TURN_NOISE_RAD, _LOOK_NOISE = 0.004, 0.02, 0.03, 0.1
_LOOK_SCALE = 0.3


class Place(NamedTuple):
    """Middle and height of a person in the picture, pixels."""

    x_px: float
    y_px: float
    height_px: float


Path = Callable[[int], Place]


@dataclass(frozen=True)
class Actor:
    """A person of a scene, or a `real` one's imitation that a detector takes for a person.

    `path`: frame to place. `there`: the frames in which the person is in the scene; `undetected`:
    those of them in which the detector misses the person. `look`: people of one number look alike.
    `back`: frames in which they are seen from behind. `step_rad` per frame and `phase_rad`: of the
    gait; `turn_rad` per frame and `heading_rad`: of the whole body.
    """

    path: Path
    there: Container[int]
    undetected: Container[int] = ()
    look: int = 0
    back: Container[int] = ()
    step_rad: float = 0.3
    phase_rad: float = 0.0
    turn_rad: float = 0.0
    heading_rad: float = 0.0
    score: float = 0.95
    real: bool = True
    square_px: int = field(default=max(WIDTH_PX, HEIGHT_PX))

    def box_xyxy_px(self, frame: int) -> FloatArray:
        """(4,) around the person."""
        x, y, height = self.path(frame)
        half = np.array([_BOX_WIDTH * height / 2, height / 2])
        middle = np.array([x, y])
        return np.concatenate([middle - half, middle + half])

    def detected(self, frame: int, rng: np.random.Generator) -> Detection:
        """What the nets say of the person in this frame, with their noise."""
        x, y, height = self.path(frame)
        shift = rng.normal(0, _PLACE_NOISE * height, 2)
        depth = FOCAL_SQUARES * _BODY_HEIGHT_M * self.square_px / height
        depth *= np.exp(rng.normal(0, _DEPTH_NOISE))
        middle = np.array([WIDTH_PX, HEIGHT_PX]) / 2
        squares = (np.array([x, y]) + shift - middle) / self.square_px
        place = np.append(squares * depth / FOCAL_SQUARES, depth)[None]
        return Detection(
            box_xyxy_px=self.box_xyxy_px(frame) + np.tile(shift, 2),
            score=self.score,
            square_px=self.square_px,
            location=location_features(_joints_m()[None], place)[0],
            pose=pose_features(self._rotations(frame, rng)[None], np.zeros((1, 10)), place)[0],
        )

    def looks(self, frame: int, rng: np.random.Generator) -> FloatArray:
        """(32,) numbers; NaN for the side that is not seen."""
        own = np.random.default_rng(1000 + self.look).normal(0, _LOOK_SCALE, LOOK_NUMBERS)
        seen = own + rng.normal(0, _LOOK_NOISE * _LOOK_SCALE, LOOK_NUMBERS)
        sides = seen.reshape(2, -1)
        sides[0 if frame in self.back else 1] = np.nan
        return seen

    def _rotations(self, frame: int, rng: np.random.Generator) -> FloatArray:
        """(24, 3, 3): legs and arms swing, the whole body turns."""
        turns = rng.normal(0, _TURN_NOISE_RAD, 24)
        swing = _SWING_RAD * np.sin(self.phase_rad + self.step_rad * frame)
        turns[list(_HIPS_AND_SHOULDERS)] += np.array([1, -1, -1, 1]) * swing
        rotations = _about_x(turns)
        rotations[0] = _about_y(self.heading_rad + self.turn_rad * frame + turns[0])
        return rotations


def walk(start: Place, x_per_frame: float = 0.0, y_per_frame: float = 0.0) -> Path:
    """Straight on from `start` in frame 0."""
    x, y, height = start
    return lambda frame: Place(x + x_per_frame * frame, y + y_per_frame * frame, height)


def _joints_m() -> FloatArray:
    """(44, 3) spread over a standing body; its origin is the middle."""
    down = np.linspace(-0.5, 0.5, 44) * _BODY_HEIGHT_M
    return np.column_stack([0.2 * np.sin(7 * down), down, 0.1 * np.cos(5 * down)])


def _about_x(turns: FloatArray) -> FloatArray:
    cos, sin = np.cos(turns), np.sin(turns)
    zero, one = np.zeros_like(turns), np.ones_like(turns)
    rows = [one, zero, zero, zero, cos, -sin, zero, sin, cos]
    return np.stack(rows, axis=-1).reshape(*turns.shape, 3, 3)


def _about_y(turn: float) -> FloatArray:
    cos, sin = np.cos(turn), np.sin(turn)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
