"""Jobs as their callers see them: /jobs, cancelling, events, keys, limits, addresses, callbacks."""

import hashlib
import hmac
import json
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from contract_kit import CLIP_FRAMES, Body, Caller, running
from file_server import mirror_of
from makers import clip_file
from servers import wait_for
from toy_engine import ToyDetector, picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Engine
from pose_service.web import jobs as jobs_module

PATIENCE_S = 20.0
SECRET = "geheim-und-lang"


class SlowDetector(ToyDetector):
    """Takes its time with every frame once `slow` is set."""

    def __init__(self) -> None:
        self.slow = threading.Event()

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        if self.slow.is_set():
            time.sleep(0.05)
        return super().detect(images, look)


@pytest.fixture
def slow(tmp_path: Path, media: Path) -> Iterator[tuple[Caller, SlowDetector]]:
    """A service of its own whose clips can be made slow."""
    detector = SlowDetector()

    def build(settings: Settings) -> tuple[Engine, str]:
        return replace(toy_engine(), detector=detector), "it is slow"

    settings = Settings.model_validate(
        {
            "state_dir": tmp_path / "state", "media_roots": (media,), "clip_wait_s": PATIENCE_S,
            "max_queue": 3, "max_queue_per_client": 3, "webhook_secret": SECRET,
            "allow_private_urls": True, "max_upload_mb": 2, "threads": 4,
        }
    )  # fmt: skip
    with running(settings, build) as caller:
        yield caller, detector


def sent(caller: Caller, clip: Path, **fields: object) -> str:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "async": True, **fields})
    assert answer.status == 202, answer.body
    job_id: str = answer.body["job_id"]
    return job_id


def finished(caller: Caller, job_id: str) -> Body:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (body := caller.get(f"/jobs/{job_id}").body)["done"]:
        assert time.monotonic() < deadline_s, body
        time.sleep(0.02)
    known: Body = body
    return known


def test_a_job_tells_how_far_it_is(caller: Caller, clip: Path) -> None:
    body = finished(caller, sent(caller, clip, keep_days=2))
    assert (body["state"], body["error"], body["attempts"]) == ("complete", None, 1)
    assert (body["queue_position"], body["keep_days"]) == (0, 2)
    assert body["progress"]["frames_done"] == body["progress"]["frames_total"] == CLIP_FRAMES
    assert body["queued_at"] <= body["started_at"] <= body["completed_at"]


def test_jobs_are_listed_newest_first_by_pages_and_by_state(caller: Caller, clip: Path) -> None:
    ids = [sent(caller, clip) for _ in range(3)]
    for job_id in ids:
        finished(caller, job_id)
    first = caller.get("/jobs?limit=2").body
    assert [job["job_id"] for job in first["jobs"]] == [ids[2], ids[1]]
    second = caller.get(f"/jobs?limit=1&before={first['next']}").body
    assert [job["job_id"] for job in second["jobs"]] == [ids[0]]
    assert first["counts"]["complete"] >= 3
    assert {job["state"] for job in caller.get("/jobs?state=complete").body["jobs"]} == {"complete"}
    assert caller.get("/jobs?state=queued,processing").body["jobs"] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=done", "state: expected one or more of queued, processing"),
        ("limit=0", "limit: expected an integer of 1 to 500, got '0'"),
        ("limit=x", "limit: expected an integer"),
    ],
)
def test_a_list_that_cannot_be_had_is_400(caller: Caller, query: str, said: str) -> None:
    answer = caller.get(f"/jobs?{query}")
    assert answer.status == 400 and answer.body["error"].startswith(said)


@pytest.mark.parametrize(
    "job_id", ["no-such-job", "015efe0c-79ee-43b5-98d7-ade43cf3db96", "..%2f..%2fetc"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs/{}"), ("DELETE", "/jobs/{}"), ("DELETE", "/jobs/{}?remove=true"),
        ("GET", "/jobs/{}/events"), ("GET", "/jobs?before={}"),
    ],
)  # fmt: skip
def test_an_unknown_job_is_404_wherever_it_is_asked_for(
    caller: Caller, method: str, path: str, job_id: str
) -> None:
    assert caller.ask(method, path.format(job_id)).status == 404


