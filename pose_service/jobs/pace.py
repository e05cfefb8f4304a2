"""Pace: how far a clip is and how fast it goes, told a few times a second at most."""

import time
from collections.abc import Callable

from pose_service.jobs.records import Progress

RECORD_EVERY_S = 0.25
LEAST_TIME_S = 0.5
"""A rate over less than this would be noise."""


class Pace:
    """Progress of one attempt. The rate is that of the stage in hand, or the last known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now = Progress()
        self._stage_began_s = self._told_at_s = clock()
        self._first_frame = 0

    def move(self, stage: str, frames_done: int, frames_total: int | None) -> tuple[bool, bool]:
        """(whether this stage is new, whether it is time to tell)."""
        now_s = self._clock()
        is_new = stage != self._now.stage
        if is_new:
            self._stage_began_s, self._first_frame = now_s, frames_done
        self._now = Progress(stage, frames_done, frames_total, self._rate_fps(frames_done, now_s))
        is_due = is_new or now_s - self._told_at_s >= RECORD_EVERY_S
        if is_due:
            self._told_at_s = now_s
        return is_new, is_due

    def progress(self) -> Progress:
        """As it was told last."""
        return self._now

    def _rate_fps(self, frames_done: int, now_s: float) -> float | None:
        frames, seconds = frames_done - self._first_frame, now_s - self._stage_began_s
        if frames <= 0 or seconds < LEAST_TIME_S:
            return self._now.rate_fps
        return round(frames / seconds, 2)
