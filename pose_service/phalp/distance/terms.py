"""The terms of PHALP's cost but for the look: n tracks' predictions against m detections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.phalp.records import (
    DEPTH,
    LOCATION_NUMBERS,
    POINT,
    POSE_NUMBERS,
    SPREAD,
    Compat,
)

# rotations and betas, not the place
_SHAPE = slice(0, 226)


@dataclass(frozen=True)
class Features:
    """n people as rows: `locations` (n, 99) and `poses` (n, 229), see `records`."""

    locations: FloatArray
    poses: FloatArray

    def __post_init__(self) -> None:
        expect_shape("locations", self.locations, ("n", LOCATION_NUMBERS))
        expect_shape("poses", self.poses, (len(self.locations), POSE_NUMBERS))

    @classmethod
    def of(cls, people: Sequence[tuple[FloatArray, FloatArray]]) -> "Features":
        """Of each one's location (99,) and pose (229,)."""
        locations = [location for location, _ in people]
        poses = [pose for _, pose in people]
        return cls(
            np.reshape(locations, (len(people), LOCATION_NUMBERS)),
            np.reshape(poses, (len(people), POSE_NUMBERS)),
        )


@dataclass(frozen=True)
class Terms:
    """`pose` (n, m): squared distance, uncapped. `apart` (n, m): in the picture, squares.

    `nearness` (n, m): |ln of the depths' ratio|. `spread` (n, 1) and `nearness_spread` (n, 1): of
    the tracks' predictions.
    """

    pose: FloatArray
    apart: FloatArray
    nearness: FloatArray
    spread: FloatArray
    nearness_spread: FloatArray


def terms(tracks: Features, detections: Features, compat: Compat = "fixed") -> Terms:
    """All terms; NaN where a prediction is undefined."""
    squared = _expanded if compat == "upstream" else _direct
    x_spread, y_spread, factor = tracks.locations[:, SPREAD].astype(np.float64).T[..., None]
    with np.errstate(all="ignore"):
        depths = [each.locations[:, DEPTH].astype(np.float64) for each in (tracks, detections)]
        return Terms(
            pose=squared(tracks.poses[:, _SHAPE], detections.poses[:, _SHAPE]),
            apart=np.sqrt(squared(tracks.locations[:, POINT], detections.locations[:, POINT])),
            nearness=np.abs(np.log(depths[0][:, None] / depths[1])),
            spread=np.hypot(x_spread, y_spread),
            nearness_spread=np.abs(np.log(1 / factor)),
        )


def _direct(rows: FloatArray, others: FloatArray) -> FloatArray:
    """(n, m) squared distances of rows (n, k) from others (m, k)."""
    apart = rows[:, None].astype(np.float64) - others
    return np.asarray(np.einsum("nmk,nmk->nm", apart, apart))


def _expanded(rows: FloatArray, others: FloatArray) -> FloatArray:
    """The same as a² + b² - 2ab in float32, which is off by up to 1e-4 (upstream)."""
    rows, others = rows.astype(np.float32), others.astype(np.float32)
    lengths = [np.square(each).sum(axis=1) for each in (rows, others)]
    squared = -2 * (rows @ others.T) + lengths[0][:, None] + lengths[1]
    return np.asarray(np.maximum(squared, 0), np.float64)
