"""POST /pose with a clip: the contract of the 2D service, and what this service adds."""

import csv
import json
import math
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from contract_kit import (
    CLIP_FPS,
    CLIP_FRAMES,
    Body,
    Caller,
    check,
    large_part,
    person_base64,
    person_png,
    running,
)
from file_server import mirror_of
from makers import clip_file
from pose_schema import check_pose
from toy_engine import picture

from pose_service.core.config import Settings

PATIENCE_S = 20.0
HIDDEN = range(8, 12)
"""Frames of the fixture `clip` that are black."""

DECIMALS = 0.01
"""Angles and scores are sent with two decimals."""

ANGLES = {
    "left_elbow", "right_elbow", "left_knee", "right_knee", "left_shoulder", "right_shoulder",
    "left_hip", "right_hip",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(caller: Caller, clip: Path) -> Body:
    answer = caller.post("/pose", json={"video_path": str(clip), "video": True})
    assert answer.status == 200
    body: Body = answer.body
    return body


@pytest.fixture(scope="module")
def poses(result: Body) -> list[Body]:
    entries: list[Body] = result["data"]["poses_per_frame"]
    return entries


def test_the_whole_answer_follows_the_contract(result: Body) -> None:
    check_pose(result)
    summary = result["data"]["processing_summary"]
    assert summary["total_frames"] == CLIP_FRAMES
    assert summary["successful_poses"] == CLIP_FRAMES - len(HIDDEN)
    assert summary["average_confidence"] == pytest.approx(0.9, abs=DECIMALS)
    assert summary["model_info"]["name"] == "toy"
    assert (summary["angles"], summary["reason"]) == ("3d", None)


def test_every_frame_has_an_entry_with_its_number_and_time(poses: list[Body]) -> None:
    infos = [pose["frame_info"] for pose in poses]
    assert [info["frame_number"] for info in infos] == list(range(CLIP_FRAMES))
    expected_s = [index / CLIP_FPS for index in range(CLIP_FRAMES)]
    assert [info["timestamp"] for info in infos] == pytest.approx(expected_s, abs=1e-4)
    assert {info["model_used"] for info in infos} == {"toy"}


def test_angles_are_those_that_the_stick_was_made_with(poses: list[Body]) -> None:
    """Upper arms level and forearms straight down; legs straight down but for 2 cm at the knee."""
    angles = poses[0]["biomechanics"]["joint_angles"]
    assert set(angles) == ANGLES
    for side in ("left", "right"):
        assert angles[f"{side}_elbow"] == angles[f"{side}_shoulder"] == 90.0
        assert 170 < angles[f"{side}_knee"] < 180
    alignment = poses[0]["biomechanics"]["body_alignment"]
    assert alignment["hip_level_difference"] == alignment["shoulder_level_difference"] == 0
    assert poses[0]["biomechanics"]["movement_analysis"]["symmetry_index"] == 1.0


def test_keypoints_lie_on_the_person_in_the_picture(poses: list[Body]) -> None:
    """The body fills the bright rectangle, which moves by two pixels a frame."""
    for index in (0, 7, 19):
        points = poses[index]["keypoints"]
        middle = (points["left_hip"]["x"] + points["right_hip"]["x"]) / 2
        assert middle == pytest.approx(90 + 2 * index, abs=3), "codecs blur the edges"
        assert 35 < points["nose"]["y"] < points["left_hip"]["y"] < points["left_ankle"]["y"] < 205
        assert points["left_hip"]["x"] > points["right_hip"]["x"], "she faces the camera"


def test_hidden_frames_are_filled_and_marked_and_nothing_is_measured_in_them(
    poses: list[Body],
) -> None:
    for index, pose in enumerate(poses):
        seen = index not in HIDDEN
        assert pose["frame_info"]["provenance"] == ("observed" if seen else "interpolated")
        assert (pose["biomechanics"]["joint_angles"]["left_elbow"] is not None) == seen
        assert (pose["keypoints"]["nose"]["confidence"] == pytest.approx(0.9)) == seen


def test_everybody_is_listed_with_a_track_id(result: Body, poses: list[Body]) -> None:
    frames = result["data"]["people_per_frame"]
    assert len(frames) == CLIP_FRAMES
    for pose, frame in zip(poses, frames, strict=True):
        (person,) = frame["people"]
        assert person["track_id"] == result["data"]["processing_summary"]["primary_track_id"]
        assert person["keypoints"] == pose["keypoints"]
        assert person["biomechanics"] == pose["biomechanics"]


def test_numbers_and_film_come_where_they_are_asked_for(caller: Caller, clip: Path) -> None:
    request = {"video_path": str(clip), "max_frames": 5}
    plain = caller.post("/pose", json=request).body
    without = caller.post("/pose", json={**request, "data": False, "video": True}).body
    check_pose(plain)
    check_pose(without)
    assert plain["video_url"] is None
    assert without["data"] is None
    assert without["video_url"].endswith(f"/pose/annotated/{without['job_id']}.mp4")


def test_the_annotated_clip_is_a_film_that_players_can_seek(caller: Caller, result: Body) -> None:
    path = result["video_url"].removeprefix("http://localhost")
    with caller.client.get(path) as whole:
        assert (whole.status_code, whole.content_type) == (200, "video/mp4")
        assert whole.data[4:8] == b"ftyp"
    with caller.client.get(path, headers={"Range": "bytes=0-99"}) as part:
        assert (part.status_code, len(part.data)) == (206, 100)


def test_a_finished_clip_can_be_asked_for_again_whole_or_in_slices(
    caller: Caller, result: Body
) -> None:
    status = caller.get(f"/pose/status/{result['job_id']}").body
    assert (status["status"], status["done"]) == ("complete", True)
    assert status["result_url"].endswith(f"/pose/result/{result['job_id']}")
    assert caller.get(f"/pose/result/{result['job_id']}").body == result
    part = caller.get(f"/pose/result/{result['job_id']}?from=5&to=7").body
    check_pose(part)
    assert part["slice"] == {"from": 5, "to": 7}
    assert part["data"]["poses_per_frame"] == result["data"]["poses_per_frame"][5:7]
    assert part["data"]["people_per_frame"] == result["data"]["people_per_frame"][5:7]
    assert part["data"]["summary"] == result["data"]["summary"]


def test_jobs_list_it_as_a_job_of_its_kind_that_other_routes_do_not_know(
    caller: Caller, result: Body
) -> None:
    job_id = result["job_id"]
    assert caller.get(f"/jobs/{job_id}").body["kind"] == "pose"
    assert "complete, 20 frames" in caller.get(f"/logs/{job_id}").body["logs"]
    assert caller.get(f"/pose/video/status/{job_id}").status == 404
    assert caller.get(f"/pose/video/result/{job_id}").status == 404


def test_a_job_of_another_kind_is_none_of_pose(caller: Caller, clip: Path) -> None:
    body = caller.post("/pose/video", json={"video_path": str(clip), "max_frames": 2}).body
    for route in ("status", "result"):
        assert caller.get(f"/pose/{route}/{body['job_id']}").status == 404
    assert caller.get(f"/pose/annotated/{body['job_id']}.mp4").status == 404
    answer = caller.post("/pose", json={"video_path": str(clip), "compare_with": body["job_id"]})
    assert answer.status == 400
    assert "compare_with" in answer.body["error"]


def test_an_uploaded_clip_is_answered_like_one_on_disk(
    caller: Caller, clip: Path, result: Body, settings: Settings
) -> None:
    file = (BytesIO(clip.read_bytes()), "walk.mp4")
    body = caller.post("/pose", data={"video": file, "confidence": "0.3"}).body
    check_pose(body)
    assert body["data"] == result["data"]
    assert not [*(settings.state_dir / "uploads").iterdir()], "nothing is left behind"


def test_later_is_202_and_polled_to_its_end(caller: Caller, clip: Path) -> None:
    answer = caller.post("/pose", json={"video_path": str(clip), "async": True})
    assert answer.status == 202
    check("VideoQueued", answer.body)
    job_id = answer.body["job_id"]
    assert answer.body["message"].endswith(f"GET /pose/status/{job_id}")
    deadline = time.monotonic() + PATIENCE_S
    while not caller.get(f"/pose/status/{job_id}").body["done"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    check_pose(caller.get(f"/pose/result/{job_id}").body)


def test_nobody_in_the_clip_is_200_with_a_reason(caller: Caller, media: Path) -> None:
    path = clip_file(media / "nobody.mp4", [picture()] * 4)
    answer = caller.post("/pose", json={"video_path": str(path)})
    assert answer.status == 200
    check_pose(answer.body)
    summary = answer.body["data"]["processing_summary"]
    assert (summary["total_frames"], summary["successful_poses"]) == (4, 0)
    assert summary["average_confidence"] is summary["primary_track_id"] is None
    assert summary["reason"] == "nobody was found in the clip"
    poses = answer.body["data"]["poses_per_frame"]
    assert [pose["keypoints"] for pose in poses] == [None] * 4
    assert poses[0]["biomechanics"]["joint_angles"]["left_knee"] is None
    assert answer.body["data"]["summary"] is None
    job_id = answer.body["job_id"]
    with caller.client.get(f"/pose/annotated/{job_id}.mp4") as film:
        assert film.status_code == 200, "the pictures are there all the same"
    page = caller.get(f"/pose/result/{job_id}?format=pdf")
    assert (page.status, page.body["error"]) == (
        400,
        "nobody was found in this clip: it has only json",
    )


@pytest.mark.parametrize(("count", "fps"), [(1, 30), (5, 30), (24, 240)])
def test_short_and_fast_clips_are_answered(
    caller: Caller, media: Path, count: int, fps: int
) -> None:
    images = [picture((60 + i, 40, 120 + i, 200)) for i in range(count)]
    path = clip_file(media / f"short-{count}-{fps}.mp4", images, fps=fps)
    body = caller.post("/pose", json={"video_path": str(path)}).body
    check_pose(body)
    assert body["data"]["processing_summary"]["successful_poses"] == count
    assert body["data"]["processing_summary"]["fps"] == pytest.approx(fps, rel=0.01)
    last = body["data"]["poses_per_frame"][-1]
    assert last["frame_info"]["timestamp"] == pytest.approx((count - 1) / fps, abs=1e-4)
    assert last["biomechanics"]["joint_angles"]["left_elbow"] == pytest.approx(90, abs=DECIMALS)


def test_two_people_of_one_size_keep_their_ids_and_one_is_the_primary(
    caller: Caller, media: Path
) -> None:
    boxes = [((20 + i, 40, 80 + i, 200), (200 + i, 40, 260 + i, 200)) for i in range(12)]
    path = clip_file(media / "twins.mp4", [picture(*both) for both in boxes])
    body = caller.post("/pose", json={"video_path": str(path)}).body
    check_pose(body)
    data = body["data"]
    assert [person["primary"] for person in data["people"]] == [True, False]
    assert data["people"][1]["summary"] is not None
    places: dict[int, list[float]] = {}
    for frame in data["people_per_frame"]:
        assert len(frame["people"]) == 2
        for person in frame["people"]:
            places.setdefault(person["track_id"], []).append(person["keypoints"]["nose"]["x"])
    first, second = (places[person["track_id"]] for person in data["people"])
    assert (max(first) < min(second)) or (max(second) < min(first)), "neither takes the other's"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"confidence": 1.5}, "confidence: expected a number from 0 to 1, got 1.5"),
        ({"confidence": -0.1}, "confidence: expected a number from 0 to 1, got -0.1"),
        ({"confidence": "x"}, "confidence: expected a number from 0 to 1, got 'x'"),
        ({"confidence": True}, "confidence: expected a number from 0 to 1, got true"),
        ({"angles": "4d"}, 'angles: expected "auto", "2d" or "3d", got \'4d\''),
        ({"cutoff_hz": 0}, "cutoff_hz: expected a number of Hz"),
        ({"video": "yes"}, "video: expected true or false"),
        ({"limits": [{"angle": "left_knee"}]}, "limits: expected a list"),
        ({"limits": [{"angle": "left_toe", "low_deg": 1}]}, "limits: expected a list"),
        ({"limits": [{"low_deg": 1}]}, "limits: expected a list"),
        ({"limits": [{"angle": "left_hip", "low_deg": 9, "high_deg": 5}]}, "limits: expected"),
        ({"compare_with": "no-such-job"}, "compare_with: no clip was sent"),
        ({"start": 1, "end": 0.5}, "end: expected more than 1"),
    ],
)
def test_a_field_that_does_not_fit_is_400_and_says_what_was_wanted(
    caller: Caller, clip: Path, fields: Body, wanted: str
) -> None:
    answer = caller.post("/pose", json={"video_path": str(clip), **fields})
    assert answer.status == 400
    assert answer.body["error"].startswith(wanted)