def test_a_running_clip_is_cancelled_within_a_second_and_the_next_one_runs(
    slow: tuple[Caller, SlowDetector], media: Path
) -> None:
    caller, detector = slow
    detector.slow.set()
    long = clip_file(media / "long.mp4", [picture((9, 9, 30, 60))] * 400)
    running_id, next_id = sent(caller, long), sent(caller, long, max_frames=3)
    deadline_s = time.monotonic() + PATIENCE_S
    while caller.get(f"/jobs/{running_id}").body["progress"]["frames_done"] < 8:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    told = caller.get(f"/jobs/{running_id}").body
    assert told["state"] == "processing" and told["progress"]["frames_total"] == 400
    answer = caller.ask("DELETE", f"/jobs/{running_id}")
    assert (answer.status, answer.body["state"]) == (200, "cancelled")
    cancelled_at_s = time.monotonic()
    while caller.get(f"/jobs/{next_id}").body["state"] == "queued":
        assert time.monotonic() - cancelled_at_s < 1.5
        time.sleep(0.01)
    assert finished(caller, next_id)["state"] == "complete"
    again = caller.ask("DELETE", f"/jobs/{running_id}")
    assert (again.status, again.body["error_type"]) == (409, "ALREADY_FINISHED")


def test_older_routes_call_a_cancelled_clip_an_error(
    slow: tuple[Caller, SlowDetector], media: Path
) -> None:
    caller, detector = slow
    detector.slow.set()
    job_id = sent(caller, clip_file(media / "long2.mp4", [picture()] * 400))
    caller.ask("DELETE", f"/jobs/{job_id}")
    for path in (f"/pose/video/status/{job_id}", f"/job_status/{job_id}"):
        body = caller.get(path).body
        assert (body["status"], body["error_type"]) == ("error", "CANCELLED")


def test_a_finished_job_is_removed_on_demand(caller: Caller, clip: Path) -> None:
    job_id = sent(caller, clip)
    finished(caller, job_id)
    assert caller.ask("DELETE", f"/jobs/{job_id}").status == 409
    assert caller.ask("DELETE", f"/jobs/{job_id}?remove=true").body["removed"] is True
    assert caller.get(f"/jobs/{job_id}").status == 404
    assert caller.get(f"/pose/video/status/{job_id}").status == 404


def _events(data: bytes) -> list[tuple[str, Body]]:
    parsed = []
    for block in data.decode().strip().split("\n\n"):
        if not block.startswith(":"):
            name, fields = block.split("\n")
            parsed.append((name.removeprefix("event: "), json.loads(fields.removeprefix("data: "))))
    return parsed


def test_events_tell_a_clips_story_and_end_with_it(
    slow: tuple[Caller, SlowDetector], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, detector = slow
    monkeypatch.setattr(jobs_module, "QUIET_S", 0.05)
    detector.slow.set()
    job_id = sent(caller, clip_file(media / "story.mp4", [picture((9, 9, 30, 60))] * 60))
    response = caller.client.get(f"/jobs/{job_id}/events")
    assert response.content_type == "text/event-stream"
    story = _events(response.data)
    assert [name for name, _ in story[:-1]] == ["progress"] * (len(story) - 1)
    assert story[-1][0] == "end" and story[-1][1]["state"] == "complete"
    done = [job["progress"]["frames_done"] for _, job in story]
    assert done == sorted(done) and len(set(done)) > 2
    assert all(set(job) == set(story[0][1]) for _, job in story)


def test_followers_are_limited_and_leave_room_again(
    slow: tuple[Caller, SlowDetector], media: Path
) -> None:
    caller, detector = slow
    detector.slow.set()
    job_id = sent(caller, clip_file(media / "watched.mp4", [picture()] * 400))
    # four threads: two may be held by followers
    followers = [caller.client.get(f"/jobs/{job_id}/events", buffered=False) for _ in range(2)]
    refused = caller.get(f"/jobs/{job_id}/events")
    assert (refused.status, refused.body["error_type"]) == (503, "TOO_MANY_WATCHERS")
    for follower in followers:
        next(iter(follower.response))
        follower.close()
    caller.ask("DELETE", f"/jobs/{job_id}")
    assert caller.client.get(f"/jobs/{job_id}/events").status_code == 200


def keyed(caller: Caller, key: str, **body: object) -> tuple[int, Body]:
    answer = caller.post("/pose/video", json=body, headers={"Idempotency-Key": key})
    return answer.status, answer.body


def test_the_same_key_and_request_is_answered_with_the_same_job(caller: Caller, clip: Path) -> None:
    key = str(uuid.uuid4())
    first = keyed(caller, key, video_path=str(clip), precision=3)
    again = keyed(caller, key, video_path=str(clip), precision=3)
    assert first[0] == again[0] == 200
    assert first[1]["job_id"] == again[1]["job_id"]
    assert first[1]["frames"] == again[1]["frames"]
    status, body = keyed(caller, key, video_path=str(clip), precision=4)
    assert (status, body["error_type"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_the_same_upload_twice_is_one_job_with_a_key_and_two_without(
    caller: Caller, clip: Path
) -> None:
    def upload(data: bytes, **headers: str) -> tuple[int, str]:
        answer = caller.post(
            "/process_video_async", data={"video": (BytesIO(data), "a.mp4")}, headers=headers
        )
        return answer.status, answer.body.get("job_id", answer.body.get("error_type"))

    data, key = clip.read_bytes(), str(uuid.uuid4())
    one, two = (upload(data, **{"Idempotency-Key": key}) for _ in range(2))
    assert one == two
    assert upload(data)[1] != upload(data)[1]
    other = clip_file(clip.with_name("other.mp4"), [picture()] * 3).read_bytes()
    assert upload(other, **{"Idempotency-Key": key}) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_that_is_none_is_400(caller: Caller, clip: Path) -> None:
    status, body = keyed(caller, "k" * 201, video_path=str(clip))
    assert status == 400 and body["error"].startswith("Idempotency-Key: expected")


def test_one_callers_jobs_are_limited_with_429(
    slow: tuple[Caller, SlowDetector], media: Path
) -> None:
    caller, detector = slow
    detector.slow.set()
    long = clip_file(media / "long3.mp4", [picture()] * 400)
    ids = [sent(caller, long) for _ in range(3)]
    answer = caller.post("/pose/video", json={"video_path": str(long), "async": True})
    assert (answer.status, answer.body["error_type"]) == (429, "CLIENT_LIMIT")
    assert int(answer.headers["Retry-After"]) >= 1
    for job_id in ids:
        caller.ask("DELETE", f"/jobs/{job_id}")
    sent(caller, long, max_frames=1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"keep_days": -1}, "keep_days: expected a number of days above 0, got -1"),
        ({"keep_days": 31}, "keep_days: expected at most 30, got 31"),
        ({"start": -1}, "start: expected seconds, 0 or more, got -1"),
        ({"start": 2, "end": 1}, "end: expected more than 2 (start), got 1"),
        ({"every": 0}, "every: expected an integer of 1 to 1000, got 0"),
        ({"every": 1.5}, "every: expected an integer of 1 to 1000, got 1.5"),
        ({"callback_url": "https://example.com"}, "callback_url: this service has no secret"),
        ({"start": 99}, "walk.mp4 has no frame in the part asked for: it lasts 0.667 s"),
    ],
)
def test_what_cannot_be_done_is_said(caller: Caller, clip: Path, fields: Body, said: str) -> None:
    # behind another clip this one would wait its turn: 202
    wait_for(lambda: not caller.get("/jobs?state=queued,processing").body["jobs"])
    answer = caller.post("/pose/video", json={"video_path": str(clip), **fields})
    assert answer.status == 400
    assert answer.body["error"].startswith(said)


