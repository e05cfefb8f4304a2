"""How large a body may be, told by the route and its content type."""

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from pose_service.web.bodies import is_multipart
from pose_service.web.service import service

MEGABYTE = 1024 * 1024
UPLOAD_BLUEPRINTS = ("clips", "legacy_jobs", "avatars")
UPLOAD_ENDPOINTS = ("frames.pose",)


def register(app: Flask) -> None:
    """Set the limits of each request before anything of its body is read."""
    app.before_request(_set_limits)
    app.after_request(_hear_out)


def _set_limits() -> None:
    settings = service().settings
    takes_clips = request.blueprint in UPLOAD_BLUEPRINTS or request.endpoint in UPLOAD_ENDPOINTS
    takes_uploads = takes_clips and is_multipart()
    megabytes = settings.max_upload_mb if takes_uploads else settings.max_body_mb
    request.max_content_length = megabytes * MEGABYTE
    # text parts count against this one, 500 kB by default; file parts go to disk
    request.max_form_memory_size = settings.max_body_mb * MEGABYTE


def expect_body_size(sent_bytes: int) -> None:
    """Refuse what came where clips may come too, and is none."""
    limit = service().settings.max_body_mb * MEGABYTE
    if max(sent_bytes, request.content_length or 0) > limit:
        request.max_content_length = limit
        raise RequestEntityTooLarge


def _hear_out(response: Response) -> Response:
    """Read what a refused caller still sends, up to the size of an upload.

    gunicorn closes a connection with unread data in it, and then the caller sees a broken pipe
    instead of the answer. Servers that do not mark the end of the body hear it out themselves.
    """
    if response.status_code >= 400 and request.environ.get("wsgi.input_terminated"):
        left = service().settings.max_upload_mb * MEGABYTE
        body = request.environ["wsgi.input"]
        while left > 0 and (piece := body.read(min(left, MEGABYTE))):
            left -= len(piece)
    return response
