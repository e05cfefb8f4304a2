"""Where the poses of a track's history stand on the time axis of the predictor."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import IntArray, expect_shape
from pose_service.phalp.records import HISTORY, BoolArray, Compat


@dataclass(frozen=True)
class TimeSlots:
    """n tracks. `slots`: (n, 7) of each pose; a slot of several poses is the newest one's.

    `newest`: (n, 7) whether it is that one. `wanted`: (n,) the slot to predict.
    """

    slots: IntArray
    newest: BoolArray
    wanted: IntArray


def time_slots(
    times: IntArray, missed: IntArray, length: int, compat: Compat = "fixed"
) -> TimeSlots:
    """The slots of histories at `times` (n, 7), oldest first, `missed` (n,) frames ago.

    Counted from the oldest pose; what lies beyond the `length` slots is put into the last one, as
    upstream means to (there a history of that length ends the clip). Of `upstream`, every track
    is read at the slot that the first one wants.
    """
    expect_shape("times", times, ("n", HISTORY))
    expect_shape("missed", missed, (len(times),))
    slots = np.clip(times - times[:, :1], 0, length - 1).astype(np.int64)
    later_too = np.triu(slots[:, :, None] == slots[:, None, :], 1).any(axis=2)
    wanted = np.clip(slots[:, -1] + missed + 1, 0, length - 1)
    if compat == "upstream":
        wanted = np.broadcast_to(wanted[:1], wanted.shape)
    return TimeSlots(slots, ~later_too, wanted)
