"""Timing: a call many times over, and the parts of an engine while it works."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from pose_service.engines.seam import Engine

SECONDS_TO_MS = 1000.0


def time_ms(work: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    started = time.perf_counter()
    work()
    return SECONDS_TO_MS * (time.perf_counter() - started)


def times_ms(work: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each of `rounds` calls, after one that is not counted."""
    work()
    return [time_ms(work) for _ in range(rounds)]


class Stopwatch:
    """Adds up the seconds spent in the parts of an engine, by name."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def watched(self, engine: Engine) -> Engine:
        """`engine` with its parts timed: detect, observe, solve, smooth and pose."""
        solve = {"solve": "solve", "shared_shape": "solve"}
        smooth = {"smooth_observations": "smooth", "smooth_poses": "smooth"}
        return replace(
            engine,
            detector=_Timed(self, engine.detector, {"detect": "detect"}),
            regressor=_Timed(self, engine.regressor, {"observe": "observe", **solve}),
            temporal=_Timed(self, engine.temporal, smooth),
            body=_Timed(self, engine.body, {"pose": "pose"}),
        )

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, its time added under `name`."""

        @wraps(call)
        def run(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - started

        return run


class _Timed:
    """Stands for `part`: the methods in `names` are timed, all else is as it is."""

    def __init__(self, watch: Stopwatch, part: object, names: Mapping[str, str]) -> None:
        self._watch, self._part, self._names = watch, part, names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        return self._watch.timed(self._names[name], value) if name in self._names else value
