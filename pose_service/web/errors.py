"""The one place where errors become answers: JSON always, never a page, never a cut connection."""

import logging
import math
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from pose_service.core.errors import PoseError, UnavailableError
from pose_service.jobs.storage import disk_full, is_full
from pose_service.web.answers import json_answer
from pose_service.web.limits import MEGABYTE
from pose_service.web.request_log import note, noted

log = logging.getLogger(__name__)

_RETRY_AFTER_S = 30.0


def register(app: Flask) -> None:
    """Every exception that leaves a route goes through here."""
    app.register_error_handler(PoseError, _known_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)


def error_answer(status: int, message: str, code: str, hint: str = "", **more: Any) -> Response:
    """An error body, with the frame number or job id where they are known; also logged."""
    note(outcome=f"{message} ({code})", error_type=code)
    body = {"error": message, "error_type": code}
    ids = {name: noted(name) for name in ("frame_number", "job_id")}
    optional = {"hint": hint or None, **ids, **more}
    body.update({name: value for name, value in optional.items() if value is not None})
    return json_answer(body, status)


def _known_error(error: PoseError) -> Response:
    if not isinstance(error, UnavailableError) and error.status != UnavailableError.status:
        return error_answer(error.status, str(error), error.code, error.hint)
    wait_s = error.retry_after_s if isinstance(error, UnavailableError) else _RETRY_AFTER_S
    response = error_answer(
        error.status, str(error), error.code, error.hint, retry_after_seconds=wait_s
    )
    response.headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    return response


def _http_error(error: HTTPException) -> Response:
    """Flask's own errors: their pages are HTML, which callers cannot read."""
    status = error.code or 500
    code = error.name.upper().replace(" ", "_")
    response = error_answer(status, _sentence(error), code)
    allowed = dict(error.get_headers()).get("Allow")
    if allowed:
        response.headers["Allow"] = allowed
    return response


def _sentence(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return f"no route {request.method} {request.path}"
    if isinstance(error, MethodNotAllowed):
        allowed = " or ".join(sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"}))
        return f"{request.path} takes {allowed}, not {request.method}"
    if isinstance(error, RequestEntityTooLarge) and request.max_content_length is not None:
        limit_mb = request.max_content_length // MEGABYTE
        came = request.content_length
        got = "more came" if came is None else f"this one has {came / MEGABYTE:.1f} MB"
        return f"the body may have at most {limit_mb} MB; {got}"
    return error.description or error.name


def _unexpected_error(error: Exception) -> Response:
    if isinstance(error, OSError) and is_full(error):
        return _known_error(disk_full("take the request in"))
    log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return error_answer(
        500,
        f"internal error: {type(error).__name__}: {error}",
        "INTERNAL",
        "This is a fault of the service; its log has the details.",
    )
