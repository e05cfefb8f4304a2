"""What can be measured of moving bodies without knowing the truth. Pure functions of arrays."""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

# A foot stands while it is the lower one and goes up or down by no more than this.
STANDING_M_S = 0.25


def acceleration_m_s2(points_m: FloatArray, times_s: FloatArray) -> FloatArray:
    """(n - 2, points) lengths of the accelerations, by second differences at uneven times.

    `points_m`: (n, points, 3), at `times_s` (n,), increasing. What is not finite stays so.

    >>> times_s = np.array([0.0, 0.1, 0.3])
    >>> acceleration_m_s2((4 * times_s**2)[:, None, None] * [1, 0, 0], times_s).round(6).tolist()
    [[8.0]]
    """
    expect_shape("points_m", points_m, (len(times_s), "points", 3))
    if len(times_s) < 3:
        return np.zeros((0, points_m.shape[1]))
    steps_s = np.diff(times_s)[:, None, None]
    speeds = np.diff(points_m, axis=0) / steps_s
    changes = np.diff(speeds, axis=0) / (0.5 * (steps_s[1:] + steps_s[:-1]))
    lengths: FloatArray = np.linalg.norm(changes, axis=-1)
    return lengths


def sliding_m_s(feet_m: FloatArray, times_s: FloatArray) -> FloatArray:
    """(n - 1, 2) how fast each foot goes over the ground while it stands, NaN while it does not.

    `feet_m`: (n, 2, 3), camera axes, translation added. A foot stands from one frame to the next
    if it is the lower of both in each and goes up or down by at most `STANDING_M_S`. Down is taken
    for the camera's own y, and a camera that moves counts as sliding: neither is known better.
    """
    expect_shape("feet_m", feet_m, (len(times_s), 2, 3))
    speeds = np.diff(feet_m, axis=0) / np.diff(times_s)[:, None, None]
    lower = feet_m[..., 1] >= feet_m[:, ::-1, 1]
    stands = lower[1:] & lower[:-1] & (np.abs(speeds[..., 1]) <= STANDING_M_S)
    return np.where(stands, np.hypot(speeds[..., 0], speeds[..., 2]), np.nan)


def apart_px(points_px: FloatArray, seen_px: FloatArray, confidence: FloatArray) -> float:
    """Mean distance of points (k, 2) from where they were seen, each by its confidence (k,)."""
    distances = np.linalg.norm(points_px - seen_px, axis=-1)
    return float(np.average(distances, weights=np.maximum(confidence, 1e-6)))


def shape_difference_mm(joints_m: FloatArray, own_joints_m: FloatArray) -> FloatArray:
    """(n,) mean distance of joints (n, joints, 3) of two bodies, their first joints together."""
    apart_m = (own_joints_m - own_joints_m[:, :1]) - (joints_m - joints_m[:, :1])
    differences: FloatArray = 1000 * np.linalg.norm(apart_m, axis=-1).mean(axis=-1)
    return differences
