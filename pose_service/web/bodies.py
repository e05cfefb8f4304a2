"""Request bodies: JSON objects, and multipart parts with text fields and files."""

from typing import Any

import orjson
from flask import request
from werkzeug.datastructures import FileStorage

from pose_service.core.errors import BadRequestError, UnsupportedTypeError
from pose_service.web.forms import LARGEST_INTEGER, shown
from pose_service.web.request_log import note

MULTIPART = "multipart/form-data"


def is_multipart() -> bool:
    return request.mimetype == MULTIPART


def json_object(*, or_multipart: bool = False) -> dict[str, Any]:
    """The body, which must be one JSON object; its frame number is noted for errors and the log."""
    if not request.is_json:
        wanted = f"application/json or {MULTIPART}" if or_multipart else "application/json"
        raise UnsupportedTypeError(
            f"Content-Type: expected {wanted}, got {request.mimetype or 'none'}",
            hint='Send a JSON object with the header "Content-Type: application/json".',
        )
    data = request.get_data(cache=False)
    # a body that does not say how long it is was cut at the limit: one more byte raises 413
    request.stream.read(1)
    if not data.strip():
        raise BadRequestError("the body is empty: expected a JSON object")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    fields = as_object(body, "the body")
    note(frame_number=frame_number_in(fields))
    return fields


def as_object(value: object, name: str) -> dict[str, Any]:
    """`value` if it is a JSON object."""
    if not isinstance(value, dict):
        raise BadRequestError(f"{name}: expected a JSON object, got {shown(value)}")
    return value


def frame_number_in(fields: object) -> int | None:
    """The caller's frame number, if there is one that can be given back."""
    number = fields.get("frame_number") if isinstance(fields, dict) else None
    return number if type(number) is int and 0 <= number <= LARGEST_INTEGER else None


def file_part(*names: str) -> FileStorage:
    """The file of the first of `names` that arrived; the error lists the parts that did."""
    for name in names:
        if name in request.files:
            return request.files[name]
    raise missing_part(names, [*request.files, *request.form])


def missing_part(wanted: tuple[str, ...], came: list[str]) -> BadRequestError:
    """No file part of the right name."""
    parts = ", ".join(came) if came else "none"
    return BadRequestError(
        f"expected a file part named {' or '.join(wanted)}; the parts that arrived: {parts}",
        hint="A file part has a filename; a text part of the same name is not enough.",
    )
