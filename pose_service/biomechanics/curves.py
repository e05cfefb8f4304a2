"""What a curve of an angle was over a clip: its range, its peaks, left against right, its drift."""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.joints import optional
from pose_service.core.arrays import FloatArray, expect_shape


@dataclass(frozen=True)
class Extremes:
    """Least and greatest value of a curve, and when; the first time where there are several."""

    least: float
    least_time_s: float
    greatest: float
    greatest_time_s: float

    @property
    def range(self) -> float:
        """Greatest less least: of an angle, the range of motion."""
        return self.greatest - self.least


def extremes(times_s: FloatArray, values: FloatArray) -> Extremes | None:
    """Of the known values of (n,) `values`; None where none is known."""
    expect_shape("values", values, (len(times_s),))
    if not np.isfinite(values).any():
        return None
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    return Extremes(
        float(values[low]), float(times_s[low]), float(values[high]), float(times_s[high])
    )


@dataclass(frozen=True)
class Asymmetry:
    """Left less right of one joint over a clip.

    `difference`: (n,) curve, NaN where a side is not known. `mean`: with its sign, so that what
    alternates (walking) cancels; `mean_absolute`: without. `greatest`, `greatest_time_s`: the
    difference largest in size. `range_index_pct`: of the ranges of motion R, 100 (R left - R right)
    / ((R left + R right) / 2), the symmetry index of Robinson, Herzog & Nigg (1987); None where
    neither side moved.
    """

    difference: FloatArray
    mean: float
    mean_absolute: float
    greatest: float
    greatest_time_s: float
    range_index_pct: float | None


def asymmetry(times_s: FloatArray, left: FloatArray, right: FloatArray) -> Asymmetry | None:
    """Of two curves (n,); None where they are never known together."""
    difference = left - right
    both = np.isfinite(difference)
    left_range = extremes(times_s, np.where(both, left, np.nan))
    right_range = extremes(times_s, np.where(both, right, np.nan))
    if left_range is None or right_range is None:
        return None
    worst = int(np.nanargmax(np.abs(difference)))
    moved = (left_range.range + right_range.range) / 2
    return Asymmetry(
        difference=difference,
        mean=float(difference[both].mean()),
        mean_absolute=float(np.abs(difference[both]).mean()),
        greatest=float(difference[worst]),
        greatest_time_s=float(times_s[worst]),
        range_index_pct=100 * (left_range.range - right_range.range) / moved if moved else None,
    )


@dataclass(frozen=True)
class Drift:
    """A straight line through values over a session, by least squares.

    `at_start`, `at_end`: the line at the first and last known value. `r_squared`: share of the
    values' variance that the line explains, 0 to 1; None where the values do not vary.
    """

    per_minute: float
    at_start: float
    at_end: float
    r_squared: float | None


def drift(times_s: FloatArray, values: FloatArray) -> Drift | None:
    """Of (n,) values at increasing times; None with fewer than three known values.

    For repeated movements give one value per repetition (`Repetitions.depths` at
    `Repetitions.times_s`): within one repetition the movement itself is the largest trend.
    """
    expect_shape("values", values, (len(times_s),))
    known = np.isfinite(values)
    if known.sum() < 3:
        return None
    times, heights = times_s[known], values[known]
    from_middle = times - times.mean()
    slope = float(from_middle @ heights / (from_middle @ from_middle))
    line = heights.mean() + slope * from_middle
    spread = float(((heights - heights.mean()) ** 2).sum())
    left_over = float(((heights - line) ** 2).sum())
    # a constant's spread is what rounding leaves of it
    varies = spread > len(heights) * (np.finfo(float).eps * np.abs(heights).max()) ** 2
    explained = 1 - left_over / spread if varies else np.nan
    return Drift(60 * slope, float(line[0]), float(line[-1]), optional(explained))
