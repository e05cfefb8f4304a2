"""What the fit is told: landmarks of many observations in one batch, and how far to trust them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Camera, Observation
from pose_service.core.skeletons import BLAZEPOSE33

_UNUSED = (
    "left_eye_inner", "left_eye_outer", "right_eye_inner", "right_eye_outer",
    "mouth_left", "mouth_right",
)  # fmt: skip
TARGETS = tuple(i for i, name in enumerate(BLAZEPOSE33.joints) if name not in _UNUSED)
"""Places in BLAZEPOSE33 of the 27 landmarks that are fitted."""
TARGET_NAMES = tuple(BLAZEPOSE33.joints[i] for i in TARGETS)

_TRUST = {
    0.4: ("pinky", "index", "thumb"),
    0.6: ("nose", "eye", "ear", "heel", "foot_index"),
}
# Above 0, so that sums of weights are; so low that the prior decides on what nobody saw.
_LEAST_CONFIDENCE = 1e-5


def _trust(name: str) -> float:
    """Hands, faces and feet are seen less well than limbs, and lie on the body less exactly."""
    part = name.removeprefix("left_").removeprefix("right_")
    return next((trust for trust, parts in _TRUST.items() if part in parts), 1.0)


@dataclass(frozen=True)
class Evidence:
    """Landmarks of n observations.

    `points_m`: (n, 27, 3) camera axes, origin at the mid-hip. `rays`: (n, 27, 2) picture
    positions as x/z and y/z. `weights`: (n, 27) 0 to 1.
    """

    points_m: FloatArray
    rays: FloatArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def gather(cls, observations: Sequence[Observation], camera: Camera) -> Self:
        """Raises `ValueError` where an observation has not 33 landmarks, or one is not finite."""
        chosen = list(TARGETS)
        points_m = _stack("landmarks_m", [seen.landmarks_m for seen in observations], (3,))
        points_px = _stack("landmarks_px", [seen.landmarks_px for seen in observations], (2,))
        name = "landmark_confidence"
        confidence = _stack(name, [seen.landmark_confidence for seen in observations], ())
        weights = np.clip(confidence, _LEAST_CONFIDENCE, 1.0)[:, chosen]
        weights *= [_trust(name) for name in TARGET_NAMES]
        rays = (points_px[:, chosen] - camera.centre_px) / camera.focal_px
        return cls(points_m[:, chosen], rays, weights)


def _stack(name: str, arrays: list[FloatArray], tail: tuple[int, ...]) -> FloatArray:
    """(n, 33, *tail) float64 of the observations' arrays."""
    wanted = (len(BLAZEPOSE33), *tail)
    for array in arrays:
        expect_shape(name, array, wanted)
    stacked = np.array(arrays, np.float64).reshape(len(arrays), *wanted)
    broken = ~np.isfinite(stacked).reshape(len(arrays), len(BLAZEPOSE33), -1).all(axis=-1)
    if broken.any():
        place, landmark = np.argwhere(broken)[0]
        raise ValueError(
            f"{name}: expected finite numbers, got {stacked[place, landmark]} for"
            f" {BLAZEPOSE33.joints[landmark]} of observation {place};"
            " leave out observations whose landmarks are unknown"
        )
    return stacked
