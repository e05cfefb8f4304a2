"""Filters without lag for curves sampled in time. Each states the frequency at which it leaves
1/sqrt(2) of a sine's height (-3 dB). They want even curves without gaps: see `smoothing`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.temporal.filters import rts_smooth

_HALF_POWER = 1 / np.sqrt(2)
_TWO_PASSES = (np.sqrt(2) - 1) ** 0.25

# So small against the smoother's first guess of a speed that the guess is not felt.
_RTS_SD = 1e-3


class Filter(Protocol):
    """Takes quick movement away from curves."""

    def cutoff_at(self, fps: float) -> float | None:
        """The -3 dB frequency in Hz at this frame rate; None where the filter changes nothing."""
        ...

    def __call__(self, values: FloatArray, fps: float) -> FloatArray:
        """(n, curves) of evenly spaced values without NaN to the same, smoothed."""
        ...


@dataclass(frozen=True)
class Butterworth:
    """Second order, run forwards and backwards: fourth order without lag (Winter 2009).

    The tangent of the single pass's cut-off is that of `cutoff_hz` by 0.802, so that both passes
    together have `cutoff_hz`. At less than two frames per period the values are left as they are.
    """

    cutoff_hz: float = 6.0

    def cutoff_at(self, fps: float) -> float | None:
        return self.cutoff_hz if self.cutoff_hz < 0.5 * fps else None

    def __call__(self, values: FloatArray, fps: float) -> FloatArray:
        if self.cutoff_at(fps) is None or len(values) < 3:
            return values.copy()
        forward, backward = self._coefficients(fps)
        margin = min(9, len(values) - 1)
        # the curve goes on beyond its ends turned by half a turn, so that a slope is kept
        before = 2 * values[:1] - values[margin:0:-1]
        after = 2 * values[-1:] - values[-2 : -margin - 2 : -1]
        padded = np.concatenate([before, values, after])
        for _ in range(2):
            padded = _second_order(padded, forward, backward)[::-1]
        return padded[margin : margin + len(values)]

    def _coefficients(self, fps: float) -> tuple[FloatArray, FloatArray]:
        """(3,) of the input and (3,) of the output, by the bilinear transform."""
        warped = float(np.tan(np.pi * self.cutoff_hz / fps)) / _TWO_PASSES
        scale = 1 + np.sqrt(2) * warped + warped**2
        output = [1.0, 2 * (warped**2 - 1) / scale, (1 - np.sqrt(2) * warped + warped**2) / scale]
        return np.array([1.0, 2.0, 1.0]) * warped**2 / scale, np.array(output)


@dataclass(frozen=True)
class SavitzkyGolay:
    """The value at the middle of a polynomial fitted to a window (Savitzky & Golay 1964).

    The window is the odd number of frames nearest to `window_s`, at least `degree` + 2. The first
    and last half window take their values from the polynomial of the first and last whole window.
    """

    window_s: float = 0.3
    degree: int = 3

    def cutoff_at(self, fps: float) -> float | None:
        window = self._window(fps)
        middle = _fit(window, self.degree)[window // 2]
        offsets = np.arange(window) - window // 2
        frequencies = np.linspace(0, 0.5, 2001)
        response = np.cos(2 * np.pi * np.outer(frequencies, offsets)) @ middle
        below = np.flatnonzero(response < _HALF_POWER)
        return float(frequencies[below[0]] * fps) if len(below) else None

    def __call__(self, values: FloatArray, fps: float) -> FloatArray:
        count = len(values)
        window = min(self._window(fps), count - (count + 1) % 2)
        if window <= self.degree + 1:
            return values.copy()
        fit, half = _fit(window, self.degree), window // 2
        windows = np.lib.stride_tricks.sliding_window_view(values, window, axis=0)
        inner = windows @ fit[half]
        return np.concatenate(
            [fit[:half] @ values[:window], inner, fit[half + 1 :] @ values[-window:]]
        )

    def _window(self, fps: float) -> int:
        return max(2 * round((self.window_s * fps - 1) / 2) + 1, (self.degree + 2) | 1)


@dataclass(frozen=True)
class RauchTungStriebel:
    """The service's Kalman smoother (`temporal.filters.rts_smooth`), its noise set by a cut-off.

    Constant velocity with white acceleration of density q, measured with variance r at `fps`:
    smoothing both ways leaves q / (q + (r / fps) w^4) of a sine of w radians per second.
    """

    cutoff_hz: float = 6.0

    def cutoff_at(self, fps: float) -> float | None:
        return self.cutoff_hz if self.cutoff_hz < 0.5 * fps else None

    def __call__(self, values: FloatArray, fps: float) -> FloatArray:
        if self.cutoff_at(fps) is None:
            return values.copy()
        variance = _RTS_SD**2 / fps
        noise = variance * (2 * np.pi * self.cutoff_hz) ** 4 * _HALF_POWER / (1 - _HALF_POWER)
        times_s, sd = np.arange(len(values)) / fps, np.full(values.shape, _RTS_SD)
        return rts_smooth(values[..., None], times_s, float(noise), sd)[..., 0]


def _fit(window: int, degree: int) -> FloatArray:
    """(window, window): row i times a window's values is the fitted polynomial at i."""
    powers = np.vander(np.linspace(-1, 1, window), degree + 1)
    fit: FloatArray = powers @ np.linalg.pinv(powers)
    return fit


def _second_order(values: FloatArray, inputs: FloatArray, outputs: FloatArray) -> FloatArray:
    """One pass over (n, curves), from rest at the first value (transposed direct form II)."""
    first, second = values[0] * (1 - inputs[0]), values[0] * (inputs[2] - outputs[2])
    result = np.empty_like(values)
    scaled = values[:, None] * inputs[:, None]
    for index, (now, later, last) in enumerate(scaled):
        out = now + first
        first, second = later + second - outputs[1] * out, last - outputs[2] * out
        result[index] = out
    return result
