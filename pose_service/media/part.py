"""ClipPart: which frames of a clip are wanted."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ClipPart:
    """The frames from `start_s` up to, not including, `end_s`, and of these each `every`-th.

    Seconds are the clip's own, counted from its first frame. What is left is numbered from 0
    without gaps and keeps its times: a part that starts at 10 s has its frame 0 at 10 s.
    """

    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if not (self.start_s >= 0 and math.isfinite(self.start_s)):
            raise ValueError(f"start_s: expected 0 or more, got {self.start_s}")
        if self.end_s is not None and not self.end_s > self.start_s:
            raise ValueError(f"end_s: expected more than {self.start_s}, got {self.end_s}")
        if self.every < 1:
            raise ValueError(f"every: expected 1 or more, got {self.every}")

    def is_before(self, time_s: float) -> bool:
        """Whether the part begins after this time."""
        return time_s < self.start_s

    def is_over(self, time_s: float) -> bool:
        """Whether the part has ended at this time."""
        return self.end_s is not None and time_s >= self.end_s

    def count_of(self, frames: int, fps: float) -> int:
        """About how many frames are wanted of a clip of an even rate.

        >>> ClipPart(1.0, 3.0, every=2).count_of(300, 30.0)
        30
        """
        first = math.ceil(self.start_s * fps)
        last = frames if self.end_s is None else min(frames, math.ceil(self.end_s * fps))
        return max(0, math.ceil((last - first) / self.every))


WHOLE = ClipPart()
