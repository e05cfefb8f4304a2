"""Each line of a request or job says which one, in JSON too; nothing of what was sent is in it."""

import json
import logging
import re
import uuid
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from contract_kit import Caller, person_base64

from pose_service.core.logs import formatter

Line = dict[str, Any]


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What the service logs from now on, as `POSE_LOG_FORMAT=json` has it."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter("json"))
    logger = logging.getLogger("pose_service")
    logger.addHandler(handler)
    yield out
    logger.removeHandler(handler)


def lines(out: StringIO) -> list[Line]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_pictures_line_has_everything_that_is_known(caller: Caller, written: StringIO) -> None:
    answer = caller.frame(frame_number=17)
    (line,) = lines(written)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["frame_number"], line["status"], line["outcome"]) == (17, 200, "observed")
    assert (line["method"], line["route"], line["level"]) == ("POST", "/pose/hybrid", "info")
    assert 0 < line["ms"] < 60_000


def test_a_callers_own_id_is_kept_and_sent_back(caller: Caller, written: StringIO) -> None:
    answer = caller.ask("GET", "/health", headers={"X-Request-Id": "ride-42/7"})
    assert answer.headers["X-Request-Id"] == lines(written)[0]["request_id"] == "ride-42/7"


@pytest.mark.parametrize("strange", ["", "two words", "x" * 129, "<b>", "é", 'a"b'])
def test_an_id_that_is_not_sane_is_replaced(
    caller: Caller, written: StringIO, strange: str
) -> None:
    answer = caller.ask("GET", "/health", headers={"X-Request-Id": strange})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert lines(written)[0]["request_id"] == answer.headers["X-Request-Id"]


def test_errors_have_their_id_and_outcome_too(caller: Caller, written: StringIO) -> None:
    answer = caller.ask("POST", "/pose/hybrid", json={"image_base64": "x", "frame_number": 5})
    (line,) = lines(written)
    assert (answer.status, line["status"], line["level"]) == (400, 400, "warning")
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["frame_number"] == 5
    assert line["outcome"].endswith("(BAD_IMAGE)")
    assert caller.get("/nowhere").headers["X-Request-Id"]


def test_every_line_of_a_clip_has_its_job(caller: Caller, clip: Path, written: StringIO) -> None:
    upload = {"video": (BytesIO(clip.read_bytes()), "walk.mp4")}
    answer = caller.ask("POST", "/pose/video", data=upload, headers={"X-Request-Id": "mine"})
    job_id = answer.body["job_id"]
    of_clip = lines(written)
    words = " ".join(line["message"] for line in of_clip)
    assert all(step in words for step in ("queued", "processing", "tracking", "complete"))
    assert {line["job_id"] for line in of_clip} == {job_id}
    # the lines of the request; those of the worker's thread belong to no request
    assert [line["request_id"] for line in of_clip if "request_id" in line] == ["mine"] * 2


def test_one_requests_context_does_not_reach_the_next(caller: Caller, written: StringIO) -> None:
    caller.frame(frame_number=3)
    caller.get(f"/job_status/{uuid.uuid4()}")
    caller.get("/health")
    first, second, third = lines(written)
    assert "frame_number" in first and "frame_number" not in second
    assert "job_id" in second and "job_id" not in third
    assert len({line["request_id"] for line in (first, second, third)}) == 3


def test_nothing_of_a_picture_or_a_password_is_logged(caller: Caller, written: StringIO) -> None:
    picture = person_base64()
    caller.frame(session_id="s")
    caller.post("/pose/hybrid", json={"image_base64": picture[: len(picture) // 2]})
    caller.post("/pose/hybrid", json={"image_base64": 3, "faces": picture})
    caller.post("/pose/video", json={"video_path": "s3://me:hush@host/clip.mp4"})
    assert len(lines(written)) == 4
    for start in range(0, len(picture) - 40, 40):
        assert picture[start : start + 40] not in written.getvalue()
    assert "hush" not in written.getvalue()
