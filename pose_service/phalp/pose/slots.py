"""Where the poses of a track's history stand on the time axis of the predictor."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import IntArray, expect_shape
from pose_service.phalp.records import Compat

HISTORY: Final = 7
"""Poses of a track that are looked at; a young track's first one fills the places before it."""


@dataclass(frozen=True)
class TimeSlots:
    """n tracks. `slots`: (n, 7) of each pose; a slot of several poses is the newest one's.

    `newest`: (n, 7) whether it is that one. `wanted`: (n,) the slot to predict.
    """

    slots: IntArray
    newest: NDArray[np.bool_]
    wanted: IntArray


def time_slots(
    frames: IntArray, frames_since_seen: IntArray, length: int, compat: Compat = "fixed"
) -> TimeSlots:
    """The slots of histories `frames` (n, 7), oldest first, `frames_since_seen` (n,) frames ago.

    Counted from the oldest pose; what lies beyond the `length` slots is put into the last one, as
    upstream means to (there a history of that length ends the clip). Of `upstream`, every track
    is read at the slot that the first one wants.
    """
    expect_shape("frames", frames, ("tracks", HISTORY))
    expect_shape("frames_since_seen", frames_since_seen, (len(frames),))
    slots = np.clip(frames - frames[:, :1], 0, length - 1)
    later_too = np.triu(slots[:, :, None] == slots[:, None, :], 1).any(axis=2)
    wanted = np.clip(slots[:, -1] + frames_since_seen + 1, 0, length - 1)
    if compat == "upstream":
        wanted = np.broadcast_to(wanted[:1], wanted.shape)
    return TimeSlots(slots, ~later_too, wanted)
