"""Four scores whose formulas can be read. They are the service's own definitions, not validated
scales: they compare frames and clips of one camera set-up, not people with norms.
"""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import ANGLES, LEFT, RIGHT
from pose_service.biomechanics.joints import LIMB_JOINTS, JointSeries
from pose_service.core.arrays import FloatArray

FULL_ASYMMETRY_DEG = 90.0
"""So large a mean difference between left and right is a symmetry of 0."""

LEAST_PAIRS = 2
"""Symmetry is not known from fewer left-right pairs."""

# The athletic ("ready") position: 0 at the outer figures, 1 between the inner ones, a line between.
READY_KNEE_FLEXION_DEG = (0.0, 25.0, 70.0, 120.0)
READY_HIP_FLEXION_DEG = (0.0, 20.0, 80.0, 130.0)
READY_TRUNK_LEAN_DEG = (0.0, 10.0, 45.0, 80.0)


@dataclass(frozen=True)
class Scores:
    """All (n,), NaN where not known. `pose_quality`, `stability_score`, `athletic_readiness`: 0 to
    100. `symmetry_index`: 0 to 1, 1 where left and right are alike.
    """

    pose_quality: FloatArray
    stability_score: FloatArray
    symmetry_index: FloatArray
    athletic_readiness: FloatArray


def pose_quality(series: JointSeries) -> FloatArray:
    """(n,) mean confidence of the twelve limb joints, those not seen counting 0, per cent."""
    places = [series.skeleton.index(joint) for joint in LIMB_JOINTS]
    quality: FloatArray = 100 * series.confidence[:, places].mean(axis=1)
    return quality


def stability_score(offset: FloatArray) -> FloatArray:
    """(n,) 100 over the base's middle, 0 on its edge and outside. `offset`: see `Support`."""
    return 100 * np.clip(1 - offset, 0.0, 1.0)


def symmetry_index(angles_deg: FloatArray) -> FloatArray:
    """(n,) from the mean difference of left and right angles. `angles_deg`: (n, 8), as `ANGLES`."""
    difference = np.abs(angles_deg[:, LEFT] - angles_deg[:, RIGHT])
    known = np.isfinite(difference)
    pairs = known.sum(axis=1)
    mean = np.where(known, difference, 0.0).sum(axis=1) / np.maximum(pairs, 1)
    return np.where(pairs >= LEAST_PAIRS, np.clip(1 - mean / FULL_ASYMMETRY_DEG, 0, 1), np.nan)


def athletic_readiness(
    angles_deg: FloatArray, spine_angle_deg: FloatArray, stability: FloatArray
) -> FloatArray:
    """(n,) mean of four parts, per cent: knees bent, hips bent, trunk inclined, balance.

    `angles_deg`: (n, 8), as `ANGLES`; the others (n,). Flexion is 180 less the inner angle, the
    mean of left and right.
    """
    parts = (
        _plateau(_flexion_deg(angles_deg, "knee"), READY_KNEE_FLEXION_DEG),
        _plateau(_flexion_deg(angles_deg, "hip"), READY_HIP_FLEXION_DEG),
        _plateau(spine_angle_deg, READY_TRUNK_LEAN_DEG),
        stability / 100,
    )
    readiness: FloatArray = 100 * np.mean(parts, axis=0)
    return readiness


def _flexion_deg(angles_deg: FloatArray, joint: str) -> FloatArray:
    left, right = (angles_deg[:, ANGLES.index(f"{side}_{joint}")] for side in ("left", "right"))
    return 180 - (left + right) / 2


def _plateau(values: FloatArray, corners: tuple[float, float, float, float]) -> FloatArray:
    fits = np.interp(values, corners, (0.0, 1.0, 1.0, 0.0))
    return np.where(np.isfinite(values), fits, np.nan)
