"""A front without nets, and workers that come and go behind it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from contract_kit import CLIP_FRAMES, Caller, check
from pose_schema import check_pose
from toy_engine import build_toy

from pose_service.app import create_app, job_service
from pose_service.core.config import Settings
from pose_service.jobs.service import JobService
from pose_service.runtime.hub import ModelHub

PATIENCE_S = 20.0


def eventually(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "this never came true"
        time.sleep(0.02)


@pytest.fixture
def front_settings(tmp_path: Path, media: Path) -> Settings:
    return Settings.model_validate(
        {
            "state_dir": tmp_path, "media_roots": (media,), "worker_timeout_s": 1,
            "front_only": True, "body": "toy_engine:body",
        }
    )  # fmt: skip


@pytest.fixture
def front(front_settings: Settings) -> Iterator[Caller]:
    app = create_app(front_settings)
    yield Caller(app.test_client())
    app.extensions["pose_service"].stop()


@pytest.fixture
def worker(front_settings: Settings) -> Iterator[JobService]:
    settings = front_settings.model_copy(update={"front_only": False})
    hub = ModelHub(settings, build_toy)
    jobs = job_service(settings, hub)
    hub.start()
    jobs.start()
    yield jobs
    jobs.stop()
    hub.stop()
    jobs.close()


def test_without_workers_it_says_so_and_clips_wait(front: Caller, clip: Path) -> None:
    eventually(lambda: front.get("/health").body["status"] == "not_ready")
    health = front.get("/health").body
    check("HealthResponse", health)
    assert health["workers"] == []
    assert "python -m pose_service worker" in health["error"]
    answer = front.post("/pose/video", json={"video_path": str(clip)})
    assert answer.status == 202
    assert front.get(f"/jobs/{answer.body['job_id']}").body["queue_position"] == 1


def test_single_frames_are_503_with_the_remedy(front: Caller) -> None:
    answer = front.frame()
    assert (answer.status, answer.body["error_type"]) == (503, "ENGINE_UNAVAILABLE")
    assert "POSE_FRONT_ONLY" in answer.body["error"]
    assert "to a service with nets of its own" in answer.body["error"]


def test_a_worker_is_seen_takes_what_waits_and_its_results_are_answered(
    front: Caller, clip: Path, request: pytest.FixtureRequest
) -> None:
    job_id = front.post("/pose/video", json={"video_path": str(clip)}).body["job_id"]
    request.getfixturevalue("worker")
    eventually(lambda: front.get("/health").body["ready"])
    health = front.get("/health").body
    check("HealthResponse", health)
    assert (health["status"], health["engine"], health["models"]["toy"]) == (
        "ready",
        "toy",
        "loaded",
    )
    [one] = health["workers"]
    assert (one["status"], one["engine"]) == ("ready", "toy")
    eventually(lambda: front.get(f"/jobs/{job_id}").body["done"])
    status = front.get(f"/pose/video/status/{job_id}").body
    check("VideoStatus", status)
    check("VideoResult", status["result"])
    assert status["result"]["total_frames"] == CLIP_FRAMES
    # now that somebody is free an answer is waited for
    answer = front.post("/pose/video", json={"video_path": str(clip)})
    assert (answer.status, answer.body["total_frames"]) == (200, CLIP_FRAMES)
    assert answer.body["frames"][0]["model_version"] == "toy/1"


def test_a_worker_that_has_left_is_not_listed_any_more(front: Caller, worker: JobService) -> None:
    eventually(lambda: front.get("/health").body["ready"])
    worker.stop()
    eventually(lambda: front.get("/health").body["workers"] == [])
    assert front.get("/health").body["status"] == "not_ready"


@pytest.mark.usefixtures("worker")
def test_keypoints_that_a_worker_saw_are_answered_by_the_front(front: Caller, clip: Path) -> None:
    eventually(lambda: front.get("/health").body["ready"])
    job_id = front.post("/pose", json={"video_path": str(clip), "async": True}).body["job_id"]
    eventually(lambda: front.get(f"/jobs/{job_id}").body["done"])
    body = front.get(f"/pose/result/{job_id}").body
    check_pose(body)
    assert body["data"]["processing_summary"]["total_frames"] == CLIP_FRAMES
    with front.client.get(f"/pose/annotated/{job_id}.mp4") as film:
        assert film.status_code == 200
    assert front.get("/healthz").body["models"]["engine"] == "toy"
