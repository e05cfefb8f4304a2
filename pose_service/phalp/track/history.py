"""A track's last seven sights."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.records import HISTORY, LOCATION_NUMBERS, POSE_NUMBERS, Detection


@dataclass(frozen=True)
class History:
    """`times`: (7,) frames, rising. `locations`: (7, 99). `poses`: (7, 229). The oldest first.

    A track that was seen less often has its first sight several times.
    """

    times: IntArray
    locations: FloatArray
    poses: FloatArray

    def __post_init__(self) -> None:
        expect_shape("times", self.times, (HISTORY,))
        expect_shape("locations", self.locations, (HISTORY, LOCATION_NUMBERS))
        expect_shape("poses", self.poses, (HISTORY, POSE_NUMBERS))

    @classmethod
    def begun(cls, frame_index: int, seen: Detection) -> "History":
        return cls(
            np.full(HISTORY, frame_index, np.int64),
            np.tile(seen.location, (HISTORY, 1)),
            np.tile(seen.pose, (HISTORY, 1)),
        )

    @property
    def newest(self) -> int:
        """Frame of the newest sight."""
        return int(self.times[-1])

    def after(self, frame_index: int, seen: Detection, *, shot: bool = False) -> "History":
        """With one more sight and without the oldest; where a shot begins, as if never moved.

        Frames of a session may step back: sights are kept in the order of their frames.
        """
        times = np.append(self.times, frame_index)
        order = np.argsort(times, kind="stable")[1:]
        locations = np.concatenate([self.locations, seen.location[None]])[order]
        if shot:
            locations = np.tile(seen.location, (HISTORY, 1))
        poses = np.concatenate([self.poses, seen.pose[None]])[order]
        return History(times[order], locations, poses)
