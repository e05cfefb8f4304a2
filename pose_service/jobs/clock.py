"""CalmClock: the time of day, which does not believe every jump."""

import time
from collections.abc import Callable

JUMP_S = 60.0
BELIEVED_AFTER_S = 600.0


class CalmClock:
    """Epoch seconds. A jump of the system's clock is followed only once it has lasted.

    A clock that is set wrong for a moment would else let every result expire at once, and turn
    durations into nonsense. Not exact between threads, which does not matter here.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset_s = wall() - steady()
        self._doubted_since_s: float | None = None

    def __call__(self) -> float:
        wall_s, steady_s = self._wall(), self._steady()
        offset_s = wall_s - steady_s
        if abs(offset_s - self._offset_s) < JUMP_S or self._has_lasted(steady_s):
            self._offset_s = offset_s
            self._doubted_since_s = None
        return steady_s + self._offset_s

    def _has_lasted(self, steady_s: float) -> bool:
        if self._doubted_since_s is None:
            self._doubted_since_s = steady_s
        return steady_s - self._doubted_since_s >= BELIEVED_AFTER_S
