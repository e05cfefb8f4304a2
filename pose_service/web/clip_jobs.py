"""From a request to a clip job, and from a job to its answer."""

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any, TypeVar

from flask import Response, request

from pose_service.core.errors import BadRequestError, UnavailableError
from pose_service.jobs.describe import progress_of
from pose_service.jobs.records import Job, JobKind, JobState, Terms
from pose_service.jobs.service import Order
from pose_service.jobs.sources import check_source
from pose_service.jobs.store import unknown_job
from pose_service.jobs.webhook import check_callback
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.media.decode import open_clip
from pose_service.media.paths import resolve_media_path
from pose_service.pipeline.results import StoredClip
from pose_service.web.answers import json_answer
from pose_service.web.errors import error_answer
from pose_service.web.forms import JobForm, OrderForm, SliceForm, read_form
from pose_service.web.request_log import note
from pose_service.web.service import service
from pose_service.web.uploads import Upload

# polls give up after 10 s; a finished clip needs the body model to be written
_MAKER_WAIT_S = 5.0
_KEY_HEADER = "Idempotency-Key"
_LONGEST_KEY = 200

STATUS_ROUTES = {JobKind.CLIP: "/pose/video/status", JobKind.POSE: "/pose/status"}

AnySlice = TypeVar("AnySlice", bound=SliceForm)


def submit_path(video_path: str, form: OrderForm) -> Job:
    """Queue the clip that lies where the caller says."""
    settings = service().settings
    source = resolve_media_path(video_path, roots=settings.media_roots, path_map=settings.path_map)
    open_clip(source, max_pixels=settings.max_pixels)
    return _submit(Order(video_path, source=str(source)), form)


def submit_upload(upload: Upload, form: OrderForm) -> Job:
    """Queue the clip that came with the request."""
    open_clip(upload.path, max_pixels=service().settings.max_pixels)
    return _submit(Order(upload.name, upload=upload.path), form)


def submit_url(video_url: str, form: OrderForm) -> Job:
    """Queue the clip at an address; it is fetched when its turn comes."""
    shown = check_source(video_url, service().settings)
    return _submit(Order(shown, source=video_url), form)


def _submit(order: Order, form: OrderForm) -> Job:
    """Bad files and addresses are refused here and now, not after they have waited their turn."""
    here = service()
    if form.end is not None and form.end <= form.start:
        raise BadRequestError(f"end: expected more than {form.start:g} (start), got {form.end:g}")
    options, asked = form.options(here), form.asked(here)
    return submit_order(replace(order, options=options, kind=form.kind, asked=asked), form)


def submit_order(order: Order, form: JobForm) -> Job:
    """Queue a job of any kind; `UnavailableError` where the engine can never work on it."""
    here = service()
    if here.hub.state.status == "not_ready" and not here.settings.front_only:
        here.hub.wait(0)
    job = here.jobs.submit(replace(order, terms=_terms(order, form)))
    note(job_id=job.job_id, outcome="queued")
    return job


def _terms(order: Order, form: JobForm) -> Terms:
    settings = service().settings
    if form.keep_days is not None and form.keep_days > settings.max_keep_days:
        raise BadRequestError(
            f"keep_days: expected at most {settings.max_keep_days:g}, got {form.keep_days:g}",
            hint="POSE_MAX_KEEP_DAYS is the limit.",
        )
    if form.callback_url is not None:
        check_callback(form.callback_url, settings)
    key = request.headers.get(_KEY_HEADER)
    if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
        raise BadRequestError(f"{_KEY_HEADER}: expected 1 to {_LONGEST_KEY} letters")
    return Terms(
        client=request.remote_addr or "",
        keep_s=None if form.keep_days is None else 86_400 * form.keep_days,
        callback_url=form.callback_url,
        idempotency_key=key,
        request_digest=None if key is None else _digest(order, form),
    )


def _digest(order: Order, form: JobForm) -> str:
    """The same for the same request: what is asked for, and the bytes of an uploaded file."""
    asked = {**asdict(order.options), "keep": form.keep_days, "callback": form.callback_url}
    asked |= {"source": order.source, "name": order.video_path}
    asked |= {"kind": order.kind, "asked": order.asked, "user_id": order.user_id}
    if order.upload is not None:
        with order.upload.open("rb") as file:
            asked["file"] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def old_word(job: Job) -> str:
    """The state in the words that older callers wait for: they would wait for ever for others."""
    return (JobState.ERROR if job.state is JobState.CANCELLED else job.state).value


def status_fields(job: Job) -> dict[str, Any]:
    """How far a job about a clip is, in the words of the older status routes."""
    return {
        "job_id": job.job_id,
        "status": old_word(job),
        "done": job.finished,
        "video_path": job.video_path,
        "queued_at": job.queued_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "progress": progress_of(job),
        "queue_position": service().jobs.queue_position(job.job_id),
        "error": job.reason,
        "error_type": job.error_type,
    }


def find_job(job_id: str, kind: JobKind | None = JobKind.CLIP) -> Job:
    """The job of this id; `NotFoundError` if there is none of this kind (None: of any)."""
    note(job_id=job_id)
    job = service().jobs.get(job_id)
    if kind is not None and job.kind is not kind:
        raise unknown_job(job_id)
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
    clip = StoredClip.open(here.jobs.result(job))
    maker = here.clip_maker(clip.head, _MAKER_WAIT_S)
    asked = job.options
    options = AnswerOptions(
        Faces(asked.faces), asked.mesh, asked.precision, True, asked.joint_sets, asked.raw
    )
    info = clip.head.info
    part = {"source_frames": {"first": info.first_frame, "every": info.every}}
    return ClipAnswer.whole(clip, maker, options, {**_job_fields(job), **part})


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
    if not job.finished:
        return _queued(job)
    message, code = job.reason or "the clip failed", job.error_type or "INTERNAL"
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
            "message": f"{message}: GET {STATUS_ROUTES.get(job.kind, '/jobs')}/{job.job_id}",
            "queue_position": max(1, place),
        },
        202,
    )