def test_a_confidence_that_is_no_number_is_400(caller: Caller, clip: Path) -> None:
    raw = json.dumps({"video_path": str(clip), "confidence": math.nan})
    as_json = caller.post("/pose", data=raw, content_type="application/json")
    file = (BytesIO(clip.read_bytes()), "a.mp4")
    as_text = caller.post("/pose", data={"video": file, "confidence": "nan"})
    assert (as_json.status, as_text.status) == (400, 400)
    assert "confidence: expected a number from 0 to 1" in as_text.body["error"]


def test_unknown_fields_are_passed_over(caller: Caller, clip: Path) -> None:
    request = {"video_path": str(clip), "max_frames": 2, "wanted": "everything"}
    assert caller.post("/pose", json=request).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"video_path": "/a.mp4", "video_url": "http://a/b.mp4"},
        {"video_path": "/a.mp4", "image_base64": "eA=="},
    ],
)
def test_two_sources_are_400(caller: Caller, fields: Body) -> None:
    answer = caller.post("/pose", json=fields)
    assert answer.status == 400
    assert "expected one of them" in answer.body["error"]


@pytest.mark.parametrize("part", ["frame", "image"])
def test_a_clip_and_a_picture_in_one_form_are_400(caller: Caller, clip: Path, part: str) -> None:
    files = {"video": (BytesIO(clip.read_bytes()), "a.mp4"), part: (BytesIO(b"x"), "a.png")}
    answer = caller.post("/pose", data=files)
    assert answer.status == 400
    assert answer.body["error"] == f"video and {part}: expected one of them, got both"


