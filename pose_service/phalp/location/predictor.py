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
    BoolArray,
    Compat,
)

FARTHEST_FRAMES: Final = 49
"""A line is followed no farther than this beyond the newest sight."""
_STRENGTH_X, _STRENGTH_Y, _STRENGTH_DEPTH = 1.2, 2.0, 5.0
_FLAGS = 1.0, 1.0, 0.0
# In a frame a person may go so far, in squares: somebody who runs at 8 m/s, 5 m before a camera
# that sees 60 degrees at 30 frames per second.
_SPREAD_PER_FRAME = 0.05


def predicted_locations(
    locations: FloatArray, times: IntArray, ahead: IntArray, compat: Compat = "fixed"
) -> FloatArray:
    """(n, 99) float32, see `records`: n tracks, each `ahead` (n,) frames after its newest sight.

    `locations`: (n, 7, 99) at the frames `times` (n, 7), the oldest first. Of tracks that were
    seen in one frame only, `fixed` has the spread of an unknown movement, upstream NaN.
    Source: phalp/utils/utils_tracks.py.
    """
    expect_shape("times", times, ("n", HISTORY))
    expect_shape("locations", locations, (len(times), HISTORY, LOCATION_NUMBERS))
    targets = times[:, -1] + np.minimum(ahead, FARTHEST_FRAMES)
    x, y = np.moveaxis(locations[:, :, POINT].astype(np.float64), -1, 0)
    x_next, x_spread = extrapolated(times, x, targets, _STRENGTH_X)
    y_next, y_spread = extrapolated(times, y, targets, _STRENGTH_Y)
    with np.errstate(all="ignore"):
        # in float32 as upstream does, for the spread shows the difference
        log_depths = np.log(locations[:, :, DEPTH]).astype(np.float64)
        log_depth, log_spread = extrapolated(times, log_depths, targets, _STRENGTH_DEPTH)
        depth, factor = np.exp(log_depth), np.exp(log_spread)
        place = _places(np.stack([x_next, y_next], axis=1), depth)
        spread = np.stack([x_spread, y_spread, factor], axis=1) / _repeats(times)[:, None]
        if compat == "fixed":
            spread = np.where(_moved(times)[:, None], spread, _unknown_spread(ahead))
        newest = locations[:, -1, : POINT.start]
        flags = np.tile(_FLAGS, (len(times), 1))
        rows = [newest, x_next[:, None], y_next[:, None], place, spread, flags]
        return np.concatenate(rows, axis=1).astype(np.float32)


def _places(points: FloatArray, depths_m: FloatArray) -> FloatArray:
    """(n, 3) metres from points (n, 2) in the padded square."""
    return np.column_stack([(points - 0.5) * depths_m[:, None] / FOCAL_SQUARES, depths_m])


def _repeats(times: IntArray) -> IntArray:
    """(n,): 7 for tracks that were seen once, 1 for those with a full history."""
    return np.asarray(1 + (np.diff(times, axis=1) == 0).sum(axis=1))


def _moved(times: IntArray) -> BoolArray:
    return np.asarray(times.max(axis=1) > times.min(axis=1))


def _unknown_spread(ahead: IntArray) -> FloatArray:
    """(n, 3): as far as people may go in so many frames, at a depth that stays (a factor of 1)."""
    across = _SPREAD_PER_FRAME * np.clip(np.abs(ahead), 1, FARTHEST_FRAMES)
    return np.stack([across, across, np.ones(len(ahead))], axis=1)
