"""First pass over a clip: every frame is decoded and its people are tracked, to a log on disk."""

import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

from pose_service.core.records import Frame, Look
from pose_service.engines.seam import Engine, Tracker
from pose_service.media.decode import Clip
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.second_pass import Clock
from pose_service.pipeline.sights import CHUNK_FRAMES, SightStore
from pose_service.pipeline.tracking import Step, Tracked, track_frames

T = TypeVar("T")


class ClipNets(Protocol):
    """Lends the nets for a piece of a clip's work."""

    def run_clip(self, work: Callable[[Engine], T]) -> T: ...


@dataclass(frozen=True)
class FirstPass:
    """What the pass works on. `log` takes who was tracked, `sights` what the nets answered.

    Without `sights` that is not kept. `report` is told how many frames are done before each group
    of them, and of all at the end.
    """

    nets: ClipNets
    log: ObservationLog
    sights: SightStore | None
    report: Callable[[int], None]

    def run(self, clip: Clip, max_frames: int | None) -> Clock:
        """Track everybody in `clip`; frames whose sights are known are shown to no net."""
        clock = Clock(array("d"), array("d"))
        tracker, together = self.nets.run_clip(partial(tracker_of, fps=clip.fps_hint))
        with closing(prefetch(clip.frames(max_frames))) as frames:
            for group in groups(frames, together):
                self.report(len(clock.times_s))
                started = time.perf_counter()
                for frame, tracked in zip(group, self._track(tracker, group), strict=True):
                    self.log.append(frame.index, tracked.people)
                    self.log.leave_out(tracked.left_out)
                    clock.times_s.append(frame.time_s)
                cost_ms = 1000 * (time.perf_counter() - started) / len(group)
                clock.costs_ms.extend([cost_ms] * len(group))
        self.report(len(clock.times_s))
        if self.sights is not None:
            self.sights.finish()
        return clock

    def _track(self, tracker: Tracker, group: list[Frame]) -> list[Tracked]:
        sights = self.sights
        steps = [
            Step(tracker, frame, None if sights is None else sights.get(frame.index))
            for frame in group
        ]
        tracked = self.nets.run_clip(partial(track_frames, steps=steps, look=Look.CLIP))
        if sights is not None:
            for step, of_frame in zip(steps, tracked, strict=True):
                if step.known is None:
                    sights.keep(step.frame.index, of_frame.sights)
        return tracked


def groups(frames: Iterator[Frame], together: int) -> Iterator[list[Frame]]:
    """Frames to look at together, never across the border of two chunks.

    So each group is the same whenever the clip is run, and all of it is known or nothing is.
    """
    index = 0
    while group := list(islice(frames, min(together, CHUNK_FRAMES - index % CHUNK_FRAMES))):
        yield group
        index += len(group)


def tracker_of(engine: Engine, fps: float) -> tuple[Tracker, int]:
    """The clip's tracker, and how many of its frames are worth looking at together."""
    tracker = engine.new_tracker(fps)
    return tracker, min(tracker.lookahead, engine.frames_together)
