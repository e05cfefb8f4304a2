"""A clip to people in every frame, in two passes that never hold the clip.

First every frame is decoded and its people are tracked; what was seen goes to a log on disk.
Then, with past and future known, each track is smoothed, its bodies are solved in batches and its
gaps are filled, a stretch of frames at a time.
"""

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import UnavailableError
from pose_service.core.records import ClipInfo, Look, Person, TrackedFrame
from pose_service.engines.seam import Engine, Tracker
from pose_service.media.decode import MAX_PIXELS, Clip, open_clip
from pose_service.media.part import WHOLE, ClipPart
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.gaps import KnownTrack, fill
from pose_service.pipeline.image import observed_people
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.tracking import Step, track_frames
from pose_service.pipeline.tracks import KeptTrack, choose_tracks

T = TypeVar("T")

# A clip taken up again right after a start waits for the nets, and looks so often whether to go on.
ENGINE_WAIT_S = 0.5
STRETCH_FRAMES = 120
# Smoothing reaches this far beyond a stretch, so that stretches join without a seam.
MARGIN_S = 0.5
# The one shape of a track is found from so many of its frames, evenly spread.
SHAPE_SAMPLES = 48


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

    A clip whose frames have more than `max_pixels` is refused. `part`: what of it is wanted.
    """

    max_frames: int | None = None
    smooth: bool = True
    max_pixels: int = MAX_PIXELS
    part: ClipPart = WHOLE


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
    """A tracked clip: what is known of it, and an iterator of exactly `info.frame_count` frames."""

    info: ClipInfo
    primary_id: int | None
    model_version: str
    body_name: str
    frames: Iterator[TrackedFrame]


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
        clip = open_clip(source, max_pixels=options.max_pixels, part=options.part)
        clock = _first_pass(clip, hub, options, log, watch)
        info = clip.info()
    except BaseException:
        log.close()
        raise
    tracks = choose_tracks(log.tracks, info.frame_count, info.fps)
    primary = next((track.track_id for track in tracks if track.primary), None)
    second = _SecondPass(engine, log, info, clock, options, tracks)
    return ClipRun(info, primary, engine.model_version, engine.body.name, second.frames(watch))


def _loaded(hub: NetRunner, watch: ClipWatch) -> Engine:
    """The engine, however long it takes to load; raises if it cannot be, or `watch` says stop."""
    while True:
        watch.report("loading", 0, None)
        try:
            return hub.wait(ENGINE_WAIT_S)
        except UnavailableError as error:
            if error.code != UnavailableError.code:
                raise


@dataclass(frozen=True)
class _Clock:
    """Eight bytes of each per frame: its time, and what it cost."""

    times_s: "array[float]"
    costs_ms: "array[float]"


def _first_pass(
    clip: Clip, hub: NetRunner, options: ClipOptions, log: ObservationLog, watch: ClipWatch
) -> _Clock:
    clock = _Clock(array("d"), array("d"))
    total = clip.stated_frame_count
    if total is not None and options.max_frames is not None:
        total = min(total, options.max_frames)
    tracker, together = hub.run_clip(lambda engine: _tracker_of(engine, clip.fps_hint))
    with closing(prefetch(clip.frames(options.max_frames))) as frames:
        while steps := [Step(tracker, frame) for frame in islice(frames, together)]:
            watch.report("tracking", steps[0].frame.index, total)
            started = time.perf_counter()
            seen = hub.run_clip(partial(track_frames, steps=steps, look=Look.CLIP))
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


class _SecondPass:
    """Bodies for every frame of a tracked clip, a stretch at a time."""

    def __init__(
        self,
        engine: Engine,
        log: ObservationLog,
        info: ClipInfo,
        clock: _Clock,
        options: ClipOptions,
        tracks: tuple[KeptTrack, ...],
    ) -> None:
        self._engine = engine
        self._log = log
        self._info = info
        self._times_s: FloatArray = np.asarray(clock.times_s)
        self._costs_ms = clock.costs_ms
        self._options = options
        self._tracks = tracks
        self._camera = engine.camera(info.width_px, info.height_px)
        self._margin = max(8, round(MARGIN_S * info.fps))

    def frames(self, watch: ClipWatch) -> Iterator[TrackedFrame]:
        try:
            shapes = {track.logged_id: self._shape(track) for track in self._tracks}
            for start in range(0, self._info.frame_count, STRETCH_FRAMES):
                watch.report("bodies", self._info.frame_count, self._info.frame_count)
                end = min(start + STRETCH_FRAMES, self._info.frame_count)
                yield from self._stretch(start, end, shapes)
        finally:
            self._log.close()

    def _shape(self, track: KeptTrack) -> FloatArray:
        """The one body shape of a track, from frames spread over its whole life."""
        count = len(self._log.tracks[track.logged_id].frames)
        places = np.unique(np.linspace(0, count - 1, min(count, SHAPE_SAMPLES)).astype(int))
        samples = [
            seen for place in places for seen in self._log.read(track.logged_id, place, place + 1)
        ]
        return self._engine.regressor.shared_shape(samples, self._camera)

    def _stretch(
        self, start: int, end: int, shapes: dict[int, FloatArray]
    ) -> Iterator[TrackedFrame]:
        people: list[list[Person]] = [[] for _ in range(start, end)]
        for track in self._tracks:
            frames = np.arange(max(start, track.first), min(end, track.end))
            if len(frames):
                known = self._known(track, frames[0], frames[-1], shapes[track.logged_id])
                times_s = self._times_s[frames]
                filled = fill(known, frames, times_s, self._engine.temporal, self._camera)
                for place, person in zip(frames - start, filled, strict=True):
                    people[place].append(person)
        for index, together in enumerate(people, start=start):
            yield TrackedFrame(
                index=index,
                time_s=float(self._times_s[index]),
                camera=self._camera,
                people=tuple(together),
                processing_ms=self._costs_ms[index],
            )

    def _known(self, track: KeptTrack, first: int, last: int, shape: FloatArray) -> KnownTrack:
        """The track where it was seen, from a margin before frame `first` to one after `last`."""
        index = self._log.tracks[track.logged_id]
        low = max(0, bisect_left(index.frames, first) - self._margin)
        high = bisect_left(index.frames, last + 1) + self._margin
        frames = np.array(index.frames[low:high])
        times_s = self._times_s[frames]
        seen = self._log.read(track.logged_id, low, high)
        temporal = self._engine.temporal
        if self._options.smooth:
            seen = temporal.smooth_observations(seen, times_s)
        poses = self._engine.regressor.solve(seen, self._camera, shape)
        if self._options.smooth:
            poses = temporal.smooth_poses(poses, times_s)
        return KnownTrack(
            frames, times_s, observed_people(seen, poses, [track.track_id] * len(seen))
        )
