"""Annotated clips in the folders of their jobs, made when somebody asks."""

from pathlib import Path

from pose_service.core.errors import NotFoundError
from pose_service.jobs.records import Job
from pose_service.legacy.pose_clip import PoseAnswer
from pose_service.pipeline.keypoint_clip import MeasuredClip
from pose_service.reports.annotated import Film, write_annotated
from pose_service.reports.beside import SecondClip, StepTimes
from pose_service.reports.picture import AnnotatedClip, AnnotationStyle
from pose_service.web.overlays import overlay_folder, source_clip
from pose_service.web.service import service

FILM_NAME = "annotated.mp4"


def annotated_video(job: Job, answer: PoseAnswer) -> Path:
    """The mp4 of a complete clip in the job's folder, made now unless it was before."""
    here = service()

    def write(path: Path) -> None:
        info = answer.clip.head.info
        with here.metrics.clip_stages() as stages:
            film = Film(info.fps, info.frame_count, stages)
            write_annotated(path, _annotated(job, answer.measured), film, _second(answer))

    return here.overlays.made(overlay_folder(job) / FILM_NAME, write)


def _annotated(job: Job, clip: MeasuredClip) -> AnnotatedClip:
    head = clip.clip.head
    style = AnnotationStyle(clip.wish.confidence, primary_id=head.primary_id)
    pictures = source_clip(job).frames(head.info.frame_count)
    return AnnotatedClip(pictures, clip.frames(), clip.measures, style)


def _second(answer: PoseAnswer) -> SecondClip | None:
    """The clip that it is compared with, unless it or its pictures are there no more."""
    comparison, _ = answer.comparison
    if comparison is None or answer.other is None or answer.other.clip is None:
        return None
    other = MeasuredClip.of(answer.other.clip, answer.wish)
    try:
        shown = _annotated(service().jobs.get(answer.other.job_id), other)
    except NotFoundError:
        return None
    return SecondClip(shown, StepTimes.of(comparison))
