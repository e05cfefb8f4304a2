"""From a request to a clip job, and from a job to its answer."""

from pathlib import Path
from typing import Any, TypeVar

from flask import Response, request

from pose_service.core.errors import BadRequestError, GoneError, UnavailableError
from pose_service.jobs.records import Job, JobOptions, JobState
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.media.decode import open_clip
from pose_service.media.paths import resolve_media_path
from pose_service.pipeline.results import StoredClip
from pose_service.web.answers import json_answer
from pose_service.web.errors import error_answer
from pose_service.web.forms import ClipForm, SliceForm, read_form
from pose_service.web.request_log import note
from pose_service.web.service import service
from pose_service.web.uploads import Upload

# polls give up after 10 s; a finished clip needs the body model to be written
_MAKER_WAIT_S = 5.0

AnySlice = TypeVar("AnySlice", bound=SliceForm)


def submit_path(video_path: str, form: ClipForm) -> Job:
    """Queue the clip that lies where the caller says."""
    settings = service().settings
    source = resolve_media_path(video_path, roots=settings.media_roots, path_map=settings.path_map)
    return _submit(source, video_path, form, uploaded=False)


def submit_upload(upload: Upload, form: ClipForm) -> Job:
    """Queue the clip that came with the request."""
    return _submit(upload.path, upload.name, form, uploaded=True)


def _submit(source: Path, said: str, form: ClipForm, *, uploaded: bool) -> Job:
    """Bad files are refused here and now, not after they have waited their turn."""
    here = service()
    if here.hub.state.status == "not_ready":
        here.hub.wait(0)
    open_clip(source, max_pixels=here.settings.max_pixels)
    options = JobOptions(
        max_frames=form.max_frames,
        smooth=form.smooth,
        faces=form.faces,
        mesh=form.mesh,
        precision=form.precision,
        joint_sets=tuple(form.joint_sets),
        raw=form.raw,
        merge_tracks=here.settings.merge_tracks if form.merge_tracks is None else form.merge_tracks,
    )
    job = here.jobs.submit(source, said, options, uploaded=uploaded)
    note(job_id=job.job_id, outcome="queued")
    return job


def find_job(job_id: str) -> Job:
    """The job of this id; `NotFoundError` if there is none."""
    note(job_id=job_id)
    job = service().jobs.get(job_id)
    note(outcome=job.state.value)
    return job


def read_slice(form: type[AnySlice]) -> AnySlice:
    """The query of the request in hand; `BadRequestError` if its slice ends before it starts."""
    wanted = read_form(form, request.args, text=True)
    if wanted.last is not None and wanted.last < wanted.first:
        raise BadRequestError(f"to: expected {wanted.first} (from) or more, got {wanted.last}")
    return wanted


def clip_answer(job: Job) -> ClipAnswer:
    """What is answered of a complete job; `GoneError` if this service cannot pose its bodies."""
    here = service()
    clip = StoredClip.open(here.folder(job.job_id))
    maker = here.maker(_MAKER_WAIT_S)
    if clip.head.body_name != maker.body.name:
        raise GoneError(
            f"this clip was made with the body {clip.head.body_name}; "
            f"the service now runs with {maker.body.name}",
            hint="Send the clip again, or start the service with the engine of that time.",
        )
    asked = job.options
    options = AnswerOptions(
        Faces(asked.faces), asked.mesh, asked.precision, True, asked.joint_sets, asked.raw
    )
    return ClipAnswer.whole(clip, maker, options, _job_fields(job))


def _job_fields(job: Job) -> dict[str, Any]:
    took_s = round((job.completed_at or 0.0) - (job.started_at or 0.0), 3)
    return {
        "job_id": job.job_id,
        "video_path": job.video_path,
        "processing_time_seconds": took_s,
        "processing_time": took_s,
    }


def unfinished_answer(job: Job) -> Response:
    """Anything but a complete job: still waiting (202), or why it failed."""
    if job.state is not JobState.ERROR:
        return _queued(job)
    message, code = job.error or "the clip failed", job.error_type or "INTERNAL"
    status = job.error_status or 500
    if status == UnavailableError.status:
        raise UnavailableError(message, code=code)
    return error_answer(status, message, code)


def _queued(job: Job) -> Response:
    place = service().jobs.queue_position(job.job_id)
    message = "the clip is being processed" if place == 0 else f"the clip is number {place} in line"
    return json_answer(
        {
            "status": "queued",
            "job_id": job.job_id,
            "message": f"{message}: GET /pose/video/status/{job.job_id}",
            "queue_position": max(1, place),
        },
        202,
    )
