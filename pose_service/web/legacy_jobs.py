"""The older clip routes of the phone and the back end, on the same jobs as /pose/video."""

import base64
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from pose_service.core.errors import BadRequestError
from pose_service.jobs.records import Job, JobState
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.encode import object_with_lists
from pose_service.media.images import encode_jpeg
from pose_service.web.answers import json_answer, stream_answer
from pose_service.web.clip_jobs import (
    clip_answer,
    find_job,
    old_word,
    submit_upload,
    unfinished_answer,
)
from pose_service.web.forms import OldClipForm, OverlayForm, read_form
from pose_service.web.overlay_files import OVERLAY_NAME
from pose_service.web.overlays import overlay_folder, overlay_frame, overlay_video
from pose_service.web.service import service
from pose_service.web.uploads import received_file

blueprint = Blueprint("legacy_jobs", __name__)

PROCESS_VIDEO_WAIT_S = 1800.0
"""Callers of /process_video set no time limit of their own."""

_MEGABYTE = 1024 * 1024
_BASE64_READ_BYTES = 3 * 64 * 1024
"""A multiple of three, so that the pieces' base64 texts can be joined."""


@blueprint.post("/process_video_async")
def process_video_async() -> Response:
    """Queue an uploaded clip; the phone insists on the word `accepted`."""
    _, job = _submitted()
    message = f"GET /job_status/{job.job_id}"
    return json_answer({"status": "accepted", "job_id": job.job_id, "message": message})


@blueprint.get("/job_status/<job_id>")
def job_status(job_id: str) -> Response:
    """Where a job is; with its result when complete."""
    job = find_job(job_id)
    fields: dict[str, Any] = {"job_id": job_id, "status": old_word(job)}
    if job.state is JobState.PROCESSING:
        fields["elapsed_time"] = round(time.time() - (job.started_at or time.time()), 3)
    if old_word(job) == JobState.ERROR:
        fields |= {"error": job.reason, "error_type": job.error_type}
    if job.state is not JobState.COMPLETE:
        return json_answer(fields)
    answer = clip_answer(job)
    old = _old_fields(answer, overlay_folder(job) / OVERLAY_NAME)
    fields |= {name: old[name] for name in ("output_path", "processing_time")}
    return stream_answer(object_with_lists(fields, {"result": _old_result(answer, old)}))


@blueprint.post("/process_video")
def process_video() -> Response:
    """Process an uploaded clip while the caller waits; an overlay video unless `json` was asked."""
    form, job = _submitted()
    job = service().jobs.wait(job.job_id, PROCESS_VIDEO_WAIT_S)
    if job.state is not JobState.COMPLETE:
        return unfinished_answer(job)
    answer = clip_answer(job)
    overlay = None if form.output_format == "json" else overlay_video(job, form.style)
    streams = {}
    if overlay and form.output_format == "base64":
        streams["output_base64"] = _base64_text(overlay)
    data = _old_result(answer, _old_fields(answer, overlay), streams)
    return stream_answer(
        object_with_lists({"status": "success"}, {"data": data, "frames": answer.frames()})
    )


@blueprint.get("/frame/<job_id>/<number>")
def frame(job_id: str, number: str) -> Response:
    """One frame of a finished clip with its people drawn over it, as JPEG."""
    job = find_job(job_id)
    if job.state is not JobState.COMPLETE:
        raise BadRequestError(f"the clip is not finished: {job.state.value}")
    if not (number.isascii() and number.isdigit()):
        raise BadRequestError(f"frame {number!r}: expected an integer of 0 or more")
    style = read_form(OverlayForm, request.args, text=True).style
    image = overlay_frame(job, int(number), style)
    return Response(encode_jpeg(image), content_type="image/jpeg")


@blueprint.get("/logs/<job_id>")
def logs(job_id: str) -> Response:
    """What happened to a job of any kind, a line each."""
    find_job(job_id, None)
    return json_answer({"job_id": job_id, "logs": service().jobs.log(job_id)})


def _submitted() -> tuple[OldClipForm, Job]:
    with received_file("video", service().uploads_dir) as upload:
        form = read_form(OldClipForm, upload.fields, text=True)
        return form, submit_upload(upload, form)


def _old_fields(answer: ClipAnswer, overlay: Path | None) -> dict[str, Any]:
    """The 3.5 fields and the older ones. `output_path` is null where no overlay was made."""
    made = overlay is not None and overlay.is_file()
    return {
        **answer.head(),
        "processed_frames": answer.clip.head.info.frame_count,
        "output_path": str(overlay) if made else None,
        "output_size_mb": round(overlay.stat().st_size / _MEGABYTE, 3) if overlay and made else 0.0,
    }


def _old_result(
    answer: ClipAnswer, fields: dict[str, Any], streams: dict[str, Iterator[bytes]] | None = None
) -> Iterator[bytes]:
    lists = {
        "frame_acceptance": answer.acceptance(),
        "pose_timeline": answer.timeline(),
        "frames": answer.frames(),
    }
    return object_with_lists(fields, {**(streams or {}), **lists})


def _base64_text(path: Path) -> Iterator[bytes]:
    """The file as a JSON string of base64, a piece at a time."""
    yield b'"'
    with path.open("rb") as file:
        yield from map(base64.b64encode, iter(partial(file.read, _BASE64_READ_BYTES), b""))
    yield b'"'
