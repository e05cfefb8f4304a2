"""Avatars and their jobs as JSON."""

from typing import Any
from urllib.parse import quote

import orjson
from flask import request

from pose_service.avatar.avatar_record import (
    GLB_NAME,
    OBJ_NAME,
    PARAMS_NAME,
    SHEET_PDF_NAME,
    SHEET_PNG_NAME,
    SOURCE_NAME,
)
from pose_service.jobs.avatar_rows import Avatar
from pose_service.jobs.describe import progress_of
from pose_service.jobs.records import Job, JobState
from pose_service.web.clip_jobs import old_word
from pose_service.web.service import service

PREFIX = "/api/v1/avatar"

URL_FIELDS = {
    "smplx_params_url": PARAMS_NAME,
    "mesh_url": OBJ_NAME,
    "mesh_glb_url": GLB_NAME,
    "sheet_url": SHEET_PNG_NAME,
    "sheet_pdf_url": SHEET_PDF_NAME,
    "source_image_url": SOURCE_NAME,
}


def queued_fields(job: Job) -> dict[str, Any]:
    """The answer to a request for an avatar: the job to ask for."""
    place = service().jobs.queue_position(job.job_id)
    return {
        "status": old_word(job),
        "job_id": job.job_id,
        "user_id": job.user_id,
        "message": f"GET {PREFIX}/job/{job.job_id}",
        "queue_position": place,
    }


def job_fields(job: Job) -> dict[str, Any]:
    """Where a job is; the avatar it made, or why it made none."""
    here = service().jobs
    avatar = here.avatars.of_job(job.job_id) if job.state is JobState.COMPLETE else None
    return {
        "job_id": job.job_id,
        "user_id": job.user_id,
        "status": old_word(job),
        "done": job.finished,
        "avatar_id": avatar and avatar.avatar_id,
        "version": avatar and avatar.version,
        "queued_at": job.queued_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "progress": progress_of(job),
        "queue_position": here.queue_position(job.job_id),
        "error": job.error,
        "error_type": job.error_type,
        "hint": job.error_hint,
    }


def avatar_fields(avatar: Avatar) -> dict[str, Any]:
    """The whole record of one version."""
    record = orjson.loads(avatar.record)
    urls = {field: _file_url(avatar, name) for field, name in URL_FIELDS.items()}
    return {**_ids(avatar), **record, **urls}


def version_fields(avatar: Avatar) -> dict[str, Any]:
    """One version in the list of all."""
    record = orjson.loads(avatar.record)
    said = ("gender", "height_cm", "body", "engine", "model_version")
    url = f"{_user_url(avatar)}?version={avatar.version}"
    return {**_ids(avatar), **{name: record[name] for name in said}, "url": url}


def _ids(avatar: Avatar) -> dict[str, Any]:
    return {
        "avatar_id": avatar.avatar_id,
        "user_id": avatar.user_id,
        "version": avatar.version,
        "created_at": round(avatar.created_at, 3),
    }


def _file_url(avatar: Avatar, name: str) -> str:
    return f"{_user_url(avatar)}/files/{avatar.version}/{name}"


def _user_url(avatar: Avatar) -> str:
    """Under the name by which the caller reached this service."""
    return f"{request.url_root.rstrip('/')}{PREFIX}/{quote(avatar.user_id, safe='')}"
