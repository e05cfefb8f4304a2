"""Lines of log as machines and people read them."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from threading import Thread
from typing import Any

import pytest

from pose_service.core.logs import formatter, log_context, without_secrets

log = logging.getLogger("pose_service.tests.logs")


def _written(log_format: str) -> Iterator[StringIO]:
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(log_format))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield out
    log.removeHandler(handler)


@pytest.fixture
def as_json() -> Iterator[StringIO]:
    yield from _written("json")


@pytest.fixture
def as_text() -> Iterator[StringIO]:
    yield from _written("text")


def lines(out: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_object_with_what_is_bound_around_it(as_json: StringIO) -> None:
    with log_context(request_id="r1"), log_context(job_id="j1"):
        log.info("stage %s\nof two lines", "tracking")
    log.warning("after", extra={"status": 500, "ms": 1.5, "unheard_of": 1})
    first, second = lines(as_json)
    assert first["time"].endswith("Z")
    del first["time"], second["time"]
    common = {"logger": log.name}
    words = "stage tracking\nof two lines"
    assert first == common | {
        "level": "info", "message": words, "request_id": "r1", "job_id": "j1",
    }  # fmt: skip
    assert second == common | {"level": "warning", "message": "after", "status": 500, "ms": 1.5}


def test_what_a_line_is_given_itself_goes_before_what_is_bound(as_json: StringIO) -> None:
    with log_context(job_id="outer"):
        log.info("x", extra={"job_id": "own"})
    assert lines(as_json)[0]["job_id"] == "own"


def test_an_exception_is_part_of_its_line(as_json: StringIO) -> None:
    try:
        raise ValueError("no joint at https://me:secret@host/")
    except ValueError:
        log.error("failed", exc_info=sys.exc_info())
    (line,) = lines(as_json)
    assert line["exception"].startswith("Traceback")
    assert "ValueError: no joint" in line["exception"]
    assert "secret" not in line["exception"]


def test_threads_do_not_hear_of_each_others_context(as_json: StringIO) -> None:
    with log_context(request_id="mine"):
        other = Thread(target=lambda: log.info("from a thread"))
        other.start()
        other.join()
    assert "request_id" not in lines(as_json)[0]


def test_people_find_what_is_known_behind_the_words_and_once(as_text: StringIO) -> None:
    with log_context(request_id="r1", frame_number=3):
        log.info("POST /pose frame_number=3")
    log.info("[JOB] j1 queued", extra={"job_id": "j1"})
    log.info("alone")
    first, second, third = as_text.getvalue().splitlines()
    assert first.endswith(" INFO POST /pose frame_number=3 request_id=r1")
    assert second.endswith(" INFO [JOB] j1 queued")
    assert third.endswith(" INFO alone")


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize(
    ("said", "kept", "hidden"),
    [
        ("redis://:hush@cache:6379/0 is gone", "cache:6379/0 is gone", "hush"),
        ("postgresql://me:hush@db/x", "db/x", "hush"),
        ("https://host/a.mp4?X-Amz-Signature=hush&x=1 is no clip", "a.mp4", "hush"),
        ('got "' + "iVBORw0KGgo" * 40 + '"', "<440 characters>", "iVBORw0KGgo"),
    ],
)
def test_secrets_and_pictures_stay_out_of_words_and_fields(
    log_format: str, said: str, kept: str, hidden: str
) -> None:
    for out in _written(log_format):
        log.info("%s", said, extra={"outcome": said})
        assert hidden not in out.getvalue()
        assert kept in out.getvalue()


@pytest.mark.parametrize(
    "text", ["C:\\clips\\a.mp4 is gone", "/data/me@home/a.mp4?", "what? no@one"]
)
def test_words_that_are_no_secrets_stay(text: str) -> None:
    assert without_secrets(text) == text
