"""Two clips of the same movement: put in step, and where they differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.warping import warp
from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError


@dataclass(frozen=True)
class Comparison:
    """The first clip, and at each of its frames the second clip in step with it.

    `angles`: k names. `times_s`, `other_times_s`: (n,) frames of the first clip in which all the
    angles are known, and the mean time of the second clip's frames that belong to them.
    `differences_deg`: (n, k) first less second. `distance_deg`: mean absolute difference along the
    way. `band_s`: how far the second could run ahead or behind an even pace.
    """

    angles: tuple[str, ...]
    times_s: FloatArray
    other_times_s: FloatArray
    differences_deg: FloatArray
    distance_deg: float
    band_s: float


def compare(
    first: Movement,
    second: Movement,
    angles: Sequence[str] = ANGLES,
    *,
    band_share: float = 0.1,
) -> Comparison:
    """Dynamic time warping on `angles`. Frames in which one of them is not known take no part.

    `BadRequestError` where a clip has no frame with all of them.
    """
    times_s, curves = _known(first, angles, "the first clip")
    other_times_s, other_curves = _known(second, angles, "the second clip")
    found = warp(curves, other_curves, band_share)
    place, other = found.path.T
    shares = np.bincount(place)
    in_step = [np.bincount(place, other_curves[other, k]) / shares for k in range(len(angles))]
    return Comparison(
        angles=tuple(angles),
        times_s=times_s,
        other_times_s=np.bincount(place, other_times_s[other]) / shares,
        differences_deg=curves - np.stack(in_step, axis=1),
        distance_deg=found.cost / len(found.path),
        band_s=found.band * _step_s(other_times_s),
    )


def _known(movement: Movement, angles: Sequence[str], whose: str) -> tuple[FloatArray, FloatArray]:
    """Times (n,) and angles (n, k) of the frames in which all are known."""
    if not angles or set(angles) - set(ANGLES):
        raise BadRequestError(
            f"angles: expected some of {', '.join(ANGLES)}, got {', '.join(angles) or 'none'}"
        )
    curves = np.stack([movement.angle_deg(name) for name in angles], axis=1)
    known = np.isfinite(curves).all(axis=1)
    if not known.any():
        raise BadRequestError(
            f"{whose} has no frame in which all of {', '.join(angles)} are known",
            hint="Compare fewer angles, or clips in which these limbs are seen.",
        )
    return movement.times_s[known], curves[known]


def _step_s(times_s: FloatArray) -> float:
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
