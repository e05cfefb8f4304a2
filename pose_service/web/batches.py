"""Several pictures in one request: /pose/batch and the older /batch."""

import time

from flask import Blueprint, Response

from pose_service.core.errors import BadRequestError, PoseError, UnavailableError
from pose_service.legacy.encode import encode, json_list, object_with_lists
from pose_service.legacy.frame import Fields, unreadable_answer
from pose_service.pipeline.session import SessionKey, SessionStore
from pose_service.web.answers import stream_answer
from pose_service.web.bodies import as_object, frame_number_in, json_object
from pose_service.web.forms import shown
from pose_service.web.frames import answer_fields, picture_request, track
from pose_service.web.request_log import note
from pose_service.web.service import service

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
    sessions = SessionStore()
    return [encode(_answer(sessions, *numbered)) for numbered in enumerate(entries)]


def _answer(sessions: SessionStore, place: int, entry: object) -> Fields:
    """An entry without a number has its place in the list for one."""
    here = service()
    maker = here.maker()
    try:
        fields = {"frame_number": place, **as_object(entry, f"entry {place}")}
        asked = picture_request(fields, here.settings.max_pixels)
        tracked = track(here, asked, sessions, _KEY)
        return answer_fields(here, asked, tracked, asked.options(mesh=True))
    except UnavailableError:
        raise
    except PoseError as error:
        number = frame_number_in(entry)
        return unreadable_answer(
            maker.model_version, place if number is None else number, str(error)
        )
