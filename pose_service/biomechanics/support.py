"""The base of support under the feet, and where the moving centre of mass stands over it.

Lengths are in trunk lengths, so that a scale changes nothing. The extrapolated centre of mass is
that of Hof, Gazendam & Sinke, "The condition for dynamic stability", J. Biomechanics 38, 2005.
"""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import rates
from pose_service.biomechanics.joints import JointSeries
from pose_service.core.arrays import FloatArray

FOOT_LIFT = 0.2
"""A foot this much higher than the other bears nothing, trunk lengths (about a hand's breadth)."""

FOOT_REACH = 0.25
"""How far a foot bears beyond its joints, trunk lengths: about half a foot's length."""

PENDULUM_RATE_PER_S = 3.2
"""Rate of the body as an inverted pendulum, sqrt(g / l) with l = 0.96 m."""

_FOOT_POINTS = ("ankle", "heel", "foot", "foot_index", "big_toe", "small_toe")


@dataclass(frozen=True)
class Support:
    """All (n,); NaN where a foot, the trunk or the centre of mass is not known.

    `feet`: 1 or 2 that bear. `stance_width`: horizontal distance of the ankles; `base_width`: the
    widest way across the base; both in trunk lengths. `offset`: where the extrapolated centre of
    mass stands, 0 at the base's middle, 1 on its edge, beyond that outside.
    """

    feet: FloatArray
    stance_width: FloatArray
    base_width: FloatArray
    offset: FloatArray


def support(series: JointSeries, centre_of_mass: FloatArray) -> Support:
    """The base of support. `centre_of_mass`: (n, axes), in the units of `series.points`."""
    trunk = series.trunk_length()
    feet = _feet(series)
    bearing = _bearing(feet @ -series.down, trunk)
    on_ground = _level(feet, series.down)
    known = np.isfinite(trunk) & np.isfinite(feet).all(axis=(1, 2, 3))
    moving = centre_of_mass + rates(centre_of_mass, series.times_s) / PENDULUM_RATE_PER_S
    ankles = on_ground[:, :, 0]
    stance = np.linalg.norm(ankles[:, 0] - ankles[:, 1], axis=-1) / trunk
    return Support(
        np.where(known, bearing.sum(axis=1), np.nan),
        stance,
        np.where(known, _widest(on_ground, bearing) / trunk + 2 * FOOT_REACH, np.nan),
        np.where(known, _offset(_level(moving, series.down), on_ground, bearing, trunk), np.nan),
    )


def _feet(series: JointSeries) -> FloatArray:
    """(n, left and right, points of a foot, axes); the ankle is the first point."""
    of_set = [part for part in _FOOT_POINTS if f"left_{part}" in series.skeleton.joints]
    sides = [series.named(*(f"{side}_{part}" for part in of_set)) for side in ("left", "right")]
    return np.stack(sides, axis=1)


def _bearing(heights: FloatArray, trunk: FloatArray) -> FloatArray:
    """(n, 2) 1 for a foot that bears, else 0. `heights`: (n, 2, points of a foot)."""
    lowest = heights.min(axis=2)
    lifted = lowest - lowest.min(axis=1, keepdims=True) > FOOT_LIFT * trunk[:, None]
    return np.where(lifted, 0.0, 1.0)


def _level(points: FloatArray, down: FloatArray) -> FloatArray:
    """(..., axes) without their height."""
    return points - (points @ down)[..., None] * down


def _widest(feet: FloatArray, bearing: FloatArray) -> FloatArray:
    """(n,) greatest distance of two points of feet that bear."""
    count, sides, parts, axes = feet.shape
    points = feet.reshape(count, sides * parts, axes)
    bears = np.repeat(bearing, parts, axis=1)
    distances = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    widest: FloatArray = (distances * bears[:, :, None] * bears[:, None]).max(axis=(1, 2))
    return widest


def _offset(
    moving: FloatArray, feet: FloatArray, bearing: FloatArray, trunk: FloatArray
) -> FloatArray:
    """(n,) distance from the base's middle by the base's reach in this direction."""
    middles = feet.mean(axis=2)
    centre = (middles * bearing[..., None]).sum(axis=1) / bearing.sum(axis=1)[:, None]
    aside = moving - centre
    distance = np.linalg.norm(aside, axis=-1)
    direction = aside / np.where(distance > 0, distance, 1.0)[:, None]
    along = np.einsum("nspd,nd->nsp", feet - centre[:, None, None], direction)
    reach = (along.max(axis=2) * bearing).max(axis=1)
    offset: FloatArray = distance / (reach + FOOT_REACH * trunk)
    return offset
