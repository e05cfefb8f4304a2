"""One line of log per request, since callers do not read the body of an error."""

import logging
import time

from flask import Flask, Response, g, request

log = logging.getLogger(__name__)

_PREFIXES = {"frames": "[POSE]", "batches": "[BATCH]", "clips": "[VIDEO]", "legacy_jobs": "[VIDEO]"}


def register(app: Flask) -> None:
    """Time every request and log how it ended."""
    app.before_request(_start)
    app.after_request(_write)


def note(*, frame_number: int | None = None, job_id: str | None = None, outcome: str = "") -> None:
    """What the log line and an error body say of this request, as far as it is known by now."""
    known = {"frame_number": frame_number, "job_id": job_id, "outcome": outcome or None}
    for name, value in known.items():
        if value is not None:
            setattr(g, name, value)


def noted(name: str) -> int | str | None:
    """What `note` was told under this name."""
    value: int | str | None = g.get(name)
    return value


def _start() -> None:
    g.started = time.perf_counter()


def _write(response: Response) -> Response:
    elapsed_ms = 1000 * (time.perf_counter() - g.started)
    ids = " ".join(
        f"{name}={noted(name)}" for name in ("frame_number", "job_id") if noted(name) is not None
    )
    # a path or message may hold line breaks of the caller's making
    words = f"{request.method} {request.path} {response.status_code} {elapsed_ms:.1f} ms {ids} "
    line = " ".join(f"{words}{noted('outcome') or ''}".split())
    level = logging.INFO if response.status_code < 400 else logging.WARNING
    log.log(level, "%s %s", _PREFIXES.get(request.blueprint or "", "[HTTP]"), line)
    return response
