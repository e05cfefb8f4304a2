"""/pose on real clips with the real nets of the embedded engine, from the request to the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pose_schema import check_pose
from pypdf import PdfReader

from pose_service.app import create_app
from pose_service.core.config import Settings
from pose_service.media.decode import open_clip

Body = dict[str, Any]

ENDS = ("hip", "knee", "ankle")


@pytest.fixture(scope="module")
def client(
    network_dir: Path, shared_media: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    settings = Settings(
        engine="embedded",
        state_dir=tmp_path_factory.mktemp("state"),
        media_roots=(shared_media,),
        rtmpose_enabled=False,
        hrnet_enabled=False,
    )
    app = create_app(settings)
    yield app.test_client()
    app.extensions["pose_service"].stop()


@pytest.fixture(scope="module")
def runner(client: Any, shared_media: Path) -> Body:
    """Two seconds of a woman who runs past the camera."""
    request = {"video_path": str(shared_media / "vid.mp4"), "max_frames": 60, "video": True}
    answer = client.post("/pose", json=request)
    assert answer.status_code == 200
    body: Body = answer.get_json()
    return body


def test_the_runners_answer_follows_the_contract_with_real_values(runner: Body) -> None:
    check_pose(runner)
    summary = runner["data"]["processing_summary"]
    assert (summary["total_frames"], summary["successful_poses"]) == (60, 60)
    assert summary["average_confidence"] > 0.7
    assert (summary["model_info"]["name"], summary["angles"]) == ("BlazePose", "3d")
    assert "RTMPose" in summary["model_info"]["fallback"], "why the better net was not taken"


def test_her_keypoints_are_hers_and_in_their_places(runner: Body) -> None:
    for pose in runner["data"]["poses_per_frame"][::10]:
        x1, y1, x2, y2 = pose["bounding_box"]
        points = pose["keypoints"]
        margin = 0.1 * (y2 - y1)
        for point in points.values():
            assert x1 - margin < point["x"] < x2 + margin
            assert y1 - margin < point["y"] < y2 + margin
        assert points["nose"]["x"] > points["left_ear"]["x"], "she runs to the right"
        assert points["nose"]["y"] < points["left_shoulder"]["y"] < points["left_hip"]["y"]


def test_every_angle_can_be_reckoned_from_the_points_of_the_answer(runner: Body) -> None:
    """The formula of docs/biomechanics.md on the numbers as sent: 0.1 mm is rounded off."""
    for pose in runner["data"]["poses_per_frame"][::15]:
        places = {
            name: np.array([p["x"], p["y"], p["z"]]) for name, p in pose["keypoints_3d"].items()
        }
        for side in ("left", "right"):
            first, corner, last = (places[f"{side}_{end}"] for end in ENDS)
            a, b = first - corner, last - corner
            cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
            sent = pose["biomechanics"]["joint_angles"][f"{side}_knee"]
            sure = all(pose["keypoints"][f"{side}_{end}"]["confidence"] >= 0.3 for end in ENDS)
            assert (sent is not None) == sure, "hidden joints are no guess"
            if sure:
                assert np.degrees(np.arccos(cosine)) == pytest.approx(sent, abs=0.1)


def test_her_running_is_that_of_a_runner(runner: Body) -> None:
    summary = runner["data"]["summary"]
    for side in ("left", "right"):
        knee = summary["range_of_motion"][f"{side}_knee"]
        assert 50 < knee["least"] < 110, "the swinging leg"
        assert 140 < knee["greatest"] < 180, "the standing leg"
    spine = [p["biomechanics"]["body_alignment"]["spine_angle"] for p in _poses(runner)]
    assert max(spine) < 30, "nobody runs bent flat"


def _poses(body: Body) -> list[Body]:
    poses: list[Body] = body["data"]["poses_per_frame"]
    return poses


def test_angles_in_the_picture_and_in_space_tell_of_the_same_movement(
    client: Any, shared_media: Path, runner: Body
) -> None:
    """From the side the knee's plane is nearly the picture's: the curves go together."""
    request = {"video_path": str(shared_media / "vid.mp4"), "max_frames": 60, "angles": "2d"}
    flat = client.post("/pose", json=request).get_json()
    curves = [
        [pose["biomechanics"]["joint_angles"]["right_knee"] for pose in _poses(body)]
        for body in (runner, flat)
    ]
    known = np.array([[np.nan if v is None else v for v in curve] for curve in curves])
    both = np.isfinite(known).all(axis=0)
    assert both.mean() > 0.8
    assert np.corrcoef(known[:, both])[0, 1] > 0.9


def test_the_annotated_clip_and_the_page_are_made(
    client: Any, runner: Body, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    with client.get(runner["video_url"].removeprefix("http://localhost")) as answer:
        film.write_bytes(answer.data)
    clip = open_clip(film)
    assert len([*clip.frames()]) == 60
    page = tmp_path / "page.pdf"
    page.write_bytes(client.get(f"/pose/result/{runner['job_id']}?format=pdf").data)
    reader = PdfReader(page)
    assert len(reader.pages) == 1
    assert "BlazePose" in reader.pages[0].extract_text()


def test_a_clip_of_somebody_else_is_compared_in_step(
    client: Any, shared_media: Path, runner: Body
) -> None:
    request = {"video_path": str(shared_media / "sports2d.mp4"), "max_frames": 30}
    body = client.post("/pose", json={**request, "compare_with": runner["job_id"]}).get_json()
    check_pose(body)
    comparison = body["data"]["comparison"]
    assert comparison["with"] == runner["job_id"]
    assert comparison["distance_deg"] > 5, "dancing is not running"
    assert np.all(np.diff(comparison["other_times_s"]) >= 0)
