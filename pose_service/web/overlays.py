"""Finished clips with their people drawn over them: one frame, or all as a video."""

from pathlib import Path

from flask import Blueprint, Response, request, send_file

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadRequestError
from pose_service.jobs.records import Job, JobState
from pose_service.media.decode import Clip, open_clip
from pose_service.pipeline.drawing import Overlay, draw_frame
from pose_service.rendering.style import OverlayStyle
from pose_service.web.clip_jobs import clip_answer, find_job, unfinished_answer
from pose_service.web.forms import OverlayForm, read_form
from pose_service.web.overlay_files import overlay_name
from pose_service.web.service import part_of, service

blueprint = Blueprint("overlays", __name__)


@blueprint.get("/pose/video/overlay/<job_id>")
def overlay(job_id: str) -> Response:
    """A complete clip as an mp4 with its people drawn; of any other job, what there is to say."""
    form = read_form(OverlayForm, request.args, text=True)
    job = find_job(job_id)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    return send_file(overlay_video(job, form.style), "video/mp4", conditional=True)


def overlay_frame(job: Job, number: int, style: OverlayStyle) -> ImageArray:
    """(height, width, 3) RGB: frame `number` of a complete clip with its people."""
    answer = clip_answer(job)
    tracked = next(answer.clip.frames(number, number + 1), None)
    if tracked is None:
        last = answer.clip.head.info.frame_count - 1
        raise BadRequestError(f"frame {number}: the clip has frames 0 to {last}")
    image = source_clip(job).frame(number).image
    return draw_frame(answer.maker.body, image, tracked, style)


def overlay_video(job: Job, style: OverlayStyle) -> Path:
    """The mp4 of a complete clip in the job's folder, made now unless it was before."""
    here = service()

    def write(path: Path) -> None:
        answer = clip_answer(job)
        with here.metrics.clip_stages() as stages:
            Overlay(source_clip(job), answer.clip, answer.maker.body, style).write(path, stages)

    return here.overlays.made(overlay_folder(job) / overlay_name(style), write)


def overlay_folder(job: Job) -> Path:
    """Where the overlay videos of a job lie, and go when the job goes."""
    return service().jobs.drawing_folder(job)


def source_clip(job: Job) -> Clip:
    """The part of the clip that a job was made from: its frames are numbered as the job's."""
    here = service()
    source = here.jobs.source_file(job)
    return open_clip(source, max_pixels=here.settings.max_pixels, part=part_of(job))
