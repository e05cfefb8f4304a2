"""POST /pose/video and its status: clips by path and by upload."""

import gzip
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from coloured_people import YELLOW, Actor, colour_engine, scene, standing, without
from contract_kit import (
    CLIP_FPS,
    CLIP_FRAMES,
    Body,
    Caller,
    check,
    large_part,
    running,
    strictly_parsed,
)
from makers import clip_file, sound_file, truncated
from toy_engine import ToyDetector, picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Engine

PATIENCE_S = 20.0
"""Far longer than anything here takes."""


def _finished(caller: Caller, job_id: str) -> Body:
    """Poll as the back end does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        body: Body = caller.get(f"/pose/video/status/{job_id}").body
        check("VideoStatus", body)
        if body["done"]:
            return body
        time.sleep(0.02)
    raise AssertionError(f"job {job_id} was never finished")


@pytest.fixture(scope="module")
def result(caller: Caller, clip: Path) -> Body:
    answer = caller.post("/pose/video", json={"video_path": str(clip)})
    assert answer.status == 200
    body: Body = answer.body
    return body


def test_a_clip_has_one_entry_per_frame_with_the_clips_own_times(result: Body, clip: Path) -> None:
    check("VideoResult", result)
    assert result["video_path"] == str(clip)
    assert result["total_frames"] == len(result["frames"]) == CLIP_FRAMES
    assert [frame["frame_number"] for frame in result["frames"]] == list(range(CLIP_FRAMES))
    assert [frame["timestamp"] for frame in result["frames"]] == pytest.approx(
        [i / CLIP_FPS for i in range(CLIP_FRAMES)], abs=1e-4
    )
    assert result["fps"] == pytest.approx(CLIP_FPS, abs=0.01)
    assert result["resolution"] == [320, 240]
    assert result["video_duration"] == pytest.approx(CLIP_FRAMES / CLIP_FPS, abs=1e-3)
    assert result["processing_time"] == result["processing_time_seconds"]


def test_a_clips_entries_are_also_valid_answers_to_a_frame(result: Body) -> None:
    for frame in result["frames"]:
        check("PoseHybridResponse", frame)
        assert frame["frameNumber"] == frame["frame_number"]
        assert frame["has3d"] is frame["has_3d"] is True
        assert frame["jointAngles3d"] == frame["joint_angles_3d"]
        assert frame["cameraTranslation"] == frame["camera_translation"]
        assert frame["cameraParams"] == frame["camera_params"]


def test_raw_values_come_where_they_are_asked_for(caller: Caller, clip: Path, result: Body) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "raw": True}).body
    check("VideoResult", answer)
    for frame, plain in zip(answer["frames"], result["frames"], strict=True):
        (one,), (other,) = frame["persons"], plain["persons"]
        assert "raw" not in other
        assert (one["raw"] is not None) == (one["provenance"] == "observed")


def test_a_clip_tells_what_was_measured_of_its_tracks(result: Body) -> None:
    (quality,) = result["quality"]
    seen = [frame["provenance"] for frame in result["frames"]].count("observed")
    assert quality["track_id"] == result["primary_track_id"]
    assert (quality["coverage"], quality["seen"]) == (1.0, seen / CLIP_FRAMES)
    assert result["merged_tracks"] == []


@pytest.mark.parametrize(
    ("setting", "asked", "merges"),
    [(True, None, True), (True, False, False), (False, None, False), (False, True, True)],
)
def test_a_caller_may_choose_whether_tracks_are_joined(
    tmp_path: Path, setting: bool, asked: bool | None, merges: bool
) -> None:
    gap = range(40, 60)
    source = scene(tmp_path / "a.mp4", 90, Actor(YELLOW, without(90, gap), standing(40)))
    settings = Settings(state_dir=tmp_path / "state", media_roots=(tmp_path,), merge_tracks=setting)
    wish = {} if asked is None else {"merge_tracks": asked}
    with running(settings, lambda _: (colour_engine(), "a test asked for it")) as caller:
        answer = caller.post("/pose/video", json={"video_path": str(source), **wish}).body
    assert len(answer["merged_tracks"]) == merges
    assert {one["track_id"] for frame in answer["frames"] for one in frame["persons"]} == (
        {1} if merges else {1, 2}
    )


def test_the_first_person_is_the_same_track_through_gaps(result: Body) -> None:
    tracks = [frame["persons"][0]["track_id"] for frame in result["frames"]]
    assert set(tracks) == {result["primary_track_id"]}
    confidences = [frame["tracking_confidence"] for frame in result["frames"]]
    assert all(0 < value < 1 for value in confidences[8:12])
    assert all(value == 1 for value in confidences[:8] + confidences[12:])
    for frame in result["frames"]:
        assert frame["persons"][0]["mesh_vertices"] == frame["mesh_vertices_data"]


def test_faces_stand_in_every_frame_by_default_and_at_the_top(result: Body) -> None:
    assert len(result["mesh_faces_data"]) == 16
    assert all(len(frame["mesh_faces_data"]) == 16 for frame in result["frames"])


@pytest.mark.parametrize(
    ("faces", "in_first", "on_top"), [("once", True, True), ("none", False, False)]
)
def test_faces_can_stand_once_or_nowhere(
    caller: Caller, clip: Path, faces: str, in_first: bool, on_top: bool
) -> None:
    body = caller.post("/pose/video", json={"video_path": str(clip), "faces": faces}).body
    check("VideoResult", body)
    first, *others = [frame["mesh_faces_data"] is not None for frame in body["frames"]]
    assert (first, body["mesh_faces_data"] is not None) == (in_first, on_top)
    assert not any(others)


def test_the_mesh_can_be_left_out(caller: Caller, clip: Path) -> None:
    body = caller.post("/pose/video", json={"video_path": str(clip), "mesh": False}).body
    check("VideoResult", body)
    assert body["mesh_faces_data"] is None
    for frame in body["frames"]:
        assert frame["mesh_vertices_data"] is frame["persons"][0]["mesh_vertices"] is None
        assert (frame["has_3d"], frame["keypoint_count"]) == (False, 24)


def test_max_frames_cuts_the_clip(caller: Caller, clip: Path) -> None:
    body = caller.post("/pose/video", json={"video_path": str(clip), "max_frames": 5}).body
    assert body["total_frames"] == len(body["frames"]) == 5


def test_a_clip_answered_at_once_can_still_be_asked_for(caller: Caller, result: Body) -> None:
    status = caller.get(f"/pose/video/status/{result['job_id']}").body
    check("VideoStatus", status)
    assert (status["status"], status["done"]) == ("complete", True)
    assert status["progress"]["frames_done"] == status["progress"]["frames_total"] == CLIP_FRAMES
    assert status["result"] == result
    assert status["queued_at"] <= status["started_at"] <= status["completed_at"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?from=2&to=4", [2, 3]),
        ("?from=18", [18, 19]),
        ("?to=2", [0, 1]),
        ("?from=5&to=5", []),
        ("?from=100", []),
        ("?from=19&to=1000", [19]),
    ],
)
def test_a_slice_holds_the_frames_asked_for(
    caller: Caller, result: Body, query: str, numbers: list[int]
) -> None:
    status = caller.get(f"/pose/video/status/{result['job_id']}{query}").body
    check("VideoStatus", status)
    assert [frame["frame_number"] for frame in status["result"]["frames"]] == numbers
    assert status["result"]["total_frames"] == CLIP_FRAMES


@pytest.mark.parametrize("query", ["?from=-1", "?to=x", "?from=4&to=2"])
def test_a_slice_that_is_none_is_400(caller: Caller, result: Body, query: str) -> None:
    assert caller.get(f"/pose/video/status/{result['job_id']}{query}").status == 400


def test_an_uploaded_clip_is_answered_like_one_on_disk(
    caller: Caller, clip: Path, result: Body, settings: Settings
) -> None:
    file = (BytesIO(clip.read_bytes()), "C:\\clips\\walk.mp4")
    body = caller.post("/pose/video", data={"video": file, "faces": "each"}).body
    check("VideoResult", body)
    assert [frame["keypoints"] for frame in body["frames"]] == [
        frame["keypoints"] for frame in result["frames"]
    ]
    assert not [*(settings.state_dir / "uploads").iterdir()], "nothing is left behind"


def test_async_is_202_and_polled_to_its_end(caller: Caller, clip: Path) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "async": True})
    check("VideoQueued", answer.body)
    assert answer.status == 202
    status = _finished(caller, answer.body["job_id"])
    assert (status["status"], status["result"]["total_frames"]) == ("complete", CLIP_FRAMES)


def test_a_stream_is_packed_when_asked_for(caller: Caller, result: Body) -> None:
    answer = caller.client.get(
        f"/pose/video/status/{result['job_id']}", headers={"Accept-Encoding": "gzip"}
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert strictly_parsed(gzip.decompress(answer.data))["result"] == result


def test_nobody_in_a_clip_is_a_result_of_empty_frames(caller: Caller, media: Path) -> None:
    path = clip_file(media / "empty.mp4", [picture()] * 4)
    answer = caller.post("/pose/video", json={"video_path": str(path)})
    check("VideoResult", answer.body)
    assert answer.status == 200
    for frame in answer.body["frames"]:
        check("PoseHybridResponse", frame)
        assert frame["persons"] == []
        assert frame["error"] == "No person detected in image"


def _bad_paths(media: Path, outside: Path) -> Iterator[tuple[str, str]]:
    not_a_clip = media / "notes.mp4"
    not_a_clip.write_text("this is no clip")
    (media / "nothing.mp4").write_bytes(b"")
    elsewhere = outside / "elsewhere.mp4"
    elsewhere.write_bytes(b"x")
    yield str(media / "missing.mp4"), "no such file"
    yield str(media), "is a folder"
    yield str(elsewhere), "outside the folders"
    yield "/etc/passwd", "system folder"
    yield str(not_a_clip), "notes.mp4"
    yield str(media / "nothing.mp4"), "nothing.mp4"
    yield "relative.mp4", "not a full path"
    yield "", "video_path: expected the path"


def test_a_path_that_is_no_clip_is_400_at_once_and_named(
    caller: Caller, clip: Path, media: Path, tmp_path: Path
) -> None:
    before = caller.get("/api/pose/pool-status").body["jobs"]["total"]
    for path, said in _bad_paths(media, tmp_path):
        answer = caller.post("/pose/video", json={"video_path": path})
        assert answer.status == 400, path
        assert said in answer.body["error"]
    assert caller.get("/api/pose/pool-status").body["jobs"]["total"] == before
    assert caller.post("/pose/video", json={"video_path": str(clip)}).status == 200


def test_sound_without_pictures_is_400(caller: Caller, media: Path) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(sound_file(media / "a.m4a"))})
    assert (answer.status, answer.body["error_type"]) == (400, "BAD_VIDEO")


def test_a_cut_clip_is_answered_as_far_as_it_goes_or_refused(
    caller: Caller, clip: Path, media: Path
) -> None:
    cut = truncated(clip, media / "cut.mp4", 0.5)
    answer = caller.post("/pose/video", json={"video_path": str(cut)})
    assert answer.status in (200, 400)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "video_path is missing"),
        ({"video_path": 5}, "video_path: expected the path of a video file, as text, got 5"),
        ({"video_path": "/a", "max_frames": 0}, "max_frames: expected an integer of 1 or more"),
        ({"video_path": "/a", "async": "yes"}, "async: expected true or false, got 'yes'"),
        ({"video_path": "/a", "faces": True}, 'faces: expected "each", "once" or "none", got true'),
        ({"video_path": "/a", "mesh": 1}, "mesh: expected true or false, got 1"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(caller: Caller, fields: Body, said: str) -> None:
    answer = caller.post("/pose/video", json=fields)
    assert answer.status == 400
    assert answer.body["error"].startswith(said)


def test_an_upload_that_is_no_clip_is_400_and_leaves_nothing(
    caller: Caller, settings: Settings
) -> None:
    answer = caller.post("/pose/video", data={"video": (BytesIO(b"text"), "a.mp4")})
    assert (answer.status, answer.body["error_type"]) == (400, "BAD_VIDEO")
    assert not [*(settings.state_dir / "uploads").iterdir()]


def test_an_upload_without_the_file_lists_the_parts_that_came(caller: Caller) -> None:
    answer = caller.post("/pose/video", data={"movie": (BytesIO(b"x"), "a.mp4"), "async": "true"})
    assert answer.status == 400
    assert answer.body["error"].endswith("the parts that arrived: movie, async")


def test_an_upload_over_the_limit_is_413(caller: Caller, settings: Settings) -> None:
    answer = caller.post("/pose/video", **large_part("video", bytes(3 * 1024 * 1024), "a.mp4"))
    assert answer.status == 413
    assert "at most 2 MB" in answer.body["error"]
    assert not [*(settings.state_dir / "uploads").iterdir()]


def test_a_broken_upload_is_400_and_leaves_nothing(caller: Caller, settings: Settings) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nab'
    answer = caller.post("/pose/video", data=head, content_type="multipart/form-data; boundary=x")
    assert answer.status == 400
    assert not [*(settings.state_dir / "uploads").iterdir()]


@pytest.mark.parametrize("job_id", ["no-such-job", "5f0c6a2e-93b1-4c57-8d0e-2a7f1b9c4e10", "..%2f"])
@pytest.mark.parametrize(
    "route", ["/pose/video/status/{}", "/job_status/{}", "/logs/{}", "/frame/{}/0"]
)
def test_an_unknown_job_is_404(caller: Caller, route: str, job_id: str) -> None:
    assert caller.get(route.format(job_id)).status == 404


class HeldDetector(ToyDetector):
    """Waits for `go_on`; white pictures make it fail."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        assert self.go_on.wait(PATIENCE_S)
        if images[0].min() > 200:
            raise RuntimeError("the net fell over")
        return super().detect(images, look)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Caller, HeldDetector]]:
    """A service of its own whose clips wait until they are let go; one may wait in line."""
    detector = HeldDetector()

    def build(settings: Settings) -> tuple[Engine, str]:
        return replace(toy_engine(), detector=detector), "it waits"

    settings = Settings(
        state_dir=tmp_path / "state", media_roots=(tmp_path,), max_queue=1, clip_wait_s=PATIENCE_S
    )
    settings.state_dir.mkdir()
    with running(settings, build) as caller:
        try:
            yield caller, detector
        finally:
            detector.go_on.set()


