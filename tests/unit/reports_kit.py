"""Clips of a figure whose angles are known, as keypoints and as what was measured of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from biomechanics_kit import moving, series_2d, series_3d

from pose_service.biomechanics.comparison import compare
from pose_service.biomechanics.events import AngleLimit
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.summary import summarise
from pose_service.core.arrays import ImageArray
from pose_service.core.keypoints import KeypointFrame, KeypointModel, KeypointPerson
from pose_service.core.records import ClipInfo, Frame, Provenance
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import chosen_frames, chosen_indices

WIDTH_PX, HEIGHT_PX = 1280, 720
MODEL = KeypointModel("RTMPose-Medium", "1.0", "fp32", 2)
LIMITS = (
    AngleLimit("knee too deep", "left_knee", low_deg=110),
    AngleLimit("elbow bent", "right_elbow", low_deg=140),
)


def squats(count: int = 90, fps: float = 30.0) -> JointSeries:
    """A squat a second, seen from the side; the knees are straightest in frame 0."""
    return series_2d(*moving(count, fps))


def person_of(series: JointSeries, row: int, track_id: int = 1) -> KeypointPerson:
    """What was seen in one frame of a series in pixels."""
    points = series.points[row]
    known = points[np.isfinite(points).all(axis=1)]
    box = np.concatenate([known.min(axis=0), known.max(axis=0)]) if len(known) else np.zeros(4)
    return KeypointPerson(
        track_id, Provenance.OBSERVED, 0.9, box, points, series.confidence[row]
    )  # fmt: skip


def frames_of(series: JointSeries, track_id: int = 1) -> list[KeypointFrame]:
    """Nobody is in a frame in which no joint was seen."""
    frames = []
    for row, time_s in enumerate(series.times_s.tolist()):
        seen = np.isfinite(series.points[row]).any()
        people = (person_of(series, row, track_id),) if seen else ()
        frames.append(KeypointFrame(row, time_s, people))
    return frames


def with_bodies(frames: Sequence[KeypointFrame]) -> list[KeypointFrame]:
    """The same clip of `squats` with the joints before the camera."""
    postures, _ = moving(len(frames))
    points_m = series_3d(postures).points
    return [
        replace(frame, people=tuple(
            replace(one, points_cam_m=points_m[frame.index]) for one in frame.people
        ))
        for frame in frames
    ]  # fmt: skip


def unseen(series: JointSeries, frames: slice) -> JointSeries:
    """The same with nobody in these frames."""
    confidence = series.confidence.copy()
    confidence[frames] = 0
    return observed(series.skeleton, series.times_s, series.points, confidence)


def report_of(series: JointSeries, title: str = "squats.mp4") -> MovementReport:
    movement = measure(series)
    summary = summarise(movement, LIMITS)
    return MovementReport(
        title=title,
        clip=info_of(series),
        model=MODEL,
        movement=movement,
        summary=summary,
        track_id=1,
        chosen=chosen_frames(frames_of(series), chosen_indices(movement, summary)),
    )


def compared(first: JointSeries, second: JointSeries, title: str = "best.mp4") -> MovementReport:
    """Of the first with the second, on all angles."""
    comparison = compare(measure(first), measure(second))
    return replace(report_of(first), comparison=comparison, other_title=title)


def info_of(series: JointSeries) -> ClipInfo:
    count = len(series)
    fps = 1 / float(np.median(np.diff(series.times_s))) if count > 1 else 30.0
    return ClipInfo(count, fps, WIDTH_PX, HEIGHT_PX, count / fps)


def grey_frames(count: int, size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)) -> list[Frame]:
    """Frame i is 60 + i grey all over."""
    return [Frame(index, index / 30, grey(60 + index, size)) for index in range(count)]


def grey(value: int = 100, size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)) -> ImageArray:
    return np.full((size[1], size[0], 3), value, np.uint8)