def test_a_private_address_is_refused_at_once(caller: Caller) -> None:
    answer = caller.post("/pose", json={"video_url": "http://127.0.0.1:1/a.mp4"})
    assert answer.status == 400
    assert "POSE_ALLOW_PRIVATE_URLS" in str(answer.body)


def test_an_address_is_fetched_and_one_that_is_no_clip_is_400(tmp_path: Path, clip: Path) -> None:
    served = tmp_path / "web"
    served.mkdir()
    (served / "walk.mp4").write_bytes(clip.read_bytes())
    (served / "page.mp4").write_text("<html>not a film</html>")
    settings = Settings(state_dir=tmp_path / "state", allow_private_urls=True)
    with mirror_of(served) as url, running(settings) as caller:
        good = caller.post("/pose", json={"video_url": f"{url}/walk.mp4", "data": True})
        bad = caller.post("/pose", json={"video_url": f"{url}/page.mp4"})
    assert good.status == 200
    check_pose(good.body)
    assert (bad.status, bad.body["error_type"]) == (400, "BAD_URL")


def test_pictures_are_answered_as_before(caller: Caller) -> None:
    """The older caller of the same route, as JSON and as a form."""
    as_json = caller.post("/pose", json={"image_base64": person_base64(), "frame_number": 7})
    as_form = caller.post("/pose", data={"image": (BytesIO(person_png()), "a.png")})
    for answer in (as_json, as_form):
        assert answer.status == 200
        check("PoseResponse", answer.body)
    assert as_json.body["frame_number"] == 7
    both = {name: (BytesIO(person_png()), "a.png") for name in ("frame", "image")}
    assert caller.post("/pose", data=both).status == 200


