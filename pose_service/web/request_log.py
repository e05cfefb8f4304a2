"""One line of log per request, since callers do not read the body of an error."""

import logging
import re
import time
import uuid
from contextlib import ExitStack

from flask import Flask, Response, g, request

from pose_service.core.logs import log_context

log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-Id"

_PREFIXES = {
    "frames": "[POSE]",
    "batches": "[BATCH]",
    "clips": "[VIDEO]",
    "avatars": "[AVATAR]",
    "overlays": "[VIDEO]",
    "legacy_jobs": "[VIDEO]",
}
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def register(app: Flask) -> None:
    """Name and time every request, log how it ended, and send its name back."""
    app.before_request(_start)
    app.after_request(_write)
    app.teardown_request(_end)


def note(
    *,
    frame_number: int | None = None,
    job_id: str | None = None,
    outcome: str = "",
    error_type: str | None = None,
) -> None:
    """What the log line and an error body say of this request, as far as it is known by now."""
    ids = {"frame_number": frame_number, "job_id": job_id}
    known = {**ids, "outcome": outcome or None, "error_type": error_type}
    for name, value in known.items():
        if value is not None:
            setattr(g, name, value)
    bound = {name: value for name, value in ids.items() if value is not None}
    if bound:
        context: ExitStack = g.log_context
        context.enter_context(log_context(**bound))


def noted(name: str) -> int | str | None:
    """What `note` was told under this name."""
    value: int | str | None = g.get(name)
    return value


def elapsed_s() -> float:
    """Since the request in hand arrived."""
    started_s: float = g.started_s
    return time.perf_counter() - started_s


def _start() -> None:
    g.started_s = time.perf_counter()
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
    g.log_context = ExitStack()
    g.log_context.enter_context(log_context(request_id=g.request_id))


def _write(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    elapsed_ms = round(1000 * elapsed_s(), 1)
    ids = " ".join(
        f"{name}={noted(name)}" for name in ("frame_number", "job_id") if noted(name) is not None
    )
    # a path or message may hold line breaks of the caller's making
    words = f"{request.method} {request.path} {response.status_code} {elapsed_ms:.1f} ms {ids} "
    line = " ".join(f"{words}{noted('outcome') or ''}".split())
    fields = {
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": elapsed_ms,
        "outcome": noted("outcome"),
    }
    level = logging.INFO if response.status_code < 400 else logging.WARNING
    prefix = _PREFIXES.get(request.blueprint or "", "[HTTP]")
    log.log(level, "%s %s", prefix, line, extra=fields)
    return response


def _end(_error: BaseException | None) -> None:
    """Nothing more belongs to this request."""
    context: ExitStack | None = g.pop("log_context", None)
    if context is not None:
        context.close()
