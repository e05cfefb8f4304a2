"""Lines of log that say which request, job and frame they belong to: for people, or as JSON."""

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CONTEXT = ("request_id", "job_id", "frame_number")
"""What a line says of itself, where it is known."""

_MORE = ("method", "route", "status", "ms", "outcome")
_LONGEST_WORD = 200
"""Longer ones are pictures in base64, not words."""

_SECRETS = (
    # a name and password before the host, and what follows the ? of an address (keys, signatures)
    (re.compile(r"(\w://)[^/\s@]+@"), r"\1***@"),
    (re.compile(r"(\w://[^\s?\"']+\?)[^\s\"']+"), r"\1***"),
    (
        re.compile(rf"[A-Za-z0-9+/=_-]{{{_LONGEST_WORD},}}"),
        lambda found: f"<{len(found[0])} characters>",
    ),
)

_bound: ContextVar[dict[str, object]] = ContextVar("log_context")


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Within the block every line of this thread has these of `CONTEXT`, beside those outside."""
    token = _bound.set({**_bound.get({}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def without_secrets(text: str) -> str:
    """`text` fit for a log: no passwords or keys of addresses, no pictures.

    >>> without_secrets("s3://me:secret@host/a.mp4?X-Amz-Signature=abc is not there")
    's3://***@host/a.mp4?*** is not there'
    """
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class TextFormatter(logging.Formatter):
    """A line as people read it; what belongs to it and is not in its words stands behind them."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        known = _known(record)
        said = (
            f"{name}={known[name]}"
            for name in CONTEXT
            if name in known and f" {known[name]} " not in line
        )
        return " ".join([line, *(words for words in said if words not in line)])

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (UTC), `level`, `logger`, `message`, and what is known."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {
            "time": f"{stamp}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            **_known(record),
        }
        if record.exc_info:
            fields["exception"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(fields, default=str)


def formatter(log_format: str) -> logging.Formatter:
    """The one for `POSE_LOG_FORMAT`: "text" or "json"."""
    return JsonFormatter() if log_format == "json" else TextFormatter()


def _known(record: logging.LogRecord) -> dict[str, object]:
    """What the line was given itself, before what is bound around it."""
    own = {name: getattr(record, name, None) for name in (*CONTEXT, *_MORE)}
    given = {name: value for name, value in own.items() if value is not None}
    known = {**_bound.get({}), **given}
    return {
        name: without_secrets(value) if isinstance(value, str) else value
        for name, value in known.items()
        if value is not None
    }