def test_a_part_of_a_clip_keeps_its_times_and_tells_its_frame_numbers(
    caller: Caller, clip: Path
) -> None:
    fields = {"video_path": str(clip), "start": 0.15, "end": 0.5, "every": 3}
    body = caller.post("/pose/video", json=fields).body
    # frames 5, 8, 11, 14 of 30 a second
    assert body["source_frames"] == {"first": 5, "every": 3}
    assert [frame["frame_number"] for frame in body["frames"]] == [0, 1, 2, 3]
    times_s = [frame["timestamp"] for frame in body["frames"]]
    assert times_s == pytest.approx([5 / 30, 8 / 30, 11 / 30, 14 / 30], abs=1e-4)
    assert (body["total_frames"], body["fps"]) == (4, pytest.approx(10, abs=0.01))
    whole = caller.post("/pose/video", json={"video_path": str(clip)}).body
    for frame, number in zip(body["frames"], (5, 8), strict=False):
        assert frame["persons"][0]["bbox"] == whole["frames"][number]["persons"][0]["bbox"]


def test_a_frame_of_a_part_is_drawn_over_the_right_picture(caller: Caller, clip: Path) -> None:
    body = caller.post("/pose/video", json={"video_path": str(clip), "start": 0.5}).body
    drawn = caller.client.get(f"/frame/{body['job_id']}/0").data
    first_of_all = caller.post("/pose/video", json={"video_path": str(clip)}).body
    other = caller.client.get(f"/frame/{first_of_all['job_id']}/15").data
    assert drawn == other


