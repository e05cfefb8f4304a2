"""People whose boxes the caller knows: no detector looks."""

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from contract_kit import PERSON_BOX, Caller, check, nobody_base64, person_png, running
from toy_engine import ToyDetector, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Engine

OTHER_BOX = (10, 20, 60, 150)


class NoDetector(ToyDetector):
    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        raise AssertionError("a detector looked")


def build_without_detector(settings: Settings) -> tuple[Engine, str]:
    return replace(toy_engine(), detector=NoDetector()), "a test asked for it"


def test_boxes_take_the_detectors_place(tmp_path: Path) -> None:
    with running(Settings(state_dir=tmp_path), build_without_detector) as caller:
        answer = caller.frame(boxes=[OTHER_BOX, PERSON_BOX], persons=True)
    assert answer.status == 200
    check("PoseHybridResponse", answer.body)
    assert [one["track_id"] for one in answer.body["persons"]] == [1, 2]
    assert [one["bbox"] for one in answer.body["persons"]] == [list(OTHER_BOX), list(PERSON_BOX)]
    assert answer.body["provenance"] == "observed"


def test_boxes_may_come_as_text_beside_a_file(caller: Caller) -> None:
    answer = caller.post("/pose/hybrid", data=_with_file(json.dumps([PERSON_BOX])))
    assert answer.status == 200
    assert answer.body["detection"]["box_center"] == [130, 120]


def test_boxes_leave_sessions_alone(caller: Caller) -> None:
    named = {"session_id": "boxes"}
    for number in range(3):
        caller.frame(frame_number=number, **named)
    empty = {"image_base64": nobody_base64(), "frame_number": 3, "boxes": [], **named}
    assert caller.post("/pose/hybrid", json=empty).body["error"] == "No person detected in image"
    del empty["boxes"]
    followed = caller.post("/pose/hybrid", json=empty)
    assert followed.body["provenance"] == "predicted"


def test_a_hundred_boxes_are_a_hundred_people(caller: Caller) -> None:
    boxes = [[i, 10, i + 40, 200] for i in range(100)]
    answer = caller.frame(boxes=boxes, persons=True, faces=False)
    assert len(answer.body["persons"]) == 100


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([[10, 10, 10, 80]], "boxes[0]: expected [x1, y1, x2, y2] in pixels of the picture of "
         "320 x 240, got [10.0, 10.0, 10.0, 80.0], which has no area"),
        ([[5, 5, 50, 50], [60, 60, 20, 90]], "boxes[1]"),
        ([[400, 10, 500, 80]], "lies outside of the picture"),
        ([[-90, 10, 0, 80]], "lies outside of the picture"),
        ([[-9000, -9000, 9000, 9000]], "is far larger than the picture"),
        ([[1, 2, 3]], "boxes: expected a list of at most 100 boxes"),
        ([[1, 2, "3", 4]], "boxes: expected a list of at most 100 boxes"),
        ([[0, 0, 9, 9]] * 101, "boxes: expected a list of at most 100 boxes"),
        ("everybody", "boxes: expected a list of at most 100 boxes"),
        ({"x": 1}, "boxes: expected a list of at most 100 boxes"),
    ],
)  # fmt: skip
def test_a_box_that_nobody_can_be_in_is_400(caller: Caller, boxes: object, said: str) -> None:
    answer = caller.frame(boxes=boxes)
    assert answer.status == 400
    assert said in answer.body["error"]
    assert caller.frame().status == 200


def test_a_box_that_is_not_a_number_is_400(caller: Caller) -> None:
    answer = caller.post("/pose/hybrid", data=_with_file("[[NaN, 0, 10, 10]]"))
    assert answer.status == 400
    assert "boxes: expected" in answer.body["error"]


def _with_file(boxes: str) -> dict[str, Any]:
    """A multipart body of a picture and its boxes."""
    return {"frame": (BytesIO(person_png()), "a.png"), "boxes": boxes}
