"""Smoothing joints that were not seen in every frame, at times that are not always even."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pose_service.biomechanics.filters import Filter
from pose_service.biomechanics.joints import JointSeries
from pose_service.core.arrays import FloatArray, expect_shape

LONGEST_GAP_S = 0.1
"""A curve is filtered across gaps up to this length; at longer ones it is cut."""

_EVEN = 0.02
"""Steps that differ by no more than this share count as even."""

_ROUNDING = 1 + 1e-9
"""Times are sums of steps: a gap of exactly the limit is within it."""

BoolArray = NDArray[np.bool_]


def smoothed(
    series: JointSeries, by: Filter, *, longest_gap_s: float = LONGEST_GAP_S
) -> JointSeries:
    """`series` with filtered places. What was not seen stays so: bridges serve the filter only."""
    curves = series.points.reshape(len(series), len(series.skeleton) * series.axes)
    filtered = smooth_curves(curves, series.times_s, by, longest_gap_s=longest_gap_s)
    return series.with_points(filtered.reshape(series.points.shape))


def smooth_curves(
    values: FloatArray,
    times_s: FloatArray,
    by: Filter,
    *,
    longest_gap_s: float = LONGEST_GAP_S,
) -> FloatArray:
    """(n, curves) with NaN where not known, at `times_s` (n,), filtered; NaN where it was NaN.

    Frames are taken for even at their median step where all steps agree within 2 %; else the
    curve is read at even times in between (linearly), and back.
    """
    expect_shape("values", values, (len(times_s), "curves"))
    if len(times_s) < 3:
        return values.copy()
    step_s = float(np.median(np.diff(times_s)))
    longest_step_s = (longest_gap_s + step_s) * _ROUNDING
    bridged = _bridged(values, times_s, longest_step_s)
    result = np.full(values.shape, np.nan)
    patterns, which = np.unique(np.isfinite(bridged), axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(which == number)
        for stretch in _stretches(pattern, np.diff(times_s) > longest_step_s):
            part = bridged[stretch][:, columns]
            result[stretch, columns] = _filtered(part, times_s[stretch], by)
    return np.where(np.isfinite(values), result, np.nan)


def _bridged(values: FloatArray, times_s: FloatArray, longest_step_s: float) -> FloatArray:
    """With straight lines across gaps whose sides are at most `longest_step_s` apart."""
    result = values.copy()
    for column in np.flatnonzero(np.isnan(values).any(axis=0)):
        known = np.flatnonzero(np.isfinite(values[:, column]))
        for place in np.flatnonzero(np.diff(known) > 1):
            before, after = known[place : place + 2]
            if times_s[after] - times_s[before] <= longest_step_s:
                gap, sides = slice(before + 1, after), [before, after]
                result[gap, column] = np.interp(times_s[gap], times_s[sides], values[sides, column])
    return result


def _stretches(known: BoolArray, jumps: BoolArray) -> Iterator[slice]:
    """Runs of frames in which `known` (n,) is true, cut where `jumps` (n - 1,) parts two frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    for first, end in edges.reshape(-1, 2):
        cuts = first + 1 + np.flatnonzero(jumps[first : end - 1])
        yield from map(slice, (first, *cuts), (*cuts, end))


def _filtered(values: FloatArray, times_s: FloatArray, by: Filter) -> FloatArray:
    """(n, curves) without NaN."""
    if len(values) < 3:
        return values.copy()
    steps_s = np.diff(times_s)
    step_s = float(np.median(steps_s))
    if np.all(np.abs(steps_s - step_s) <= _EVEN * step_s):
        return by(values, 1 / step_s)
    even_s = np.linspace(times_s[0], times_s[-1], round((times_s[-1] - times_s[0]) / step_s) + 1)
    filtered = by(_read_at(even_s, times_s, values), (len(even_s) - 1) / (even_s[-1] - even_s[0]))
    return _read_at(times_s, even_s, filtered)


def _read_at(wanted_s: FloatArray, times_s: FloatArray, values: FloatArray) -> FloatArray:
    return np.stack([np.interp(wanted_s, times_s, curve) for curve in values.T], axis=1)
