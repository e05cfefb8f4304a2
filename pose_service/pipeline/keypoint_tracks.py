"""The people of a stored clip through time: their curves, smoothed, and what is measured of them.

A curve is numbers only, 17 points a frame: that much of a clip is held.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_service.biomechanics.filters import Butterworth
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.biomechanics.movement import Movement, measure
from pose_service.biomechanics.smoothing import smoothed
from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17
from pose_service.pipeline.keypoint_results import StoredKeypoints
from pose_service.pipeline.keypoint_wish import Angles, KeypointWish

IN_PICTURE, IN_SPACE = 2, 3


@dataclass(frozen=True)
class TrackCurves:
    """One person in the n frames from `first` on, those between in which nobody was seen included.

    `times_s`: (n,). `points_px`: (n, 17, 2), `points_cam_m`: (n, 17, 3) or None where no body is
    known; NaN where the person was not seen in the very frame. `confidence`: (n, 17), 0 there.
    `seen`: (n,) whether the person was.
    """

    track_id: int
    first: int
    times_s: FloatArray
    points_px: FloatArray
    points_cam_m: FloatArray | None
    confidence: FloatArray
    seen: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count, points = len(self.times_s), len(COCO17)
        expect_shape("points_px", self.points_px, (count, points, 2))
        expect_shape("confidence", self.confidence, (count, points))
        expect_shape("seen", self.seen, (count,))
        if self.points_cam_m is not None:
            expect_shape("points_cam_m", self.points_cam_m, (count, points, 3))


@dataclass(frozen=True)
class ClipCurves:
    """`times_s`: (frames of the clip,). `tracks`: everybody by track id, the primary first."""

    times_s: FloatArray
    tracks: Mapping[int, TrackCurves]


def curves_of(clip: StoredKeypoints) -> ClipCurves:
    """Everybody's curves, in one pass over the clip."""
    times_s = np.zeros(clip.head.info.frame_count)
    sights = _sights(clip.frames(), times_s)
    in_order = sorted(sights, key=lambda track_id: (track_id != clip.head.primary_id, track_id))
    tracks = {track_id: _curves(track_id, sights[track_id], times_s) for track_id in in_order}
    return ClipCurves(times_s, tracks)


def _sights(
    frames: Iterable[KeypointFrame], times_s: FloatArray
) -> Mapping[int, list[tuple[int, KeypointPerson]]]:
    """Each track's frames and people; `times_s` (frames of the clip,) is filled."""
    sights: dict[int, list[tuple[int, KeypointPerson]]] = defaultdict(list)
    for frame in frames:
        times_s[frame.index] = frame.time_s
        for person in frame.people:
            sights[person.track_id].append((frame.index, person))
    return sights


def _curves(
    track_id: int, sights: list[tuple[int, KeypointPerson]], times_s: FloatArray
) -> TrackCurves:
    first, end = sights[0][0], sights[-1][0] + 1
    known = [(at, one) for at, one in sights if one.provenance is Provenance.OBSERVED]
    places = np.array([at - first for at, _ in known], np.int64)
    people = [one for _, one in known]
    has_bodies = all(one.points_cam_m is not None for one in people)
    count, points = end - first, len(COCO17)

    def spread(values: list[FloatArray], *axes: int, blank: float = np.nan) -> FloatArray:
        whole = np.full((count, points, *axes), blank)
        if values:
            whole[places] = values
        return whole

    metres = [one.points_cam_m for one in people if one.points_cam_m is not None]
    return TrackCurves(
        track_id,
        first,
        times_s[first:end],
        spread([one.points_px for one in people], 2),
        spread(metres, 3) if has_bodies else None,
        spread([one.point_confidence for one in people], blank=0.0),
        np.isin(np.arange(count), places),
    )


@dataclass(frozen=True)
class MeasuredTrack:
    """A person's curves as they were measured, smoothed where they were used, and the measures."""

    curves: TrackCurves
    axes: int
    movement: Movement

    @property
    def frames(self) -> range:
        """The clip's frames that it covers."""
        return range(self.curves.first, self.curves.first + len(self.curves.times_s))


def axes_of(curves: Mapping[int, TrackCurves], angles: Angles) -> int:
    """3 where angles in space are wanted (or nothing else is) and there are bodies, else 2."""
    bodies = bool(curves) and all(one.points_cam_m is not None for one in curves.values())
    return IN_SPACE if bodies and angles is not Angles.PICTURE else IN_PICTURE


def measured(curves: TrackCurves, wish: KeypointWish, axes: int) -> MeasuredTrack:
    """`curves` measured with `axes`. Where the person was not seen nothing is known."""
    in_picture = _smooth(_series(curves, curves.points_px, wish), wish)
    used = in_picture
    shown = replace(curves, points_px=_kept(in_picture, curves.points_px))
    if curves.points_cam_m is not None:
        in_space = _smooth(_series(curves, curves.points_cam_m, wish), wish)
        shown = replace(shown, points_cam_m=_kept(in_space, curves.points_cam_m))
        used = in_space if axes == IN_SPACE else in_picture
    return MeasuredTrack(shown, axes, measure(used))


def _series(curves: TrackCurves, points: FloatArray, wish: KeypointWish) -> JointSeries:
    least = wish.confidence
    return observed(COCO17, curves.times_s, points, curves.confidence, least_confidence=least)


def _smooth(series: JointSeries, wish: KeypointWish) -> JointSeries:
    return series if wish.cutoff_hz is None else smoothed(series, Butterworth(wish.cutoff_hz))


def _kept(series: JointSeries, points: FloatArray) -> FloatArray:
    """Smoothed places, and those of points that were too unsure to be used as they were."""
    return np.where(np.isfinite(series.points), series.points, points)
