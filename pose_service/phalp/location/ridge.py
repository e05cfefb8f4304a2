"""A straight line through a short history, held back by a ridge, and how far it may be off."""

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.records import HISTORY

# 0.975 quantile of Student's t for the 5 degrees of freedom that a line through 7 points leaves
_QUANTILE = 2.570581835636314


def extrapolated(
    times: IntArray, values: FloatArray, targets: IntArray, strength: float
) -> tuple[FloatArray, FloatArray]:
    """Values (n,) at the times `targets` (n,) and half-widths (n,) of their 95 % intervals.

    `times`, `values`: (n, 7), a row for each of n lines. `strength` of the ridge pulls the slope
    to zero. A row whose times are all equal has no interval: its half-width is not finite.
    The closed form of scikit-learn's Ridge as phalp/utils/utils_tracks.py uses it.
    """
    expect_shape("times", times, ("n", HISTORY))
    expect_shape("values", values, times.shape)
    expect_shape("targets", targets, (len(times),))
    mean_time, mean_value = times.mean(axis=1), values.mean(axis=1)
    since = times - mean_time[:, None]
    apart = values - mean_value[:, None]
    squares = (since**2).sum(axis=1)
    slopes = (since * apart).sum(axis=1) / (squares + strength)
    ahead = targets - mean_time
    left = ((apart - slopes[:, None] * since) ** 2).sum(axis=1) / (HISTORY - 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        half_widths = _QUANTILE * np.sqrt(left) * np.sqrt(1 + 1 / HISTORY + ahead**2 / squares)
    return mean_value + slopes * ahead, half_widths
