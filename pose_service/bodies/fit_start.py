"""A first guess at each body: its size, the turn of its trunk, its limbs' directions, its place."""

from dataclasses import dataclass

import numpy as np

from pose_service.bodies.fit_evidence import TARGET_NAMES, Evidence
from pose_service.bodies.segments import FREE_JOINTS, Segments, place
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.geometry import rotation_from_vector

SCALE_RANGE = (0.3, 1.6)
DEPTH_RANGE_M = (0.2, 1000.0)
"""Nearest and farthest root of a body; a body that nobody can measure stays inside."""
_HIDDEN = 0.003  # weight of a limb's end below which the limb starts at rest
_TINY = 1e-9


def _at(*names: str) -> list[int]:
    return [TARGET_NAMES.index(name) for name in names]


_TRUNK = _at("left_shoulder", "right_shoulder", "left_hip", "right_hip")
# Joint to turn, and the targets between which the part below it runs; parents come first.
_LIMBS = tuple(
    (FREE_JOINTS.index(f"{joint}.{side[0].upper()}"), _at(f"{side}_{start}", f"{side}_{end}"))
    for joint, start, end in (
        ("upperarm01", "shoulder", "elbow"),
        ("lowerarm01", "elbow", "wrist"),
        ("upperleg01", "hip", "knee"),
        ("lowerleg01", "knee", "ankle"),
        ("foot", "heel", "foot_index"),
    )
    for side in ("left", "right")
)
# The twelve lengths that tell a body's size: limbs without feet, the trunk's four sides.
_LENGTHS: IntArray = np.array(
    [ends for _, ends in _LIMBS[:8]]
    + [_at("left_shoulder", "left_hip"), _at("right_shoulder", "right_hip")]
    + [_at("left_shoulder", "right_shoulder"), _at("left_hip", "right_hip")]
)


@dataclass(frozen=True)
class BodyState:
    """n bodies: `rotations` (n, 20, 3, 3), `translations_m` (n, 3), `scales` (n,)."""

    rotations: FloatArray
    translations_m: FloatArray
    scales: FloatArray


def first_guess(
    segments: Segments, levers: FloatArray, seen: Evidence, scales: FloatArray | None = None
) -> BodyState:
    """A body for each of `seen`; `scales` (n,) are kept where given, else measured.

    `levers`: (27, 20, 3) of the targets.
    """
    if scales is None:
        ratios = _lengths(seen.points_m) / _lengths(_rest_points(levers))
        scales = np.clip(np.median(ratios, axis=1), *SCALE_RANGE)
    rotations = start_rotations(segments, levers, seen)
    points_m = scales[:, None, None] * place(levers, segments.turns(rotations))
    return BodyState(rotations, start_translations(points_m, seen), scales)


def start_rotations(segments: Segments, levers: FloatArray, seen: Evidence) -> FloatArray:
    """(n, 20, 3, 3): trunk, limbs and feet along the seen directions, other joints at rest."""
    rest = _rest_points(levers)
    rotations = np.tile(np.eye(3), (len(seen), len(FREE_JOINTS), 1, 1))
    rotations[:, 0] = _kabsch(rest[_TRUNK], seen.points_m[:, _TRUNK], seen.weights[:, _TRUNK])
    for joint, (start, end) in _LIMBS:
        above = segments.turns(rotations)[:, segments.parents[joint]]
        wanted = seen.points_m[:, end] - seen.points_m[:, start]
        wanted = (wanted[:, None] @ above)[:, 0]  # camera axes to the parent's
        hidden = seen.weights[:, [start, end]].min(axis=1) < _HIDDEN
        wanted[hidden] = rest[end] - rest[start]
        rotations[:, joint] = swing(rest[end] - rest[start], wanted)
    return rotations


def start_translations(points_m: FloatArray, seen: Evidence) -> FloatArray:
    """(n, 3) root positions that bring `points_m` (n, 27, 3), root at 0, on to the seen rays.

    On its ray a point has ray * z - x = t_x - ray * t_z, and the same with y: with the means
    taken out, t_z is the ratio of two spreads. Unlike a linear solution it cannot turn negative
    on bad evidence.
    """
    off = seen.rays * points_m[..., 2:] - points_m[..., :2]
    off_mean, off_spread = _mean_and_spread(off, seen.weights)
    ray_mean, ray_spread = _mean_and_spread(seen.rays, seen.weights)
    depth = np.clip(off_spread / np.maximum(ray_spread, _TINY), *DEPTH_RANGE_M)
    translations_m: FloatArray = np.column_stack([off_mean + depth[:, None] * ray_mean, depth])
    return translations_m


def _mean_and_spread(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted mean (n, 2) and distance from it (n,) of `values` (n, k, 2)."""
    shares = (weights / weights.sum(axis=1, keepdims=True))[..., None]
    mean = np.sum(shares * values, axis=1)
    spread = np.sqrt(np.sum(shares * (values - mean[:, None]) ** 2, axis=(1, 2)))
    return mean, spread


def _rest_points(levers: FloatArray) -> FloatArray:
    """(27, 3) targets of the body at rest, scale 1."""
    points_m: FloatArray = levers.sum(axis=1)
    return points_m


def _lengths(points_m: FloatArray) -> FloatArray:
    ends = points_m[..., _LENGTHS, :]
    lengths: FloatArray = np.linalg.norm(ends[..., 1, :] - ends[..., 0, :], axis=-1)
    return lengths


def _kabsch(rest: FloatArray, seen: FloatArray, weights: FloatArray) -> FloatArray:
    """(n, 3, 3) proper rotations that best turn `rest` (k, 3) on to `seen` (n, k, 3)."""
    share = weights[..., None] / weights.sum(axis=1)[:, None, None]
    rest_off = rest - np.sum(share * rest, axis=1, keepdims=True)
    seen_off = seen - np.sum(share * seen, axis=1, keepdims=True)
    u, _, v_t = np.linalg.svd((share * seen_off).swapaxes(1, 2) @ rest_off)
    u[:, :, 2] *= np.linalg.det(u @ v_t)[:, None]
    turned: FloatArray = u @ v_t
    return turned


def swing(rest: FloatArray, wanted: FloatArray) -> FloatArray:
    """(n, 3, 3) shortest rotations of direction `rest` (3,) to `wanted` (n, 3).

    No rotation where there is no shortest one: no length, or directly opposed.
    """
    cross = np.cross(rest, wanted)
    sine = np.linalg.norm(cross, axis=1, keepdims=True)
    angle = np.arctan2(sine, (wanted @ rest)[:, None])
    shortest: FloatArray = rotation_from_vector(cross * angle / np.maximum(sine, _TINY))
    return shortest
