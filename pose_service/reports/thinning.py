"""Long curves with fewer points, which still look the same: no peak and no gap is lost."""

from itertools import pairwise

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

MOST_BINS = 600
"""More could not be told apart in print, on a curve as wide as half a page."""


def thinned(
    times_s: FloatArray, values: FloatArray, bins: int = MOST_BINS
) -> tuple[FloatArray, FloatArray]:
    """Times and values, (k,) each, of (n,) of each; as they are where they are few.

    Of each bin of equally many frames the least and the greatest value are kept, at their own
    times, the first value not known (NaN), which keeps a gap open, and the first and last frame.
    """
    expect_shape("values", values, (len(times_s),))
    if len(values) <= 4 * bins:
        return times_s, values
    edges = np.linspace(0, len(values), bins + 1).astype(np.int64)
    kept = {0, len(values) - 1}
    for start, end in pairwise(edges.tolist()):
        part = values[start:end]
        known = np.isfinite(part)
        if known.any():
            kept |= {int(start + np.nanargmin(part)), int(start + np.nanargmax(part))}
        if not known.all():
            kept.add(int(start + np.argmin(known)))
    places = np.array(sorted(kept))
    return times_s[places], values[places]


def alone(values: FloatArray) -> FloatArray:
    """`values` (n,) where neither neighbour is known, else NaN: a line shows nothing of these."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    return np.where(known[1:-1] & ~known[:-2] & ~known[2:], values, np.nan)
