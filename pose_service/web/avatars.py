"""Avatars: made from a photograph or a clip, asked for, and forgotten."""

from flask import Blueprint, Response, request

from pose_service.avatar.avatar_record import MEDIA_TYPES
from pose_service.core.errors import NotFoundError
from pose_service.jobs.records import JobKind
from pose_service.web.answers import json_answer, stream_answer
from pose_service.web.avatar_answers import (
    avatar_fields,
    job_fields,
    queued_fields,
    version_fields,
)
from pose_service.web.avatar_forms import VersionForm
from pose_service.web.avatar_jobs import submitted
from pose_service.web.clip_jobs import find_job
from pose_service.web.forms import read_form
from pose_service.web.service import service

blueprint = Blueprint("avatars", __name__)


@blueprint.post("/api/v1/avatar")
@blueprint.post("/avatar")
def new_avatar() -> Response:
    """Queue a photograph, or a clip of somebody turning; the answer is the job to ask for."""
    return json_answer(queued_fields(submitted()), 202)


@blueprint.get("/api/v1/avatar/job/<job_id>")
@blueprint.get("/avatar/job/<job_id>")
def avatar_job(job_id: str) -> Response:
    """Where the making of an avatar is."""
    return json_answer(job_fields(find_job(job_id, JobKind.AVATAR)))


@blueprint.get("/api/v1/avatar/<user_id>")
@blueprint.get("/avatar/<user_id>")
def avatar(user_id: str) -> Response:
    """The newest avatar of a user, or the version asked for."""
    version = read_form(VersionForm, request.args, text=True).version
    found = service().jobs.avatars.get(user_id, version)
    return _unkept(json_answer(avatar_fields(found)))


@blueprint.get("/api/v1/avatar/<user_id>/versions")
@blueprint.get("/avatar/<user_id>/versions")
def versions(user_id: str) -> Response:
    """All versions that are kept, newest first."""
    found = service().jobs.avatars.versions(user_id)
    return _unkept(
        json_answer({"user_id": user_id, "versions": [version_fields(one) for one in found]})
    )


@blueprint.get("/api/v1/avatar/<user_id>/files/<version>/<name>")
@blueprint.get("/avatar/<user_id>/files/<version>/<name>")
def file(user_id: str, version: str, name: str) -> Response:
    """One file of an avatar."""
    if name not in MEDIA_TYPES:
        raise NotFoundError(
            f"an avatar has no file {name[:64]!r}", hint=f"There are {', '.join(MEDIA_TYPES)}."
        )
    number = read_form(VersionForm, {"version": version}, text=True).version
    room = service().jobs.avatars
    pieces = room.read(room.get(user_id, number), name)
    return _unkept(stream_answer(pieces, content_type=MEDIA_TYPES[name]))


@blueprint.delete("/api/v1/avatar/<user_id>")
@blueprint.delete("/avatar/<user_id>")
def forget(user_id: str) -> Response:
    """Remove all that is kept of a user: records, files, jobs in any state."""
    removed = service().jobs.avatars.remove(user_id)
    return json_answer(
        {
            "user_id": user_id,
            "removed": True,
            "versions": removed.versions,
            "files_pending": removed.files_pending,
        }
    )


def _unkept(response: Response) -> Response:
    """Nobody on the way keeps a copy that would outlive the avatar."""
    response.headers["Cache-Control"] = "private, no-store"
    return response
