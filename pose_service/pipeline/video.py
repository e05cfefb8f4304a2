"""A clip to people in every frame, in two passes that never hold the clip.

First every frame is decoded and its people are tracked; what was seen goes to a log on disk.
Then, with past and future known, pieces of one person's track are joined, and `second_pass` makes
bodies of what was seen.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from pose_service.core.errors import UnavailableError
from pose_service.core.records import ClipInfo, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.media.decode import MAX_PIXELS, open_clip
from pose_service.media.part import WHOLE, ClipPart
from pose_service.pipeline.first_pass import FirstPass
from pose_service.pipeline.makers import made_by
from pose_service.pipeline.merging import merge_tracks
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.quality import TrackQuality
from pose_service.pipeline.second_pass import BodyOptions, SecondPass
from pose_service.pipeline.sights import CHUNK_FRAMES, Elsewhere, SightStore
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
    person's track after the fact. `part`: what of the clip is wanted. `keypoints`: what is
    wanted are not the bodies but what was seen of them, which is kept.
    """

    max_frames: int | None = None
    smooth: bool = True
    max_pixels: int = MAX_PIXELS
    merge_tracks: bool = True
    part: ClipPart = WHOLE
    keypoints: bool = False

    @property
    def bodies(self) -> BodyOptions:
        """How bodies are made of what was seen."""
        return BodyOptions(self.smooth, landmarks=self.keypoints, raw=not self.keypoints)


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

    def also(self, progress: Callable[[str, int, int | None], None]) -> "ClipWatch":
        """The same watch; `progress` is told after it."""

        def both(stage: str, done: int, total: int | None) -> None:
            self.progress(stage, done, total)
            progress(stage, done, total)

        return replace(self, progress=both)


@dataclass(frozen=True)
class ClipRun:
    """A tracked clip: what is known of it, and an iterator of exactly `info.frame_count` frames.

    `quality` tells what was measured of each track in the frames that were taken so far.
    """

    info: ClipInfo
    primary_id: int | None
    model_version: str
    body_name: str
    frames: Iterator[TrackedFrame]
    merged_tracks: tuple[MergedTrack, ...] = ()
    quality: Callable[[], tuple[TrackQuality, ...]] = tuple
    close: Callable[[], None] = lambda: None


def process_clip(
    source: Path,
    hub: NetRunner,
    options: ClipOptions,
    scratch: Path,
    watch: ClipWatch,
    *,
    kept: Path | None = None,
    elsewhere: Elsewhere | None = None,
) -> ClipRun:
    """Track everybody in the clip `source`; `scratch` is a folder for the log.

    What the nets answered stays in the folder `kept` in chunks, if there is one: another try at the
    same clip, after whatever ended this one, begins with them. Whoever gave it removes it. With
    `elsewhere`, chunks that others made of this clip are used, and these are shared.

    Raises `BadVideoError` for a file that is no clip and `ClipStoppedError` when `watch` says so.
    `run.close` removes the log, which using up `run.frames` does as well.
    """
    log = ObservationLog(scratch / "observations.bin")
    try:
        engine = loaded(hub, watch)
        clip = open_clip(source, max_pixels=options.max_pixels, part=options.part)
        total = least_frames(clip.stated_frame_count, options.max_frames)
        sights = None
        if kept is not None:
            sights = SightStore(kept, made_by(source, engine, options.part), elsewhere)
            sights.offer((total or 0) // CHUNK_FRAMES if engine.frames_apart else 0)
        report = partial(watch.report, "tracking", total=total)
        clock = FirstPass(hub, log, sights, report).run(clip, options.max_frames)
        info = noted(clip.info(), log)
        joins = merge_tracks(log, np.asarray(clock.times_s)) if options.merge_tracks else ()
    except BaseException:
        log.close()
        raise
    tracks = choose_tracks(log.tracks, info.frame_count, info.fps)
    second = SecondPass(engine, log, info, clock, options.bodies, tracks)
    return ClipRun(
        info=info,
        primary_id=next((track.track_id for track in tracks if track.primary), None),
        model_version=engine.model_version,
        body_name=engine.body.name,
        merged_tracks=merged_of(tracks, joins),
        frames=second.frames(partial(watch.report, "bodies", info.frame_count, info.frame_count)),
        quality=second.quality,
        close=log.close,
    )


def least_frames(stated: int | None, wanted: int | None) -> int | None:
    """How many frames are to come, where the clip states how many it has."""
    return stated if stated is None or wanted is None else min(stated, wanted)


def loaded(hub: NetRunner, watch: ClipWatch) -> Engine:
    """The engine, however long it takes to load; raises if it cannot be, or `watch` says stop."""
    while True:
        watch.report("loading", 0, None)
        try:
            return hub.wait(ENGINE_WAIT_S)
        except UnavailableError as error:
            if error.code != UnavailableError.code:
                raise


def noted(info: ClipInfo, log: ObservationLog) -> ClipInfo:
    """`info` with a note of what was seen and could not be used."""
    if not log.dropped:
        return info
    note = f"people left out of single frames, whose numbers were not finite: {log.dropped}"
    return replace(info, notes=(*info.notes, note))
