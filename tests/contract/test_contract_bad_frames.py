"""What is wrong with a frame request is said in a sentence, and the next good one works."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from contract_kit import Caller, as_base64, check, large_part, person_png
from makers import png_declaring

RAW_PIXELS = np.zeros((24, 32, 3), np.uint8).tobytes()
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def the_next_good_request_works(caller: Caller) -> Iterator[None]:
    yield
    answer = caller.frame(frame_number=1)
    check("PoseHybridResponse", answer.body)
    assert (answer.status, answer.body["keypoint_count"]) == (200, 24)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (as_base64(RAW_PIXELS), "not raw pixels"),
        (as_base64(b""), "expected the bytes of a JPEG or PNG file"),
        ("????", "not base64"),
        ("data:image/png;base64,", "empty"),
        (as_base64(person_png()[:200]), "broken or cut off"),
        (as_base64(png_declaring(20_000, 20_000)), "20000x20000"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named(caller: Caller, image: str, said: str) -> None:
    answer = caller.frame(image_base64=image, frame_number=7)
    assert answer.status in (400, 413)
    assert said in answer.body["error"]
    assert answer.body["frame_number"] == 7
    assert answer.body["error_type"] in ("BAD_IMAGE", "BAD_REQUEST", "TOO_LARGE")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"frame_number": -3}, "frame_number: expected an integer of 0 or more, got -3"),
        ({"frame_number": 1.5}, "frame_number: expected an integer of 0 or more, got 1.5"),
        ({"frame_number": 7.0}, "frame_number: expected an integer of 0 or more, got 7.0"),
        ({"frame_number": "7"}, "frame_number: expected an integer of 0 or more, got '7'"),
        ({"frame_number": True}, "frame_number: expected an integer of 0 or more, got true"),
        ({"frame_number": None}, "frame_number: expected an integer of 0 or more, got null"),
        ({"frame_number": 2**60}, "frame_number: expected an integer of 0 or more"),
        ({"visualize": "yes"}, "visualize: expected true or false, got 'yes'"),
        ({"precision": 0}, "precision: expected an integer of 1 to 9, got 0"),
        ({"session_id": 5}, "session_id: expected text of at most 200 letters, got 5"),
        ({"persons": []}, "persons: expected true or false, got a list of 0"),
        ({"faces": "once"}, "faces: expected true or false, got 'once'"),
        ({"joint_sets": ["mine"]}, "joint_sets: expected a list of names out of smpl24"),
        ({"image_base64": 5}, "image_base64: expected the bytes of a JPEG or PNG file"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(
    caller: Caller, fields: dict[str, object], said: str
) -> None:
    answer = caller.frame(**fields)
    assert answer.status == 400
    assert answer.body["error"].startswith(said)


def test_a_missing_picture_is_named_with_the_frame_number(caller: Caller) -> None:
    answer = caller.post("/pose/hybrid", json={"frame_number": 12})
    assert answer.status == 400
    assert answer.body["error"].startswith("image_base64 is missing")
    assert answer.body["frame_number"] == 12


@pytest.mark.parametrize("path", ["/pose/hybrid", "/pose", "/pose/batch", "/batch", "/pose/video"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the body is empty"),
        (b"  ", "the body is empty"),
        (b"{", "the body is not JSON"),
        (b'{"frame_number": NaN}', "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[1]", "the body: expected a JSON object, got a list of 1"),
        (b'"text"', "the body: expected a JSON object, got 'text'"),
        (b"null", "the body: expected a JSON object, got null"),
    ],
)
def test_a_body_that_is_no_json_object_is_400(
    caller: Caller, path: str, data: bytes, said: str
) -> None:
    answer = caller.post(path, data=data, content_type="application/json")
    assert answer.status == 400
    assert answer.body["error"].startswith(said)


@pytest.mark.parametrize("path", ["/pose/hybrid", "/pose", "/pose/batch", "/batch", "/pose/video"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_content_type_is_415(caller: Caller, path: str, content_type: str | None) -> None:
    answer = caller.post(path, data=b'{"image_base64": "x"}', content_type=content_type)
    assert answer.status == 415
    assert "application/json" in answer.body["error"]


def test_multipart_where_only_json_is_read_is_415(caller: Caller) -> None:
    answer = caller.post("/pose/batch", data={"frames": "x"}, content_type="multipart/form-data")
    assert answer.status == 415


def test_a_multipart_body_without_the_file_lists_the_parts_that_came(caller: Caller) -> None:
    answer = caller.post(
        "/pose/hybrid", data={"picture": (BytesIO(person_png()), "a.png"), "frameNumber": "7"}
    )
    assert answer.status == 400
    assert answer.body["error"].endswith("the parts that arrived: picture, frameNumber")


def test_a_multipart_frame_number_that_is_none_is_named(caller: Caller) -> None:
    answer = caller.post(
        "/pose/hybrid", data={"frame": (BytesIO(person_png()), "a.png"), "frameNumber": "-1"}
    )
    assert answer.status == 400
    assert answer.body["error"] == "frameNumber: expected an integer of 0 or more, got '-1'"


def test_a_multipart_file_that_is_no_picture_is_400(caller: Caller) -> None:
    answer = caller.post(
        "/pose/hybrid", data={"frame": (BytesIO(b""), "a.png"), "frameNumber": "5"}
    )
    assert (answer.status, answer.body["error_type"]) == (400, "BAD_IMAGE")
    assert answer.body["frame_number"] == 5


@pytest.mark.parametrize("path", ["/pose/hybrid", "/pose", "/pose/batch", "/pose/video"])
def test_a_json_body_over_the_limit_is_413(caller: Caller, path: str) -> None:
    answer = caller.post(path, json={"image_base64": "A" * MEGABYTE})
    assert answer.status == 413
    assert "at most 1 MB" in answer.body["error"]


def test_a_chunked_body_over_the_limit_is_413(caller: Caller) -> None:
    """Such a body does not say how long it is."""
    answer = caller.post(
        "/pose/hybrid",
        input_stream=BytesIO(b'{"image_base64": "' + b"A" * MEGABYTE + b'"}'),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status == 413


def test_a_multipart_picture_over_the_limit_is_413(caller: Caller) -> None:
    answer = caller.post("/pose/hybrid", **large_part("frame", bytes(MEGABYTE), "a.png"))
    assert answer.status == 413


def test_a_large_text_part_is_not_refused_for_its_size_alone(caller: Caller) -> None:
    """Flask refuses text parts over 500 kB with 413 unless told otherwise."""
    answer = caller.post("/pose/hybrid", **large_part("image_base64", b"A" * 600_000))
    assert answer.status == 400
    assert "the parts that arrived: image_base64" in answer.body["error"]


def test_broken_multipart_is_400(caller: Caller) -> None:
    answer = caller.post(
        "/pose/hybrid", data=b"--x\r\nno end", content_type="multipart/form-data; boundary=x"
    )
    assert answer.status == 400
