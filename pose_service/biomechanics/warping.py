"""Dynamic time warping within a band, row by row (Sakoe & Chiba 1978)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, IntArray, expect_shape

MOST_CELLS = 32_000_000
"""Cells of the band at most, a byte each: longer series get a narrower band."""

_BOTH, _FIRST, _SECOND = 0, 1, 2  # which series goes on in a step


@dataclass(frozen=True)
class Warp:
    """`path`: (steps, 2) places in the first and second series, both from first to last.

    `cost`: sum over the path. `band`: half-width, in places of the second series.
    """

    path: IntArray
    cost: float
    band: int


def warp(first: FloatArray, second: FloatArray, band_share: float = 0.1) -> Warp:
    """The cheapest way through two series (n, d) and (m, d) of finite values, n and m at least 1.

    The cost of a pair is the mean absolute difference over d; each step goes on in one series or
    in both. `band_share` of m is how far the second may run ahead or behind an even pace.
    """
    expect_shape("second", second, ("m", first.shape[1]))
    count, other = len(first), len(second)
    if not count or not other:
        raise ValueError(f"expected two series of values, got lengths {count} and {other}")
    band = _half_width(count, other, band_share)
    starts = _starts(count, other, band)
    width = min(2 * band + 1, other)
    steps = np.empty((count, width), np.uint8)
    costs = np.full(width, np.inf)
    for row in range(count):
        local = np.abs(second[starts[row] : starts[row] + width] - first[row]).mean(axis=1)
        moved = int(starts[row] - starts[row - 1]) if row else None
        costs, steps[row] = _next_row(costs, local, moved)
    return Warp(_walk_back(steps, starts, other), float(costs[other - 1 - starts[-1]]), band)


def _half_width(count: int, other: int, band_share: float) -> int:
    """At least what joins the rows to each other, at most what `MOST_CELLS` allow."""
    least = -(-other // count) + 1
    most = (MOST_CELLS // count - 1) // 2
    return max(least, min(round(band_share * other), most))


def _starts(count: int, other: int, band: int) -> IntArray:
    """(count,) first place of the second series that is in each row's band."""
    pace = np.linspace(0, other - 1, count).round().astype(np.int64)
    return np.clip(pace - band, 0, max(other - 2 * band - 1, 0))


def _next_row(
    above: FloatArray, local: FloatArray, moved: int | None
) -> tuple[FloatArray, NDArray[np.uint8]]:
    """Costs of a row and the steps that led there, from those `above`.

    `moved`: how far the band has moved on since; None in the first row. Along a row the cheapest
    way is a running minimum, once the sum of the costs on the way is taken off.
    """
    width = len(local)
    padded = np.concatenate([[np.inf], above, np.full(moved or 0, np.inf)])
    if moved is None:
        both, up = np.full(width, np.inf), np.full(width, np.inf)
        both[0] = 0.0
    else:
        both, up = padded[moved : moved + width], padded[moved + 1 : moved + 1 + width]
    entry = np.minimum(both, up)
    sums = np.cumsum(local)
    through = entry - (sums - local)
    best = np.minimum.accumulate(through)
    step = np.where(both <= up, _BOTH, _FIRST)
    return sums + best, np.where(through <= best, step, _SECOND).astype(np.uint8)


def _walk_back(steps: NDArray[np.uint8], starts: IntArray, other: int) -> IntArray:
    row, place = len(starts) - 1, other - 1
    path = [(row, place)]
    while row or place:
        step = steps[row, place - starts[row]]
        row, place = row - (step != _SECOND), place - (step != _FIRST)
        path.append((row, place))
    return np.array(path[::-1], dtype=np.int64)
