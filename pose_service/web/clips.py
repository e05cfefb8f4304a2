"""Clips: /pose/video and its status."""

from flask import Blueprint, Response, request

from pose_service.core.errors import BadRequestError
from pose_service.jobs.records import Job, JobState
from pose_service.legacy.encode import object_with_lists
from pose_service.web.answers import json_answer, stream_answer
from pose_service.web.bodies import is_multipart, json_object
from pose_service.web.clip_jobs import (
    clip_answer,
    find_job,
    read_slice,
    status_fields,
    submit_path,
    submit_upload,
    submit_url,
    unfinished_answer,
)
from pose_service.web.forms import ClipForm, ClipPathForm, ClipUrlForm, SliceForm, read_form
from pose_service.web.service import service
from pose_service.web.uploads import received_file

blueprint = Blueprint("clips", __name__)


@blueprint.post("/pose/video")
def pose_video() -> Response:
    """A clip by path or upload: its answer when the service is free, else the job to ask for.

    A clip that takes longer than the wait goes on as a job.
    """
    here = service()
    free = here.jobs.is_free()
    form, job = _from_upload() if is_multipart() else _from_path()
    if form.later or not free:
        return unfinished_answer(job)
    job = here.jobs.wait(job.job_id, here.settings.clip_wait_s)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    return stream_answer(clip_answer(find_job(job.job_id)).write())


@blueprint.get("/pose/video/status/<job_id>")
def status(job_id: str) -> Response:
    """Where a job is; with its result when complete, or the slice `?from=&to=` of its frames."""
    job = find_job(job_id)
    wanted = read_slice(SliceForm)
    fields = status_fields(job)
    if job.state is not JobState.COMPLETE:
        return json_answer({**fields, "result": None})
    answer = clip_answer(job)
    if "from" in request.args or "to" in request.args:
        answer = answer.sliced(wanted.first, wanted.last)
    return stream_answer(object_with_lists(fields, {"result": answer.write()}))


def _from_upload() -> tuple[ClipForm, Job]:
    with received_file("video", service().uploads_dir) as upload:
        form = read_form(ClipForm, upload.fields, text=True)
        return form, submit_upload(upload, form)


def _from_path() -> tuple[ClipForm, Job]:
    fields = json_object(or_multipart=True)
    if "video_url" not in fields:
        form = read_form(ClipPathForm, fields)
        return form, submit_path(form.video_path, form)
    if "video_path" in fields:
        raise BadRequestError("video_path and video_url: expected one of them, got both")
    from_web = read_form(ClipUrlForm, fields)
    return from_web, submit_url(from_web.video_url, from_web)
