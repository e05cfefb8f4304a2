"""Where tracks will be seen next, and how surely (Rajasegaran et al. 2022, section 3)."""

from typing import Final

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.features import FOCAL_SQUARES
from pose_service.phalp.location.ridge import extrapolated
from pose_service.phalp.records import (
    DEPTH,
    HISTORY,
    LOCATION_NUMBERS,
    POINT,
    Compat,
)

FARTHEST_FRAMES: Final = 49
"""A line is followed no farther than this beyond the newest sight."""
_STRENGTHS = 1.2, 2.0, 5.0
_FLAGS = 1.0, 1.0, 0.0
# In a frame a person may go so far, in squares: somebody who runs at 8 m/s, 5 m before a camera
# that sees 60 degrees at 30 frames per second.
_SPREAD_PER_FRAME = 0.05


def predicted_locations(
    locations: FloatArray, times: IntArray, ahead: IntArray, compat: Compat = "fixed"
) -> FloatArray:
    """(n, 99) float32, see `records`: n tracks, each `ahead` (n,) frames after its newest sight.

    `locations`: (n, 7, 99) at the frames `times` (n, 7), the oldest first. Of tracks that were
    seen in one frame only, `fixed` has the spread of an unknown movement, upstream NaN. Spreads of
    young tracks are divided by how often their first sight fills the history: in `fixed` all three
    of them; upstream divides the depth's factor itself, as if such a track knew no depth.
    Source: phalp/utils/utils_tracks.py.
    """
    expect_shape("times", times, ("n", HISTORY))
    expect_shape("locations", locations, (len(times), HISTORY, LOCATION_NUMBERS))
    targets = times[:, -1] + np.clip(ahead, -FARTHEST_FRAMES, FARTHEST_FRAMES)
    with np.errstate(all="ignore"):
        (x, x_half), (y, y_half), (log_depth, log_half) = (
            extrapolated(times, values, targets, strength)
            for values, strength in zip(_series(locations), _STRENGTHS, strict=True)
        )
        places = _places(np.stack([x, y], axis=1), np.exp(log_depth))
        spreads = _spreads(times, np.stack([x_half, y_half, log_half], axis=1), ahead, compat)
    newest = locations[:, -1, : POINT.start]
    flags = np.tile(_FLAGS, (len(times), 1))
    rows = [newest, x[:, None], y[:, None], places, spreads, flags]
    return np.concatenate(rows, axis=1).astype(np.float32)


def _series(locations: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, 7) each: x, y and the depth's logarithm."""
    x, y = np.moveaxis(locations[:, :, POINT].astype(np.float64), -1, 0)
    # in float32 as upstream does, for the spread shows the difference
    return x, y, np.log(locations[:, :, DEPTH]).astype(np.float64)


def _places(points: FloatArray, depths_m: FloatArray) -> FloatArray:
    """(n, 3) metres from points (n, 2) in the padded square."""
    return np.column_stack([(points - 0.5) * depths_m[:, None] / FOCAL_SQUARES, depths_m])


def _spreads(
    times: IntArray, half_widths: FloatArray, ahead: IntArray, compat: Compat
) -> FloatArray:
    """(n, 3), see `SPREAD`, of `half_widths` (n, 3): x, y, and the depth's logarithm."""
    # 7 for tracks that were seen once, 1 for those with a full history
    repeats = 1 + (np.diff(times, axis=1) == 0).sum(axis=1, keepdims=True)
    if compat == "upstream":
        return np.asarray(_with_factor(half_widths) / repeats)
    seen_once = times.max(axis=1) == times.min(axis=1)
    spreads = np.where(seen_once[:, None], _unknown(ahead), half_widths / repeats)
    return _with_factor(spreads)


def _unknown(ahead: IntArray) -> FloatArray:
    """(n, 3) half-widths: as far as people may go in so many frames, at a depth that stays."""
    across = _SPREAD_PER_FRAME * np.clip(np.abs(ahead), 1, FARTHEST_FRAMES)
    return np.stack([across, across, np.zeros(len(ahead))], axis=1)


def _with_factor(spreads: FloatArray) -> FloatArray:
    return np.concatenate([spreads[:, :2], np.exp(spreads[:, 2:])], axis=1)