def test_a_body_with_neither_picture_nor_clip_says_what_was_wanted(caller: Caller) -> None:
    empty = caller.post("/pose", json={})
    assert empty.status == 400
    assert all(name in empty.body["error"] for name in ("image_base64", "video_url", "video_path"))
    form = caller.post("/pose", data={"movie": (BytesIO(b"x"), "a.mp4")})
    assert form.body["error"].endswith("the parts that arrived: movie")


def test_a_picture_over_its_limit_is_413_though_clips_may_be_larger(
    caller: Caller, settings: Settings
) -> None:
    size = settings.max_body_mb * 1024 * 1024 + 1
    answer = caller.post("/pose", **large_part("image", bytes(size), "a.png"))
    assert answer.status == 413
    assert "at most 1 MB" in answer.body["error"]


def _summary(caller: Caller, clip: Path, **fields: Any) -> Body:
    body: Body = caller.post("/pose", json={"video_path": str(clip), **fields}).body["data"]
    return body


def test_dangerous_angles_are_events_by_the_callers_table(caller: Caller, clip: Path) -> None:
    table = [{"angle": "left_elbow", "high_deg": 80, "name": "too far"}]
    data = _summary(caller, clip, limits=table)
    events = data["summary"]["events"]
    assert [(event["name"], event["worst_deg"]) for event in events] == [("too far", 90.0)] * 2
    assert events[0]["end_s"] == pytest.approx(7 / CLIP_FPS, abs=1e-3), "the hidden frames end it"
    assert _summary(caller, clip)["summary"]["events"] == []


