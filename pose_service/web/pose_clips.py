"""Clips to keypoints and how they move: POST /pose with a clip, and what is asked of its job."""

from collections.abc import Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, request, send_file

from pose_service.core.errors import BadRequestError, NotFoundError
from pose_service.jobs.records import Job, JobKind, JobState
from pose_service.legacy.downloads import stem_of
from pose_service.legacy.frame import Fields
from pose_service.legacy.pose_clip import Other, PoseAnswer
from pose_service.legacy.pose_files import FORMATS, pose_file
from pose_service.pipeline.keypoint_results import StoredKeypoints
from pose_service.pipeline.keypoint_wish import KeypointWish
from pose_service.web.answers import file_answer, json_answer, stream_answer
from pose_service.web.clip_jobs import (
    find_job,
    read_slice,
    status_fields,
    submit_path,
    submit_upload,
    submit_url,
    unfinished_answer,
)
from pose_service.web.forms import read_form
from pose_service.web.pose_films import annotated_video
from pose_service.web.pose_forms import (
    JSON_FORMAT,
    PoseForm,
    PosePathForm,
    PoseResultForm,
    PoseUrlForm,
)
from pose_service.web.service import service
from pose_service.web.uploads import Upload

blueprint = Blueprint("pose_clips", __name__)

_SOURCES = ("video_url", "video_path")

AnyPose = TypeVar("AnyPose", bound=PoseForm)


def names_a_clip(fields: Mapping[str, Any]) -> bool:
    """Whether the body of POST /pose asks for a clip."""
    return any(name in fields for name in _SOURCES)


def answer_named_clip(fields: Mapping[str, Any]) -> Response:
    """A clip by its address or path; as `/pose/video`, the answer or the job to ask for."""
    sources = [name for name in (*_SOURCES, "image_base64") if name in fields]
    if len(sources) > 1:
        raise BadRequestError(f"{' and '.join(sources)}: expected one of them, got both")
    free = service().jobs.is_free()
    if "video_url" in fields:
        from_web = _read(PoseUrlForm, fields)
        return _answer(submit_url(from_web.video_url, from_web), from_web, free=free)
    on_disk = _read(PosePathForm, fields)
    return _answer(submit_path(on_disk.video_path, on_disk), on_disk, free=free)


def answer_sent_clip(upload: Upload) -> Response:
    """A clip that came with the request."""
    free = service().jobs.is_free()
    form = _read(PoseForm, upload.fields, text=True)
    return _answer(submit_upload(upload, form), form, free=free)


@blueprint.get("/pose/status/<job_id>")
def status(job_id: str) -> Response:
    """Where a job is; its result is asked for at /pose/result/<job_id>."""
    job = find_job(job_id, JobKind.POSE)
    complete = job.state is JobState.COMPLETE
    address = _address(f"/pose/result/{job.job_id}") if complete else None
    return json_answer({**status_fields(job), "result_url": address})


@blueprint.get("/pose/result/<job_id>")
def result(job_id: str) -> Response:
    """A complete clip's answer, or the slice `?from=&to=` of its frames; or a file of it."""
    job = find_job(job_id, JobKind.POSE)
    wanted = read_slice(PoseResultForm)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    answer = pose_answer(job)
    if wanted.format != JSON_FORMAT:
        return _file(job, answer, wanted)
    if "from" in request.args or "to" in request.args:
        answer = answer.sliced(wanted.first, wanted.last)
    return stream_answer(answer.write())


@blueprint.get("/pose/annotated/<job_id>.mp4")
def annotated(job_id: str) -> Response:
    """A complete clip as an mp4 with keypoints, angles and scores drawn; with the clip that it is
    compared with beside it, in step.
    """
    job = find_job(job_id, JobKind.POSE)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    return send_file(annotated_video(job, pose_answer(job)), "video/mp4", conditional=True)


def pose_answer(job: Job) -> PoseAnswer:
    """What is answered of a complete job."""
    here = service()
    wish = KeypointWish.from_json(job.asked)
    took_s = round((job.completed_at or 0.0) - (job.started_at or 0.0), 3)
    fields: Fields = {
        "job_id": job.job_id,
        "video_path": job.video_path,
        "processing_time_seconds": took_s,
        "video_url": _address(f"/pose/annotated/{job.job_id}.mp4") if wish.video else None,
    }
    return PoseAnswer(
        clip=StoredKeypoints.open(here.jobs.result(job)),
        wish=wish,
        analysis=here.nets_config.biomechanics,
        fields=fields,
        other=_other(wish.compare_with),
    )


def _file(job: Job, answer: PoseAnswer, wanted: PoseResultForm) -> Response:
    """The clip in the format asked for, for a browser to save."""
    name = stem_of(job.video_path)
    asked = pose_file(wanted.format, answer, name, wanted.track)
    made_as = FORMATS[wanted.format]
    return file_answer(made_as.write(asked), made_as.media_type, f"{name}.{made_as.ending}")


def _read(form: type[AnyPose], fields: Mapping[str, Any], *, text: bool = False) -> AnyPose:
    """What is asked; a clip that it is to be compared with must be there."""
    asked = read_form(form, fields, text=text)
    if asked.compare_with is not None:
        _expect_comparable(asked.compare_with)
    return asked


def _answer(job: Job, form: PoseForm, *, free: bool) -> Response:
    here = service()
    if form.later or not free:
        return unfinished_answer(job)
    job = here.jobs.wait(job.job_id, here.settings.clip_wait_s)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    return stream_answer(pose_answer(find_job(job.job_id, JobKind.POSE)).write())


def _expect_comparable(job_id: str) -> None:
    try:
        job = service().jobs.get(job_id)
    except NotFoundError:
        job = None
    if job is None or job.kind is not JobKind.POSE:
        raise BadRequestError(
            f"compare_with: no clip was sent to /pose as job {job_id}",
            hint="Send that clip first; its answer has the job_id.",
        )
    if job.finished and job.state is not JobState.COMPLETE:
        raise BadRequestError(f"compare_with: job {job_id} has no result: {job.state.value}")


def _other(job_id: str | None) -> Other | None:
    """The clip to compare with; it may be kept no longer by now."""
    if job_id is None:
        return None
    jobs = service().jobs
    try:
        return Other(job_id, StoredKeypoints.open(jobs.result(jobs.get(job_id))))
    except NotFoundError:
        return Other(job_id, None)


def _address(path: str) -> str:
    """`path` of this service, as the caller reached it."""
    return request.host_url.rstrip("/") + path
