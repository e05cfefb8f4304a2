"""A clip of keypoints as files: its answer, tables for other programs, pages and pictures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pose_service.biomechanics.summary import summarise
from pose_service.core.errors import BadRequestError
from pose_service.export.trc import TrcHead
from pose_service.legacy.pose_clip import PoseAnswer
from pose_service.pipeline.keypoint_tracks import IN_SPACE
from pose_service.reports.comparison_page import comparison_pdf
from pose_service.reports.curves import angle_curves
from pose_service.reports.page import report_pdf
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import chosen_frames, chosen_indices, stick_figure_strip
from pose_service.reports.tables import (
    angles_mot,
    camera_m,
    keypoints_trc,
    movement_csv,
    picture_px,
)


@dataclass(frozen=True)
class PoseFile:
    """What is written: of the clip of `answer`, called `name`, the person of `track_id`."""

    answer: PoseAnswer
    name: str
    track_id: int

    def report(self) -> MovementReport:
        """What pages and pictures are made from."""
        clip, answer = self.answer.measured, self.answer
        movement = clip.movement(self.track_id)
        summary = summarise(movement, clip.wish.limits)
        comparison, note = answer.comparison
        is_primary = self.track_id == clip.clip.head.primary_id
        return MovementReport(
            title=self.name,
            clip=clip.clip.head.info,
            model=clip.clip.head.model,
            movement=movement,
            summary=summary,
            track_id=self.track_id,
            chosen=chosen_frames(clip.frames(), chosen_indices(movement, summary)),
            comparison=comparison if is_primary else None,
            notes=(note,) if note else (),
        )


@dataclass(frozen=True)
class PoseFormat:
    """`ending`: of the files. `measures`: whether they hold more than keypoints."""

    media_type: str
    ending: str
    write: Callable[[PoseFile], Iterator[bytes]]
    measures: bool = True


def pose_file(wanted: str, answer: PoseAnswer, name: str, track_id: int | None) -> PoseFile:
    """`BadRequestError` for a format there is not, and for a person there is not in the clip."""
    if wanted not in FORMATS:
        known = ", ".join(("json", *FORMATS))
        raise BadRequestError(f"format: expected one of {known}, got {wanted!r}")
    if FORMATS[wanted].measures and not answer.analysis.enabled:
        raise BadRequestError(
            f"{wanted}: biomechanics are switched off in this service",
            hint="BIOMECHANICS_ANALYSIS=true switches them on.",
        )
    tracks = answer.measured.tracks
    chosen = answer.clip.head.primary_id if track_id is None else track_id
    if chosen is None:
        raise BadRequestError("nobody was found in this clip: it has only json")
    if chosen not in tracks:
        known = ", ".join(map(str, tracks))
        raise BadRequestError(f"track: expected one of {known}, got {chosen}")
    return PoseFile(answer, name, chosen)


def _csv(asked: PoseFile) -> Iterator[bytes]:
    clip = asked.answer.measured
    return movement_csv(clip.movement(asked.track_id), clip.frames(), asked.track_id)


def _trc(asked: PoseFile) -> Iterator[bytes]:
    """In metres where there are bodies, else in pixels."""
    clip = asked.answer.measured
    info = clip.clip.head.info
    space, units = (camera_m, "m") if clip.axes == IN_SPACE else (picture_px, "px")
    head = TrcHead(f"{asked.name}.trc", info.frame_count, info.fps, units)
    least = clip.wish.confidence
    return keypoints_trc(clip.frames(), asked.track_id, head, space, least_confidence=least)


def _mot(asked: PoseFile) -> Iterator[bytes]:
    return angles_mot(asked.answer.measured.movement(asked.track_id))


def _pdf(asked: PoseFile) -> Iterator[bytes]:
    yield report_pdf(asked.report(), least_confidence=asked.answer.wish.confidence)


def _comparison(asked: PoseFile) -> Iterator[bytes]:
    yield comparison_pdf(asked.report())


def _curves(asked: PoseFile) -> Iterator[bytes]:
    report = asked.report()
    yield angle_curves(report.movement, report.summary)


def _strip(asked: PoseFile) -> Iterator[bytes]:
    report, least = asked.report(), asked.answer.wish.confidence
    yield stick_figure_strip(report.chosen, report.track_id, least_confidence=least)


FORMATS: Mapping[str, PoseFormat] = MappingProxyType(
    {
        "csv": PoseFormat("text/csv; charset=utf-8", "csv", _csv),
        "trc": PoseFormat("text/plain; charset=utf-8", "trc", _trc, measures=False),
        "mot": PoseFormat("text/plain; charset=utf-8", "mot", _mot),
        "pdf": PoseFormat("application/pdf", "pdf", _pdf),
        "comparison": PoseFormat("application/pdf", "comparison.pdf", _comparison),
        "curves": PoseFormat("image/png", "curves.png", _curves),
        "strip": PoseFormat("image/png", "strip.png", _strip),
    }
)
"""Beside `json`, which is the answer itself."""
