"""The older clip routes: /process_video_async, /job_status, /process_video, /frame, /logs."""

import base64
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from contract_kit import CLIP_FRAMES, Body, Caller, check
from PIL import Image

from pose_service.media.decode import open_clip

PATIENCE_S = 20.0
TIMELINE_FIELDS = {
    "frameNumber", "originalFrameNumber", "timestamp", "confidence", "keypoints", "joints3D",
    "jointAngles", "has3D", "meshRendered", "vertices", "faces", "imageBase64",
}  # fmt: skip


def _upload(clip: Path, **fields: str) -> Body:
    return {"data": {"video": (BytesIO(clip.read_bytes()), "walk.mp4"), **fields}}


@pytest.fixture(scope="module")
def status(caller: Caller, clip: Path) -> Body:
    """What the phone has at the end of its polling."""
    accepted = caller.post("/process_video_async", **_upload(clip, max_frames="999999"))
    assert (accepted.status, accepted.body["status"]) == (200, "accepted")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        body: Body = caller.get(f"/job_status/{accepted.body['job_id']}").body
        if body["status"] not in ("queued", "processing"):
            return body
        time.sleep(0.02)
    raise AssertionError("the job was never finished")


def test_a_finished_job_has_the_result_of_both_generations(status: Body) -> None:
    assert status["status"] == "complete"
    assert status["processing_time"] >= 0
    result = status["result"]
    check("VideoResult", result)
    assert result["total_frames"] == result["processed_frames"] == CLIP_FRAMES
    assert len(result["frames"]) == len(result["pose_timeline"]) == CLIP_FRAMES
    assert result["frame_acceptance"][3]["has_mesh"] is True


def test_the_timeline_holds_the_same_poses_under_its_own_names(status: Body) -> None:
    frames = status["result"]["frames"]
    for entry, frame in zip(status["result"]["pose_timeline"], frames, strict=True):
        assert set(entry) >= TIMELINE_FIELDS
        assert entry["keypoints"] == frame["keypoints"]
        assert entry["joints3D"] == frame["joints_3d_raw"]
        assert entry["jointAngles"] == frame["joint_angles_3d"]
        assert entry["vertices"] == frame["mesh_vertices_data"]
        assert (entry["timestamp"], entry["has3D"]) == (frame["timestamp"], True)


def test_the_timelines_faces_stand_once(status: Body) -> None:
    has_faces = [entry["faces"] is not None for entry in status["result"]["pose_timeline"]]
    assert has_faces == [True] + [False] * (CLIP_FRAMES - 1)


def test_a_frame_of_a_finished_clip_is_a_jpeg_with_its_people(
    caller: Caller, status: Body, clip: Path
) -> None:
    answer = caller.client.get(f"/frame/{status['job_id']}/3")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    drawn = np.asarray(Image.open(BytesIO(answer.data))).astype(int)
    bare = open_clip(clip).frame(3).image
    assert drawn.shape == bare.shape
    assert np.abs(drawn - bare).mean() > 3, "something is drawn"


@pytest.mark.parametrize("number", ["20", "-1", "x", "1.5"])
def test_a_frame_out_of_range_is_400(caller: Caller, status: Body, number: str) -> None:
    assert caller.get(f"/frame/{status['job_id']}/{number}").status == 400


def test_the_log_of_a_job_tells_its_steps(caller: Caller, status: Body) -> None:
    body = caller.get(f"/logs/{status['job_id']}").body
    assert body["job_id"] == status["job_id"]
    assert "queued: walk.mp4" in body["logs"]
    assert f"complete, {CLIP_FRAMES} frames" in body["logs"]


def test_process_video_has_the_frames_in_both_places(caller: Caller, clip: Path) -> None:
    answer = caller.post("/process_video", **_upload(clip, output_format="json", max_frames="6"))
    assert (answer.status, answer.body["status"]) == (200, "success")
    check("VideoResult", answer.body["data"])
    assert answer.body["frames"] == answer.body["data"]["frames"]
    assert len(answer.body["frames"]) == answer.body["data"]["processed_frames"] == 6
    assert answer.body["data"]["output_path"] is None


def test_process_video_gives_the_path_of_an_overlay_video(caller: Caller, clip: Path) -> None:
    data = caller.post("/process_video", **_upload(clip)).body["data"]
    overlay = open_clip(Path(data["output_path"]))
    assert sum(1 for _ in overlay.frames()) == CLIP_FRAMES
    assert data["output_size_mb"] > 0


def test_process_video_gives_the_overlay_as_base64(
    caller: Caller, clip: Path, tmp_path: Path
) -> None:
    upload = _upload(clip, output_format="base64", max_frames="4")
    data = caller.post("/process_video", **upload).body["data"]
    path = tmp_path / "overlay.mp4"
    path.write_bytes(base64.b64decode(data["output_base64"]))
    assert path.read_bytes() == Path(data["output_path"]).read_bytes()
    assert sum(1 for _ in open_clip(path).frames()) == 4


@pytest.mark.parametrize("path", ["/process_video", "/process_video_async"])
def test_a_body_without_a_clip_is_400(caller: Caller, path: str) -> None:
    answer = caller.post(path, data={"max_frames": "3"}, content_type="multipart/form-data")
    assert answer.status == 400
    assert "a file part named video" in answer.body["error"]


@pytest.mark.parametrize("path", ["/process_video", "/process_video_async"])
def test_a_clip_that_is_none_is_400(caller: Caller, path: str) -> None:
    answer = caller.post(path, data={"video": (BytesIO(b"no clip"), "a.mp4")})
    assert (answer.status, answer.body["error_type"]) == (400, "BAD_VIDEO")


@pytest.mark.parametrize("path", ["/process_video", "/process_video_async"])
def test_json_where_an_upload_is_wanted_is_415(caller: Caller, path: str) -> None:
    assert caller.post(path, json={"video_path": "/a"}).status == 415
