"""Repetitions of a movement, found by the autocorrelation of one of its curves."""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.curves import drift
from pose_service.core.arrays import FloatArray, IntArray, expect_shape

SHORTEST_PERIOD_S = 0.25
LEAST_FRAMES = 8
LEAST_STRENGTH = 0.3
"""Autocorrelation at the period from which a movement counts as repeated."""

_AS_STRONG = 0.85
"""The shortest period that is nearly as strong as the strongest is taken, not twice its length."""

_LEAST_OVERLAP = 1 / 3
"""A lag is believed when so many frames, by all, are known both at its start and at its end."""

_APART = 0.6
"""Two repetitions are at least so many periods apart."""

_DEPTH = 0.3
"""A repetition's low lies this share of the way from the middle of the 5th and 95th percentile to
the 5th, or lower.
"""

_NEAR = 0.75
"""A value at an even time is known where one was measured within so many steps."""

_MOST_STEPS = 1 << 18
"""A longer clip, or one with a break of hours in its times, is read at longer steps."""


@dataclass(frozen=True)
class Repetitions:
    """`times_s`, `depths`: (count,) when and how low the curve was lowest in each repetition.

    `strength`: autocorrelation at the period, up to 1.
    """

    period_s: float
    strength: float
    times_s: FloatArray
    depths: FloatArray

    def __len__(self) -> int:
        return len(self.times_s)


def repetitions(times_s: FloatArray, values: FloatArray) -> Repetitions | None:
    """Repetitions in a curve (n,), each with one lowest value (a knee's inner angle in a squat).

    Give the negative curve where the highest value marks a repetition. NaN where not known; None
    where nothing repeats, or the clip is shorter than one and a half periods.
    """
    expect_shape("values", values, (len(times_s),))
    trend = drift(times_s, values)
    if trend is None or np.isfinite(values).sum() < LEAST_FRAMES:
        return None
    level = values - trend.per_minute / 60 * (times_s - times_s[0])
    span_s = float(times_s[-1] - times_s[0])
    step_s = max(float(np.median(np.diff(times_s))), span_s / _MOST_STEPS)
    correlation = autocorrelation(_at_even_times(times_s, level, step_s))
    shortest = max(2, round(SHORTEST_PERIOD_S / step_s))
    lag = _period(correlation, shortest)
    if lag is None:
        return None
    lowest = _lowest(level, times_s, _APART * lag * step_s)
    return Repetitions(
        lag * step_s, float(correlation[round(lag)]), times_s[lowest], values[lowest]
    )


def autocorrelation(values: FloatArray) -> FloatArray:
    """(n,) of an evenly sampled curve at lags 0 to n - 1; 1 at lag 0.

    Products of values less their mean, over the frames that are known at both ends of the lag, by
    the root of the energies of both ends. NaN where too few are. Via FFT: n log n, no n x n.
    """
    known = np.isfinite(values)
    flat = np.where(known, values - np.mean(values[known]), 0.0)
    there = known.astype(np.float64)
    products = _correlate(flat, flat)
    pairs = np.rint(_correlate(there, there))
    early, late = _correlate(there, flat**2), _correlate(flat**2, there)
    energy = np.sqrt(np.maximum(early * late, 0.0))
    believed = (pairs >= _LEAST_OVERLAP * known.sum()) & (energy > 1e-9 * max(energy[0], 1e-12))
    result: FloatArray = np.where(believed, products / np.where(believed, energy, 1.0), np.nan)
    return result


def _correlate(first: FloatArray, second: FloatArray) -> FloatArray:
    """(n,) sum of first[i] second[i + lag] for lags from 0."""
    size = 1 << (2 * len(first) - 1).bit_length()
    spectrum = np.conj(np.fft.rfft(first, size)) * np.fft.rfft(second, size)
    correlation: FloatArray = np.fft.irfft(spectrum, size)[: len(first)]
    return correlation


def _at_even_times(times_s: FloatArray, values: FloatArray, step_s: float) -> FloatArray:
    """From the first to the last known value; NaN where no known value is near."""
    times, heights = times_s[np.isfinite(values)], values[np.isfinite(values)]
    even_s = np.arange(times[0], times[-1] + step_s / 2, step_s)
    after = np.searchsorted(times, even_s).clip(1, len(times) - 1)
    far_s = np.minimum(np.abs(times[after] - even_s), np.abs(times[after - 1] - even_s))
    return np.where(far_s <= _NEAR * step_s, np.interp(even_s, times, heights), np.nan)


def _period(correlation: FloatArray, shortest: int) -> float | None:
    """The lag of the period in steps, between steps by a parabola through three points."""
    middle = correlation[1:-1]
    with_peak = (
        (middle >= correlation[:-2]) & (middle > correlation[2:]) & (middle > LEAST_STRENGTH)
    )
    peaks = 1 + np.flatnonzero(with_peak)
    peaks = peaks[peaks >= shortest]
    if not len(peaks):
        return None
    lag = peaks[correlation[peaks] >= _AS_STRONG * correlation[peaks].max()][0]
    before, at, after = correlation[lag - 1 : lag + 2]
    return float(lag + 0.5 * (before - after) / (before - 2 * at + after))


def _lowest(values: FloatArray, times_s: FloatArray, apart_s: float) -> IntArray:
    """Places of the lows, the deepest first chosen, each `apart_s` from all others.

    A low has a known neighbour on both sides: at an end of the clip or of a gap it was not seen.
    """
    low, high = np.nanpercentile(values, [5, 95])
    inner = values[1:-1]
    is_low = (inner <= values[:-2]) & (inner <= values[2:])
    lows = 1 + np.flatnonzero(is_low & (inner < (low + high) / 2 - _DEPTH * (high - low) / 2))
    chosen: list[int] = []
    for place in lows[np.argsort(values[lows], kind="stable")]:
        if np.all(np.abs(times_s[place] - times_s[chosen]) >= apart_s):
            chosen.append(int(place))
    return np.array(sorted(chosen), dtype=np.int64)