def test_a_clip_is_fetched_from_an_address(slow: tuple[Caller, SlowDetector], clip: Path) -> None:
    caller, _ = slow
    with mirror_of(clip.parent) as url:
        answer = caller.post("/pose/video", json={"video_url": f"{url}/{clip.name}?token=geheim"})
    assert (answer.status, answer.body["total_frames"]) == (200, CLIP_FRAMES)
    assert answer.body["video_path"] == f"{url}/{clip.name}?…"
    # the clip was kept: it can be drawn on although its server is gone
    job_id = answer.body["job_id"]
    assert caller.client.get(f"/frame/{job_id}/3").status_code == 200
    said = json.dumps([caller.get(path).body for path in (f"/jobs/{job_id}", f"/logs/{job_id}")])
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/a.mp4", "leads to 127.0.0.1, which is not a public address"),
        ("http://169.254.169.254/latest/meta-data", "which is not a public address"),
        ("http://[::1]:80/a.mp4", "which is not a public address"),
        ("http://localhost/a.mp4", "which is not a public address"),
        ("file:///etc/passwd", "is not an address that can be used"),
        ("ftp://example.com/a.mp4", "is not an address that can be used"),
        ("s3://bucket/a.mp4", "is in no bucket that clips may come from"),
        ("https://me:geheim@127.0.0.1/?k=geheim", "https://…@127.0.0.1/?… leads to 127.0.0.1"),
        ("http://", "is not an address that can be used"),
    ],
)
def test_an_address_that_is_not_gone_to_is_400_at_once(caller: Caller, url: str, said: str) -> None:
    answer = caller.post("/pose/video", json={"video_url": url})
    assert (answer.status, answer.body["error_type"]) == (400, "BAD_URL")
    assert said in answer.body["error"]
    assert "geheim" not in json.dumps(answer.body)


def test_a_path_and_an_address_together_are_400(caller: Caller, clip: Path) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "video_url": "http://a/b"})
    assert (answer.status, answer.body["error"]) == (
        400, "video_path and video_url: expected one of them, got both",
    )  # fmt: skip


class _Hook(BaseHTTPRequestHandler):
    """Fails once, then listens."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        calls: list[tuple[str, bytes]] = self.server.calls  # type: ignore[attr-defined]
        calls.append((self.headers["X-Pose-Signature"], body))
        self.send_response(500 if len(calls) == 1 else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def hook() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hook) as server:
        calls: list[tuple[str, bytes]] = []
        server.calls = calls  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/done?token=geheim", calls
        server.shutdown()
        thread.join()


def test_a_caller_is_told_signed_and_again_until_it_hears(
    slow: tuple[Caller, SlowDetector], clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_service.jobs.webhook.PAUSES_S", (0.1, 0.1))
    caller, _ = slow
    with hook() as (url, calls):
        job_id = sent(caller, clip, callback_url=url)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(calls) < 2:
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        time.sleep(1.5)
        assert len(calls) == 2, "it has heard"
    for header, body in calls:
        stamp, _, given = header.removeprefix("t=").partition(",v1=")
        assert abs(int(stamp) - time.time()) < 60
        made = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(made, given)
        assert (json.loads(body)["job_id"], json.loads(body)["state"]) == (job_id, "complete")
    assert "geheim" not in caller.get(f"/logs/{job_id}").body["logs"]
    assert ": 500" in caller.get(f"/logs/{job_id}").body["logs"]


def test_a_callback_into_the_services_own_net_is_refused(tmp_path: Path, clip: Path) -> None:
    settings = Settings.model_validate(
        {"state_dir": tmp_path, "media_roots": (clip.parent,), "webhook_secret": SECRET}
    )
    with running(settings) as caller:
        for url in ("http://127.0.0.1:8080/?token=geheim", "http://[::1]/", "ftp://example.com/"):
            answer = caller.post("/pose/video", json={"video_path": str(clip), "callback_url": url})
            assert (answer.status, answer.body["error_type"]) == (400, "BAD_URL")
            assert "geheim" not in json.dumps(answer.body)
        assert caller.get("/jobs").body["jobs"] == []


def test_no_password_of_an_address_is_ever_logged(
    tmp_path: Path, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings.model_validate(
        {
            "state_dir": tmp_path, "media_roots": (clip.parent,), "worker_timeout_s": 1,
            "database_url": f"sqlite:////{tmp_path}/other.sqlite?timeout=5",
            "queue_url": "redis://:geheim-1@127.0.0.1:1/0", "storage_wait_s": 0,
            "storage_url": "s3://nobody:geheim-2@bucket/x?endpoint_url=http://127.0.0.1:1",
            "webhook_secret": "geheim-3-und-lang",
        }
    )  # fmt: skip
    with running(settings) as caller:
        job_id = sent(caller, clip)
        upload = {"video": (BytesIO(clip.read_bytes()), "a.mp4")}
        failed = caller.post("/pose/video", data=upload)
        assert (failed.status, failed.body["error_type"]) == (503, "STORAGE_UNAVAILABLE")
        paths = (f"/jobs/{job_id}", f"/logs/{job_id}", "/health", "/jobs")
        said = json.dumps([failed.body, *(caller.get(path).body for path in paths)])
        time.sleep(0.5)
    assert "geheim" not in said
    assert "geheim" not in caplog.text
    assert "geheim" not in repr(settings)
