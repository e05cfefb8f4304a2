"""A clip to people in every frame, in two passes that never hold the clip.

First every frame is decoded and its people are tracked; what was seen goes to a log on disk.
Then, with past and future known, pieces of one person's track are joined, and `second_pass` makes
bodies of what was seen.
"""

import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from pose_service.core.errors import UnavailableError
from pose_service.core.records import ClipInfo, Look, TrackedFrame
from pose_service.engines.seam import Engine, Tracker
from pose_service.media.decode import MAX_PIXELS, Clip, open_clip
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.merging import merge_tracks
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.quality import TrackQuality
from pose_service.pipeline.second_pass import Clock, SecondPass
from pose_service.pipeline.tracking import Step, track_frames
from pose_service.pipeline.tracks import MergedTrack, choose_tracks, merged_of

T = TypeVar("T")

# A clip taken up again right after a start waits for the nets, and looks so often whether to go on.
ENGINE_WAIT_S = 0.5


class NetRunner(Protocol):
    """Who lends the nets: see `runtime.hub.ModelHub`."""

    def wait(self, timeout_s: float) -> Engine: ...

    def run_clip(self, work: Callable[[Engine], T]) -> T: ...


class ClipStoppedError(UnavailableError):
    """The clip was given up because the service stops; it can be run again."""

    code = "STOPPING"


@dataclass(frozen=True)
class ClipOptions:
    """`max_frames`: stop after so many; `smooth`: off gives every frame's own raw fit.

    A clip whose frames have more than `max_pixels` is refused. `merge_tracks`: join pieces of one
    person's track after the fact.
    """

    max_frames: int | None = None
    smooth: bool = True
    max_pixels: int = MAX_PIXELS
    merge_tracks: bool = True


@dataclass(frozen=True)
class ClipWatch:
    """Who watches a clip: told (stage, frames done, frames in all or None), asked to go on."""

    progress: Callable[[str, int, int | None], None] = lambda stage, done, total: None
    stopped: Callable[[], bool] = lambda: False

    def report(self, stage: str, done: int, total: int | None) -> None:
        """Tell how far it is; `ClipStoppedError` if the clip is to be given up."""
        if self.stopped():
            raise ClipStoppedError("the service is stopping", hint="The clip will be run again.")
        self.progress(stage, done, total)


@dataclass(frozen=True)
class ClipRun:
    """A tracked clip: what is known of it, and an iterator of exactly `info.frame_count` frames.

    `quality` tells what was measured of each track in the frames that were taken so far.
    """

    info: ClipInfo
    primary_id: int | None
    model_version: str
    body_name: str
    merged_tracks: tuple[MergedTrack, ...]
    frames: Iterator[TrackedFrame]
    quality: Callable[[], tuple[TrackQuality, ...]]


def process_clip(
    source: Path, hub: NetRunner, options: ClipOptions, scratch: Path, watch: ClipWatch
) -> ClipRun:
    """Track everybody in the clip `source`; `scratch` is a folder for the log.

    Raises `BadVideoError` for a file that is no clip and `ClipStoppedError` when `watch` says so.
    `run.frames` must be used up (or closed) for the log to be removed.
    """
    log = ObservationLog(scratch / "observations.bin")
    try:
        engine = _loaded(hub, watch)
        clip = open_clip(source, max_pixels=options.max_pixels)
        clock = _first_pass(clip, hub, options, log, watch)
        info = _noted(clip.info(), log)
        joins = merge_tracks(log, np.asarray(clock.times_s)) if options.merge_tracks else ()
    except BaseException:
        log.close()
        raise
    tracks = choose_tracks(log.tracks, info.frame_count, info.fps)
    second = SecondPass(engine, log, info, clock, options.smooth, tracks)
    return ClipRun(
        info=info,
        primary_id=next((track.track_id for track in tracks if track.primary), None),
        model_version=engine.model_version,
        body_name=engine.body.name,
        merged_tracks=merged_of(tracks, joins),
        frames=second.frames(partial(watch.report, "bodies", info.frame_count, info.frame_count)),
        quality=second.quality,
    )


def _loaded(hub: NetRunner, watch: ClipWatch) -> Engine:
    """The engine, however long it takes to load; raises if it cannot be, or `watch` says stop."""
    while True:
        watch.report("loading", 0, None)
        try:
            return hub.wait(ENGINE_WAIT_S)
        except UnavailableError as error:
            if error.code != UnavailableError.code:
                raise


def _first_pass(
    clip: Clip, hub: NetRunner, options: ClipOptions, log: ObservationLog, watch: ClipWatch
) -> Clock:
    clock = Clock(array("d"), array("d"))
    total = clip.stated_frame_count
    if total is not None and options.max_frames is not None:
        total = min(total, options.max_frames)
    tracker, together = hub.run_clip(lambda engine: _tracker_of(engine, clip.fps_hint))
    with closing(prefetch(clip.frames(options.max_frames))) as frames:
        while steps := [Step(tracker, frame) for frame in islice(frames, together)]:
            watch.report("tracking", steps[0].frame.index, total)
            started = time.perf_counter()
            look = partial(track_frames, steps=steps, look=Look.CLIP, left_out=log.leave_out)
            seen = hub.run_clip(look)
            for step, of_frame in zip(steps, seen, strict=True):
                log.append(step.frame.index, of_frame)
                clock.times_s.append(step.frame.time_s)
            cost_ms = 1000 * (time.perf_counter() - started) / len(steps)
            clock.costs_ms.extend([cost_ms] * len(steps))
    watch.report("tracking", len(clock.times_s), len(clock.times_s))
    return clock


def _tracker_of(engine: Engine, fps: float) -> tuple[Tracker, int]:
    """The clip's tracker, and how many of its frames are worth looking at together."""
    tracker = engine.new_tracker(fps)
    return tracker, min(tracker.lookahead, engine.frames_together)


def _noted(info: ClipInfo, log: ObservationLog) -> ClipInfo:
    """`info` with a note of what was seen and could not be used."""
    if not log.dropped:
        return info
    note = f"people left out of single frames, whose numbers were not finite: {log.dropped}"
    return replace(info, notes=(*info.notes, note))