def test_a_table_can_come_as_text_in_a_form(caller: Caller, clip: Path) -> None:
    file = (BytesIO(clip.read_bytes()), "a.mp4")
    table = '[{"angle": "left_elbow", "high_deg": 80}]'
    body = caller.post("/pose", data={"video": file, "limits": table}).body
    assert [event["name"] for event in body["data"]["summary"]["events"]] == ["left_elbow"] * 2


def test_a_clip_compared_with_itself_does_not_differ(
    caller: Caller, clip: Path, result: Body
) -> None:
    data = _summary(caller, clip, compare_with=result["job_id"])
    comparison = data["comparison"]
    assert comparison["with"] == result["job_id"]
    assert (comparison["distance_deg"], set(comparison["angles"])) == (0, ANGLES)
    assert comparison["times_s"] == pytest.approx(comparison["other_times_s"])


def test_a_clip_whose_fellow_is_gone_is_answered_with_a_note(caller: Caller, clip: Path) -> None:
    request = {"video_path": str(clip), "max_frames": 8}
    other = caller.post("/pose", json=request).body["job_id"]
    own = caller.post("/pose", json={**request, "compare_with": other}).body
    assert own["data"]["comparison"] is not None
    caller.ask("DELETE", f"/jobs/{other}?remove=true")
    data = caller.get(f"/pose/result/{own['job_id']}").body["data"]
    assert data["comparison"] is None
    assert any(other in note for note in data["processing_summary"]["notes"])


def test_unsure_keypoints_are_in_no_angle(caller: Caller, clip: Path) -> None:
    """The toy is sure of all by 0.9."""
    pose = _summary(caller, clip, confidence=0.95)["poses_per_frame"][0]
    assert pose["keypoints"]["left_knee"]["confidence"] == pytest.approx(0.9)
    assert set(pose["biomechanics"]["joint_angles"].values()) == {None}
    assert pose["biomechanics"]["movement_analysis"]["pose_quality"] == 0


def test_angles_in_the_picture_can_be_asked_for(caller: Caller, clip: Path) -> None:
    data = _summary(caller, clip, angles="2d")
    assert data["processing_summary"]["angles"] == "2d"
    alignment = data["poses_per_frame"][0]["biomechanics"]["body_alignment"]
    assert alignment["lean_image_deg"] is not None
    assert alignment["lean_forward_deg"] is None


def test_a_part_of_a_clip_keeps_its_times(caller: Caller, clip: Path) -> None:
    data = _summary(caller, clip, start=0.4, every=2)
    assert data["processing_summary"]["source_frames"] == {"first": 12, "every": 2}
    times_s = [pose["frame_info"]["timestamp"] for pose in data["poses_per_frame"]]
    assert times_s == pytest.approx([0.4, 0.4667, 0.5333, 0.6], abs=1e-3)


def test_biomechanics_can_be_switched_off(tmp_path: Path, clip: Path) -> None:
    settings = Settings(state_dir=tmp_path, media_roots=(clip.parent,), biomechanics_analysis=False)
    with running(settings) as caller:
        body = caller.post("/pose", json={"video_path": str(clip), "max_frames": 3}).body
        page = caller.get(f"/pose/result/{body['job_id']}?format=pdf")
        markers = caller.client.get(f"/pose/result/{body['job_id']}?format=trc")
    check_pose(body)
    data = body["data"]
    assert any("BIOMECHANICS_ANALYSIS" in one for one in data["processing_summary"]["notes"])
    assert data["summary"] is data["poses_per_frame"][0]["biomechanics"] is None
    assert data["poses_per_frame"][0]["keypoints"] is not None
    assert (page.status, markers.status_code) == (400, 200)


