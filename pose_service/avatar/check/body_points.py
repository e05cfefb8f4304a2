"""Where head, hands and feet of somebody seen are in the picture, whichever engine saw them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray
from pose_service.core.records import Observation
from pose_service.core.skeletons import BLAZEPOSE33, SMPL24, Skeleton

STATURE_M = 1.7
"""Of the person that sizes are told by; the engines' metres are those of an average adult, too."""

_FACE_SQUARE_M = 0.6
"""Side of the square that is searched for a face: about four times the face."""


@dataclass(frozen=True)
class _Landmarks:
    """What the landmarks of one engine are called.

    `head`: whose mean is the middle of the head. `to_face_m`, `to_top_m`: how far from there, away
    from the shoulders, the middle of the face and the top of the head are (of an adult).
    """

    skeleton: Skeleton
    head: tuple[str, ...]
    foot: tuple[str, ...]
    to_face_m: float
    to_top_m: float


_OF_BLAZEPOSE = _Landmarks(
    BLAZEPOSE33, ("nose", "left_ear", "right_ear"), ("ankle", "heel", "foot_index"), 0.0, 0.13
)
# SMPL's head joint lies where the skull sits on the neck
_OF_SMPL = _Landmarks(SMPL24, ("head",), ("ankle", "foot"), 0.05, 0.16)
_KNOWN = {len(one.skeleton): one for one in (_OF_BLAZEPOSE, _OF_SMPL)}


class BodyPoints:
    """Named places of `seen` in pixels; a place may lie outside of the picture."""

    def __init__(self, seen: Observation) -> None:
        if len(seen.landmarks_px) not in _KNOWN:
            raise ValueError(
                f"landmarks_px: expected {' or '.join(map(str, _KNOWN))}, "
                f"got {len(seen.landmarks_px)}"
            )
        self._names = _KNOWN[len(seen.landmarks_px)]
        self._seen = seen

    def pair(self, joint: str) -> FloatArray:
        """(2, 2) the left and the right `joint`."""
        return self._seen.landmarks_px[self._places(joint)]

    def middle(self, joint: str) -> FloatArray:
        """(2,) between the left and the right `joint`."""
        return np.asarray(self.pair(joint).mean(axis=0))

    @property
    def torso_px(self) -> FloatArray:
        """(4, 2) left and right shoulder, left and right hip."""
        return np.concatenate([self.pair("shoulder"), self.pair("hip")])

    @property
    def feet_px(self) -> FloatArray:
        """(2, points of a foot, 2) left and right, from the ankle on."""
        return np.stack([self.pair(joint) for joint in self._names.foot], axis=1)

    @property
    def feet_confidence(self) -> FloatArray:
        """(2, points of a foot) 0 to 1."""
        confidence = self._seen.landmark_confidence
        return np.stack([confidence[self._places(joint)] for joint in self._names.foot], axis=1)

    @cached_property
    def head_px(self) -> FloatArray:
        """(2,) the middle of the head."""
        places = [self._names.skeleton.index(joint) for joint in self._names.head]
        return np.asarray(self._seen.landmarks_px[places].mean(axis=0))

    @cached_property
    def head_top_px(self) -> FloatArray:
        """(2,) about the top of the head, without hair and hat."""
        return self.head_px + self._names.to_top_m * self.px_per_m * self._up

    @property
    def face_square(self) -> Roi:
        """The square, upright with the head, in the middle of which a face must be."""
        x, y = self.head_px + self._names.to_face_m * self.px_per_m * self._up
        angle = np.arctan2(self._up[0], -self._up[1])
        return Roi(float(x), float(y), _FACE_SQUARE_M * self.px_per_m, float(angle))

    @cached_property
    def px_per_m(self) -> float:
        """Scale of the person, as of a drawing: what the pixels say against what the metres say."""
        weights = self._seen.landmark_confidence
        pixels, metres = self._seen.landmarks_px, self._seen.landmarks_m[:, :2]
        return _spread(pixels, weights) / max(_spread(metres, weights), 1e-9)

    @property
    def facing(self) -> float:
        """From 1, the trunk turned to the camera, over 0, seen from its side, to -1, its back."""
        metres = {
            joint: self._seen.landmarks_m[self._places(joint)] for joint in ("shoulder", "hip")
        }
        left, right = metres["shoulder"]
        up = metres["shoulder"].mean(axis=0) - metres["hip"].mean(axis=0)
        forward = np.cross(left - right, up)
        return -float(forward[2] / max(float(np.linalg.norm(forward)), 1e-9))

    @property
    def stature_px(self) -> float:
        """How high the person would be in the picture, standing upright."""
        return STATURE_M * self.px_per_m

    @cached_property
    def _up(self) -> FloatArray:
        """(2,) of length 1, from the shoulders to the head."""
        way = self.head_px - self.middle("shoulder")
        return np.asarray(way / max(float(np.hypot(*way)), 1e-9))

    def _places(self, joint: str) -> list[int]:
        return [self._names.skeleton.index(f"{side}_{joint}") for side in ("left", "right")]


def _spread(points: FloatArray, weights: FloatArray) -> float:
    """Root of the mean squared distance from the mean; points count by their weights."""
    weights = np.maximum(weights, 1e-6)
    from_middle = points - np.average(points, axis=0, weights=weights)
    return float(np.sqrt(np.average(np.square(from_middle).sum(axis=1), weights=weights)))
