"""Clips sent to /pose as jobs: waiting, cancelled, stopped with the service, taken up again."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from contract_kit import Body, Caller, check, running
from makers import clip_file
from pose_schema import check_pose
from toy_engine import ToyDetector, picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Engine

PATIENCE_S = 20.0
FRAMES = 90
HELD_AT = 70
"""The frame at which the detector waits: beyond the first chunk, which outlives the claim."""


class CountedDetector(ToyDetector):
    """Counts the pictures it sees; waits for `go_on` when it has seen `HELD_AT` of them."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.seen = 0

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.seen += len(images)
        if self.seen > HELD_AT:
            # the stop of a service waits for the work in hand
            self.go_on.wait(0.5)
        return super().detect(images, look)


@contextmanager
def service(folder: Path, detector: CountedDetector) -> Iterator[Caller]:
    def build(settings: Settings) -> tuple[Engine, str]:
        return replace(toy_engine(), detector=detector), "a test asked for it"

    settings = Settings(state_dir=folder / "state", media_roots=(folder,), share_clips=False)
    with running(settings, build) as caller:
        yield caller


@pytest.fixture
def long_clip(tmp_path: Path) -> Path:
    images = [picture((60 + i, 40, 120 + i, 200)) for i in range(FRAMES)]
    return clip_file(tmp_path / "long.mp4", images)


def sent(caller: Caller, clip: Path) -> str:
    answer = caller.post("/pose", json={"video_path": str(clip), "async": True, "confidence": 0.4})
    assert answer.status == 202
    check("VideoQueued", answer.body)
    job_id: str = answer.body["job_id"]
    return job_id


def wait_for_tracking(caller: Caller, job_id: str, detector: CountedDetector) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while detector.seen <= HELD_AT:
        assert time.monotonic() < deadline, caller.get(f"/pose/status/{job_id}").body
        time.sleep(0.01)


def finished(caller: Caller, job_id: str) -> Body:
    deadline = time.monotonic() + PATIENCE_S
    while not (status := caller.get(f"/pose/status/{job_id}").body)["done"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    body: Body = status
    return body


def test_a_clip_stopped_with_the_service_goes_on_where_it_was(
    tmp_path: Path, long_clip: Path
) -> None:
    first, second = CountedDetector(), CountedDetector()
    with service(tmp_path, first) as caller:
        job_id = sent(caller, long_clip)
        wait_for_tracking(caller, job_id, first)
    second.go_on.set()
    with service(tmp_path, second) as caller:
        assert finished(caller, job_id)["status"] == "complete"
        body = caller.get(f"/pose/result/{job_id}").body
    check_pose(body)
    summary = body["data"]["processing_summary"]
    assert (summary["total_frames"], summary["successful_poses"]) == (FRAMES, FRAMES)
    assert summary["confidence"] == 0.4, "what was asked for is on record"
    assert second.seen < FRAMES, "the chunk that was finished is not looked at again"


def test_a_clip_can_be_cancelled_while_it_runs(tmp_path: Path, long_clip: Path) -> None:
    detector = CountedDetector()
    with service(tmp_path, detector) as caller:
        job_id = sent(caller, long_clip)
        wait_for_tracking(caller, job_id, detector)
        progress = caller.get(f"/pose/status/{job_id}").body["progress"]
        assert (progress["stage"], progress["frames_total"]) == ("tracking", FRAMES)
        assert caller.ask("DELETE", f"/jobs/{job_id}").body["state"] == "cancelled"
        detector.go_on.set()
        assert finished(caller, job_id)["status"] == "error"
        result = caller.get(f"/pose/result/{job_id}")
        assert (result.status, result.body["error_type"]) == (410, "CANCELLED")


def test_a_clip_that_waits_says_so_where_its_result_and_film_are_asked_for(
    tmp_path: Path, long_clip: Path
) -> None:
    detector = CountedDetector()
    with service(tmp_path, detector) as caller:
        first = sent(caller, long_clip)
        second = caller.post("/pose", json={"video_path": str(long_clip)})
        assert second.status == 202, "the service is busy"
        for path in ("/pose/result/{}", "/pose/result/{}?format=pdf", "/pose/annotated/{}.mp4"):
            answer = caller.get(path.format(second.body["job_id"]))
            assert answer.status == 202
            check("VideoQueued", answer.body)
        detector.go_on.set()
        for job_id in (first, second.body["job_id"]):
            assert finished(caller, job_id)["status"] == "complete"


def test_a_request_sent_twice_with_its_key_is_one_job(tmp_path: Path, long_clip: Path) -> None:
    detector = CountedDetector()
    detector.go_on.set()
    with service(tmp_path, detector) as caller:
        request = {"video_path": str(long_clip), "max_frames": 5}
        key = {"Idempotency-Key": "squat-1"}
        one, same = (caller.post("/pose", json=request, headers=key).body for _ in range(2))
        assert one["job_id"] == same["job_id"]
        other = caller.post("/pose", json={**request, "confidence": 0.9}, headers=key)
        assert other.status == 409