@pytest.mark.parametrize(
    ("switch", "gone", "left"),
    [
        ("joint_angle_analysis", "joint_angles", "support"),
        ("stability_assessment", "support", "asymmetry"),
        ("symmetry_detection", "asymmetry", "joint_angles"),
    ],
)
def test_a_part_that_the_config_file_switches_off_is_null_and_said(
    tmp_path: Path, clip: Path, switch: str, gone: str, left: str
) -> None:
    file = tmp_path / "model_config.json"
    thresholds = {"performance": {"confidence_threshold": 0.5}}
    file.write_text(json.dumps({"biomechanics": {switch: False}, **thresholds}))
    settings = Settings(state_dir=tmp_path, media_roots=(clip.parent,), nets_config=file)
    with running(settings) as caller:
        body = caller.post("/pose", json={"video_path": str(clip), "max_frames": 3}).body
    check_pose(body)
    summary = body["data"]["processing_summary"]
    assert [switch in note for note in summary["notes"]] == [True]
    assert summary["confidence"] == 0.5, "the file's threshold, where the request names none"
    biomechanics = body["data"]["poses_per_frame"][0]["biomechanics"]
    assert biomechanics[gone] is None
    assert biomechanics[left] is not None


@pytest.mark.parametrize(
    ("wanted", "media_type", "begins", "ending"),
    [
        ("csv", "text/csv; charset=utf-8", b"frame_number,time_s,provenance,nose_x_px", "csv"),
        ("trc", "text/plain; charset=utf-8", b"PathFileType\t4", "trc"),
        ("mot", "text/plain; charset=utf-8", b"Coordinates", "mot"),
        ("pdf", "application/pdf", b"%PDF-", "pdf"),
        ("curves", "image/png", b"\x89PNG", "curves.png"),
        ("strip", "image/png", b"\x89PNG", "strip.png"),
    ],
)
def test_a_finished_clip_can_be_had_as_a_file(
    caller: Caller, result: Body, wanted: str, media_type: str, begins: bytes, ending: str
) -> None:
    answer = caller.client.get(f"/pose/result/{result['job_id']}?format={wanted}")
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert answer.data.startswith(begins)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=walk.{ending}"


def test_the_table_has_a_row_per_frame_with_the_numbers_of_the_answer(
    caller: Caller, result: Body, poses: list[Body]
) -> None:
    text = caller.client.get(f"/pose/result/{result['job_id']}?format=csv").text
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == CLIP_FRAMES
    for pose, row in zip(poses, rows, strict=True):
        assert float(row["nose_x_px"]) == pytest.approx(
            pose["keypoints"]["nose"]["x"], abs=DECIMALS
        )
        angle = pose["biomechanics"]["joint_angles"]["left_knee"]
        assert (row["left_knee_deg"] == "") == (angle is None)
        if angle is not None:
            assert float(row["left_knee_deg"]) == pytest.approx(angle, abs=DECIMALS)


def test_two_clips_compared_have_a_page_of_their_own(
    caller: Caller, clip: Path, result: Body
) -> None:
    request = {"video_path": str(clip), "compare_with": result["job_id"]}
    job_id = caller.post("/pose", json=request).body["job_id"]
    assert caller.client.get(f"/pose/result/{job_id}?format=comparison").data[:5] == b"%PDF-"
    alone = caller.get(f"/pose/result/{result['job_id']}?format=comparison")
    assert (alone.status, alone.body["error"]) == (400, "this report compares nothing")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("format=docx", "format: expected one of json, csv"),
        ("format=csv&track=9", "track: expected"),
    ],
)
def test_a_file_that_cannot_be_had_is_400(
    caller: Caller, result: Body, query: str, wanted: str
) -> None:
    answer = caller.get(f"/pose/result/{result['job_id']}?{query}")
    assert answer.status == 400
    assert answer.body["error"].startswith(wanted)


def test_who_comes_late_has_a_row_for_every_frame_of_the_clip(caller: Caller, media: Path) -> None:
    """The second person is in the last 12 of 24 frames only."""
    first, late = (20, 40, 80, 200), (200, 60, 240, 180)
    images = [picture(first)] * 12 + [picture(first, late)] * 12
    path = clip_file(media / "late.mp4", images)
    body = caller.post("/pose", json={"video_path": str(path)}).body
    check_pose(body)
    (other,) = [person for person in body["data"]["people"] if not person["primary"]]
    url = f"/pose/result/{body['job_id']}?format=csv&track={other['track_id']}"
    rows = list(csv.DictReader(caller.client.get(url).text.splitlines()))
    assert [row["frame_number"] for row in rows] == [str(index) for index in range(24)]
    known = [index for index, row in enumerate(rows) if row["left_elbow_deg"]]
    assert known == list(range(12, 24)), "filled frames are not measured"
    assert other["frames_seen"] == 12
