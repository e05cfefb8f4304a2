"""A clip's own times, counted from its first frame."""

import math


class FrameClock:
    """Turns the stamps that a file gives its frames into seconds since the first frame.

    Times always increase: a frame without a stamp, or with one that does not advance, is put one
    period after the frame before it and counted in `guessed`.
    """

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self.last_s = -period_s
        self.guessed = 0
        self._origin_s = math.nan

    def time_of(self, stamp_s: float | None) -> float:
        """Seconds from the first frame to this, the next one."""
        expected_s = self.last_s + self.period_s
        known_s = math.nan if stamp_s is None else stamp_s
        if math.isnan(self._origin_s):
            self._origin_s = known_s - expected_s
        time_s = known_s - self._origin_s
        # false for nan too, which is what a missing stamp leaves
        if not time_s > self.last_s:
            self.guessed += 1
            time_s = expected_s
        self.last_s = time_s
        return time_s