def test_while_busy_clips_queue_up_until_the_queue_is_full_and_all_are_done_in_the_end(
    held: tuple[Caller, HeldDetector], tmp_path: Path
) -> None:
    caller, detector = held
    request = {"video_path": str(clip_file(tmp_path / "a.mp4", [picture((9, 9, 30, 60))] * 3))}
    first = caller.post("/pose/video", json={**request, "async": True})
    second = caller.post("/pose/video", json=request)
    third = caller.post("/pose/video", json=request)
    for answer in (first, second):
        check("VideoQueued", answer.body)
        assert answer.status == 202
    assert (third.status, third.body["error_type"]) == (503, "QUEUE_FULL")
    assert int(third.headers["Retry-After"]) >= 1
    assert caller.get("/health").status == 200
    waiting = caller.get(f"/pose/video/status/{second.body['job_id']}").body
    check("VideoStatus", waiting)
    assert waiting["result"] is None
    detector.go_on.set()
    for answer in (first, second):
        assert _finished(caller, answer.body["job_id"])["status"] == "complete"


def test_a_clip_that_fails_is_500_with_its_job_and_the_next_one_works(
    held: tuple[Caller, HeldDetector], tmp_path: Path
) -> None:
    caller, detector = held
    detector.go_on.set()
    white = clip_file(tmp_path / "white.mp4", [picture((0, 0, 320, 240))] * 3)
    good = clip_file(tmp_path / "good.mp4", [picture((50, 50, 90, 160))] * 3)
    failed = caller.post("/pose/video", json={"video_path": str(white)})
    assert (failed.status, failed.body["error_type"]) == (500, "RuntimeError")
    assert "the net fell over" in failed.body["error"]
    status = caller.get(f"/pose/video/status/{failed.body['job_id']}").body
    check("VideoStatus", status)
    assert (status["status"], status["result"]) == ("error", None)
    old = caller.get(f"/job_status/{failed.body['job_id']}")
    assert (old.status, old.body["status"]) == (200, "error")
    assert "the net fell over" in old.body["error"]
    assert caller.post("/pose/video", json={"video_path": str(good)}).status == 200
