"""A stored clip of keypoints with what was measured of everybody in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, overload

import numpy as np

from pose_service.biomechanics.joints import observed
from pose_service.biomechanics.movement import FrameMeasures, Movement, measure
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.skeletons import COCO17
from pose_service.pipeline.keypoint_results import StoredKeypoints
from pose_service.pipeline.keypoint_tracks import MeasuredTrack, axes_of, curves_of, measured
from pose_service.pipeline.keypoint_wish import KeypointWish


@dataclass(frozen=True)
class MeasuredClip:
    """`tracks`: everybody by track id, the primary first. `axes`: 2 for angles in the picture.

    `times_s`: (frames,) of the clip.
    """

    clip: StoredKeypoints
    wish: KeypointWish
    axes: int
    times_s: FloatArray
    tracks: Mapping[int, MeasuredTrack]

    @classmethod
    def of(cls, clip: StoredKeypoints, wish: KeypointWish) -> Self:
        """Everybody measured as wished."""
        curves = curves_of(clip)
        tracks = curves.tracks
        axes = axes_of(tracks, wish.angles) if tracks else clip.head.model.axes
        measures = {track_id: measured(one, wish, axes) for track_id, one in tracks.items()}
        return cls(clip, wish, axes, curves.times_s, measures)

    @property
    def primary(self) -> MeasuredTrack | None:
        primary_id = self.clip.head.primary_id
        return None if primary_id is None else self.tracks.get(primary_id)

    @property
    def measures(self) -> Mapping[int, Sequence[FrameMeasures]]:
        """By track id, of each frame of the clip from its first on."""
        return {track_id: _FromFirstFrame(track) for track_id, track in self.tracks.items()}

    def movement(self, track_id: int) -> Movement:
        """The track's measures, a row for each frame of the clip."""
        track = self.tracks[track_id]
        after = len(self.times_s) - track.frames.stop
        widened: Movement = _widened(track.movement, track.frames.start, after)
        return replace(widened, times_s=self.times_s)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[KeypointFrame]:
        """The frames with the keypoints as they were measured: smoothed where they were used."""
        for frame in self.clip.frames(start, stop):
            people = tuple(self._as_measured(frame.index, person) for person in frame.people)
            yield replace(frame, people=people)

    def _as_measured(self, index: int, person: KeypointPerson) -> KeypointPerson:
        """Where the person was not seen the keypoints stay as they were filled."""
        curves = self.tracks[person.track_id].curves
        place = index - curves.first
        if not curves.seen[place]:
            return person
        metres = curves.points_cam_m
        return replace(
            person,
            points_px=curves.points_px[place],
            points_cam_m=None if metres is None else metres[place],
        )


class _FromFirstFrame(Sequence[FrameMeasures]):
    """A track's measures as if it began with the clip; made as they are asked for."""

    def __init__(self, track: MeasuredTrack) -> None:
        self._track = track

    def __len__(self) -> int:
        return self._track.frames.stop

    @overload
    def __getitem__(self, index: int) -> FrameMeasures: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FrameMeasures]: ...
    def __getitem__(self, index: int | slice) -> FrameMeasures | Sequence[FrameMeasures]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index] - self._track.frames.start
        return unknown(self._track.axes) if place < 0 else self._track.movement.frame(place)


def _widened(measures: Any, before: int, after: int) -> Any:
    """A record of arrays with rows of what is not known added; nobody's `pose_quality` is 0."""
    rows = {field.name: getattr(measures, field.name) for field in fields(measures)}
    for name, values in rows.items():
        if isinstance(values, np.ndarray):
            width = [(before, after), *[(0, 0)] * (values.ndim - 1)]
            blank = 0.0 if name == "pose_quality" else np.nan
            rows[name] = np.pad(values, width, constant_values=blank)
        else:
            rows[name] = _widened(values, before, after)
    return replace(measures, **rows)


def unknown(axes: int) -> FrameMeasures:
    """What is measured of nobody."""
    points, confidence = np.full((1, len(COCO17), axes), np.nan), np.zeros((1, len(COCO17)))
    return measure(observed(COCO17, np.zeros(1), points, confidence)).frame(0)
