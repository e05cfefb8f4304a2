"""Several pictures in one request: /pose/batch and the older /batch."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response

from pose_service.core.errors import BadRequestError, PoseError, UnavailableError
from pose_service.core.records import TrackedFrame
from pose_service.legacy.encode import encode, json_list, object_with_lists
from pose_service.legacy.frame import Fields, unreadable_answer
from pose_service.pipeline.session import SessionKey, SessionStore
from pose_service.web.answers import stream_answer
from pose_service.web.bodies import as_object, frame_number_in, json_object
from pose_service.web.forms import shown
from pose_service.web.frames import FrameRequest, answer_fields, picture_request
from pose_service.web.request_log import note
from pose_service.web.service import Service, service

blueprint = Blueprint("batches", __name__)

_KEY = SessionKey("batch", "")


@blueprint.post("/pose/batch")
def pose_batch() -> Response:
    """A bare list of 3.2 bodies in the order of `frames`; a bad frame is an entry with `error`."""
    return stream_answer(json_list(_answers("frames")))


@blueprint.post("/batch")
def batch() -> Response:
    """The same for the oldest clients, under `results`."""
    started = time.perf_counter()
    answers = _answers("images")
    elapsed_ms = round(1000 * (time.perf_counter() - started), 2)
    fields = {"total_processing_time_ms": elapsed_ms}
    return stream_answer(object_with_lists(fields, {"results": json_list(answers)}))


def _answers(name: str) -> list[bytes]:
    """One answer per entry; the pictures of one batch are followed in a session of their own."""
    entries = json_object().get(name)
    if not isinstance(entries, list):
        raise BadRequestError(f"{name}: expected a list of pictures, got {shown(entries)}")
    note(outcome=f"{len(entries)} pictures")
    here, sessions = service(), SessionStore()
    together = here.hub.wait(here.settings.ready_wait_s).frames_together
    answers: list[bytes] = []
    for first in range(0, len(entries), together):
        asked = [
            _read(here, place, entry)
            for place, entry in enumerate(entries[first : first + together], start=first)
        ]
        answers += [encode(fields) for fields in _answered(here, sessions, asked)]
    return answers


def _read(here: Service, place: int, entry: object) -> FrameRequest | Fields:
    """The picture asked about, or the answer that it cannot be read.

    An entry without a number has its place in the list for one.
    """
    try:
        fields = {"frame_number": place, **as_object(entry, f"entry {place}")}
        return picture_request(here, fields)
    except PoseError as error:
        number = frame_number_in(entry)
        return _unreadable(here, place if number is None else number, error)


def _answered(
    here: Service, sessions: SessionStore, asked: list[FrameRequest | Fields]
) -> Iterator[Fields]:
    """The answers in order; what is an answer already stays."""
    requests = [one for one in asked if isinstance(one, FrameRequest)]
    tracked = iter(_tracked(here, sessions, requests))
    for one in asked:
        if not isinstance(one, FrameRequest):
            yield one
            continue
        frame = next(tracked)
        if isinstance(frame, PoseError):
            yield _unreadable(here, one.form.frame_number, frame)
        else:
            yield answer_fields(here, one, frame, one.options(mesh=True))


def _tracked(
    here: Service, sessions: SessionStore, requests: list[FrameRequest]
) -> list[TrackedFrame | PoseError]:
    """The pictures of one batch, followed in a session of their own.

    Where the engine refuses a picture, each is tried alone, so that the others are answered.
    """
    if not requests:
        return []
    try:
        return [*here.people_in([one.question(sessions, _KEY) for one in requests])]
    except UnavailableError:
        raise
    except PoseError as error:
        if len(requests) == 1:
            return [error]
        return [frame for one in requests for frame in _tracked(here, sessions, [one])]


def _unreadable(here: Service, number: int, error: PoseError) -> Fields:
    return unreadable_answer(here.maker().model_version, number, str(error))
