"""POST /pose/batch and /batch."""

import pytest
from contract_kit import Caller, check, nobody_base64, person_base64


def test_a_batch_is_answered_in_order_with_a_bare_list(caller: Caller) -> None:
    frames = [{"image_base64": person_base64(), "frame_number": number} for number in (5, 3, 9)]
    answer = caller.post("/pose/batch", json={"frames": frames})
    assert answer.status == 200
    assert [body["frame_number"] for body in answer.body] == [5, 3, 9]
    for body in answer.body:
        check("PoseHybridResponse", body)
        assert body["has_3d"] is True


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"image_base64": "????", "frame_number": 8}, "not base64"),
        ({"frame_number": 8}, "image_base64 is missing"),
        ({"image_base64": person_base64(), "frame_number": -1}, "frame_number: expected"),
        ("text", "entry 1: expected a JSON object, got 'text'"),
    ],
)
def test_one_bad_frame_is_an_entry_with_its_error(caller: Caller, entry: object, said: str) -> None:
    good = {"image_base64": person_base64()}
    answer = caller.post("/pose/batch", json={"frames": [good, entry, good]})
    assert answer.status == 200
    for body in answer.body:
        check("PoseHybridResponse", body)
    first, bad, last = answer.body
    assert said in bad["error"]
    assert bad["frame_number"] in (1, 8)
    assert (first["keypoint_count"], bad["keypoint_count"], last["keypoint_count"]) == (24, 0, 24)
    assert (first["frame_number"], last["frame_number"]) == (0, 2)


def test_a_gap_within_a_batch_is_predicted_but_not_from_another_batch(caller: Caller) -> None:
    seen, black = {"image_base64": person_base64()}, {"image_base64": nobody_base64()}
    together = caller.post("/pose/batch", json={"frames": [seen, seen, black]}).body
    alone = caller.post("/pose/batch", json={"frames": [black]}).body
    assert together[2]["provenance"] == "predicted"
    assert alone[0]["error"] == "No person detected in image"


def test_the_oldest_batch_has_results(caller: Caller) -> None:
    images = [{"image_base64": person_base64(), "frame_number": 4}]
    answer = caller.post("/batch", json={"images": images})
    check("PoseHybridResponse", answer.body["results"][0])
    assert answer.body["results"][0]["frame_number"] == 4
    assert answer.body["total_processing_time_ms"] > 0


@pytest.mark.parametrize("frames", [None, "text", {}, 3])
def test_frames_that_are_no_list_are_400(caller: Caller, frames: object) -> None:
    answer = caller.post("/pose/batch", json={"frames": frames})
    assert answer.status == 400
    assert answer.body["error"].startswith("frames: expected a list of pictures, got")


def test_an_empty_batch_is_an_empty_list(caller: Caller) -> None:
    assert caller.post("/pose/batch", json={"frames": []}).body == []
