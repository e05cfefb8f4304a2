"""Bodies for every frame of a tracked clip: smoothed, solved in batches, filled, measured.

Each track's sights are read back from the log a stretch of frames at a time, with a margin on
both sides, so that nothing that grows with the clip is held.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import ClipInfo, Observation, Person, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.pipeline.gaps import KnownTrack, fill
from pose_service.pipeline.image import observed_people
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.quality import Passage, TrackMeter, TrackQuality
from pose_service.pipeline.tracks import KeptTrack

STRETCH_FRAMES = 120
# Smoothing reaches this far beyond a stretch, so that stretches join without a seam.
MARGIN_S = 0.5
# The one shape of a track is found from so many of its frames, evenly spread.
SHAPE_SAMPLES = 48


@dataclass(frozen=True)
class Clock:
    """Eight bytes of each per frame: its time, and what it cost."""

    times_s: "array[float]"
    costs_ms: "array[float]"


@dataclass(frozen=True)
class BodyOptions:
    """`smooth`: over time. `landmarks`: keep what was seen beside the body, `raw` each frame's own
    solution.
    """

    smooth: bool = True
    landmarks: bool = False
    raw: bool = True


class SecondPass:
    """What becomes of a clip once all of it was seen."""

    def __init__(
        self,
        engine: Engine,
        log: ObservationLog,
        info: ClipInfo,
        clock: Clock,
        options: BodyOptions,
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
        self._meters = {
            track.track_id: TrackMeter(track.track_id, engine.body, self._camera)
            for track in tracks
        }

    def frames(self, report: Callable[[], None]) -> Iterator[TrackedFrame]:
        """Every frame of the clip, in order; `report` is called before each stretch."""
        try:
            shapes = {track.logged_id: self._shape(track) for track in self._tracks}
            for start in range(0, self._info.frame_count, STRETCH_FRAMES):
                report()
                end = min(start + STRETCH_FRAMES, self._info.frame_count)
                yield from self._stretch(start, end, shapes)
        finally:
            self._log.close()

    def quality(self) -> tuple[TrackQuality, ...]:
        """What was measured of each track so far, the primary first."""
        return tuple(meter.report(self._info.frame_count) for meter in self._meters.values())

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
            frames = range(max(start, track.first), min(end, track.end))
            if frames:
                for place, person in zip(
                    frames, self._people(track, frames, shapes[track.logged_id]), strict=True
                ):
                    people[place - start].append(person)
        for index, together in enumerate(people, start=start):
            yield TrackedFrame(
                index=index,
                time_s=float(self._times_s[index]),
                camera=self._camera,
                people=tuple(together),
                processing_ms=self._costs_ms[index],
            )

    def _people(self, track: KeptTrack, frames: range, shape: FloatArray) -> list[Person]:
        """The track's person in each of `frames`, seen or filled; measured on the way."""
        index = self._log.tracks[track.logged_id]
        first, last = (bisect_left(index.frames, frame) for frame in (frames.start, frames.stop))
        low, high = max(0, first - self._margin), last + self._margin
        sights = self._log.read(track.logged_id, low, high)
        inside = slice(first - low, last - low)
        seen_in = np.array(index.frames[low:high])
        seen_s = self._times_s[seen_in]
        seen = self._observed(track, sights, seen_s, shape)
        if self._options.raw:
            seen[inside] = self._with_raw_poses(seen[inside], sights[inside])
        known = KnownTrack(seen_in, seen_s, seen)
        times_s = self._times_s[frames.start : frames.stop]
        people = fill(known, np.array(frames), times_s, self._engine.temporal, self._camera)
        own = dict(zip(seen_in[inside].tolist(), sights[inside], strict=True))
        self._meters[track.track_id].add(Passage(frames.start, times_s, people, own))
        return people

    def _observed(
        self, track: KeptTrack, sights: list[Observation], times_s: FloatArray, shape: FloatArray
    ) -> list[Person]:
        """The track's person at each of `sights`, smoothed and with the track's one shape."""
        temporal = self._engine.temporal
        if self._options.smooth:
            sights = temporal.smooth_observations(sights, times_s)
        poses = self._engine.regressor.solve(sights, self._camera, shape)
        if self._options.smooth:
            poses = temporal.smooth_poses(poses, times_s)
        people = observed_people(sights, poses, [track.track_id] * len(sights))
        return list(map(_with_landmarks, people, sights) if self._options.landmarks else people)

    def _with_raw_poses(self, people: list[Person], sights: list[Observation]) -> list[Person]:
        """`people` with each frame's own solution: no smoothing, and the frame's own shape."""
        raw = self._engine.regressor.solve(sights, self._camera)
        return [replace(one, raw_pose=pose) for one, pose in zip(people, raw, strict=True)]


def _with_landmarks(person: Person, seen: Observation) -> Person:
    return replace(
        person, landmarks_px=seen.landmarks_px, landmark_confidence=seen.landmark_confidence
    )
