"""What the service leans on goes away: Redis, the database, the disk, the storage, the clock."""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from faults_kit import FRONT, Count, Inside, cluster, multipart, told
from flaky_store import flaky
from makers import clip_file
from servers import ObjectStore, Postgres, Redis, wait_for
from toy_engine import picture

from pose_service.jobs import clock, database, keeper

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    "gone_s",
    [
        pytest.param(0.0, id="restart"),
        pytest.param(5.0, id="gone for 5 s"),
        pytest.param(30.0, id="gone for 30 s", marks=pytest.mark.slow),
    ],
)
def test_redis_that_goes_away_with_all_its_messages_costs_time_only(
    shared: dict[str, str],
    broker: Redis,
    clips: list[Path],
    tmp_path: Path,
    gone_s: float,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with cluster(tmp_path, **shared, TOY_FRAME_S="0.02") as it:
        it.add("front", "serve", **FRONT)
        it.add("worker1", "worker")
        it.add("worker2", "worker")
        it.ready()
        began_s = time.monotonic()
        ids = [it.submit(clip) for clip in clips]
        broker.stop(signal.SIGKILL)
        # clips are taken in all the same
        ids += [it.submit(clip) for clip in clips]
        time.sleep(gone_s)
        broker.start()
        ids += [it.submit(clip) for clip in clips]
        it.all_done()
        count = Count.of(it, ids, began_s)
        told(capfd.disabled, f"Redis away for {gone_s:g} s and empty afterwards", count)
        assert (count.completed, count.lost, count.duplicated) == (len(ids), 0, 0)
        assert count.interrupted == 0


def test_postgres_that_is_restarted_costs_time_only(
    shared: dict[str, str],
    database: Postgres,
    clips: list[Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with cluster(tmp_path, **shared, TOY_FRAME_S="0.02") as it:
        it.add("front", "serve", **FRONT)
        it.add("worker1", "worker")
        it.ready()
        began_s = time.monotonic()
        ids = [it.submit(clip) for clip in clips]
        database.stop(signal.SIGINT)
        status, body = it.ask("GET", f"/jobs/{ids[0]}")
        assert (status, body["error_type"]) == (503, "DATABASE_UNAVAILABLE")
        assert it.ask("GET", "/health")[0] == 200
        time.sleep(2.0)
        database.start()
        ids += [it.submit(clip) for clip in clips]
        it.all_done()
        count = Count.of(it, ids, began_s)
        told(capfd.disabled, "PostgreSQL away for 2 s", count)
        assert (count.completed, count.lost, count.duplicated) == (len(ids), 0, 0)


def test_a_database_that_is_locked_for_a_while_is_waited_for(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 100)
    with Inside(tmp_path) as it:
        running, waiting = it.submit(clips[0]), it.submit(clips[1])
        wait_for(lambda: it.frames_done(running))
        lock = sqlite3.connect(it.settings.state_dir / "jobs.sqlite", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        refused = it.post("/pose/video", json={"video_path": str(clips[2]), "async": True})
        assert (refused.status, refused.body["error_type"]) == (503, "DATABASE_UNAVAILABLE")
        assert int(refused.headers["Retry-After"]) >= 1
        assert it.get("/health").status == 200
        # longer than the clip takes, and than a worker may be silent
        time.sleep(3.5)
        lock.execute("ROLLBACK")
        lock.close()
        wait_for(lambda: it.state(running) == it.state(waiting) == "complete")
        assert it.service.jobs.get(running).attempts == 1
        assert len(it.get("/jobs").body["jobs"]) == 2


def test_a_clock_that_jumps_kills_no_job_and_expires_no_result(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "CLEAN_EVERY_S", 0.1)
    jumps_s = [0.0]

    class Clock(clock.CalmClock):
        def __init__(self) -> None:
            super().__init__(wall=lambda: time.time() + jumps_s[-1])

    monkeypatch.setattr("pose_service.jobs.parts.CalmClock", Clock)
    with Inside(tmp_path) as it:
        done = it.submit(clips[0])
        wait_for(lambda: it.state(done) == "complete")
        for jump_s in (400 * 86_400.0, -400 * 86_400.0, 0.0):
            jumps_s.append(jump_s)
            running = it.submit(clips[3])
            wait_for(lambda job_id=running: it.state(job_id) == "complete")
            time.sleep(1.0)
            job = it.service.jobs.get(running)
            assert job.attempts == 1
            assert job.completed_at is not None and job.started_at is not None
            assert 0 <= job.completed_at - job.started_at < 30
        assert it.state(done) == "complete"
        assert it.get(f"/pose/video/status/{done}").body["result"]["total_frames"] == 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """3 MB, and no more."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_clip_with_its_reason_and_the_next_one_runs_when_there_is_room(
    small_disk: Path, clips: list[Path], tmp_path: Path
) -> None:
    crowd = [(9 + 26 * (i % 12), 5 + 60 * (i // 12), 29 + 26 * (i % 12), 55 + 60 * (i // 12))
             for i in range(36)]  # fmt: skip
    # a log of about 5 MB
    large = clip_file(tmp_path / "large.mp4", [picture(*crowd)] * 150)
    with Inside(tmp_path, 0.0, state_dir=small_disk / "state") as it:
        job_id = it.submit(large)
        wait_for(lambda: it.service.jobs.get(job_id).finished)
        job = it.service.jobs.get(job_id)
        assert (job.state.value, job.error_type) == ("error", "DISK_FULL"), job.error
        assert job.error is not None and "the disk is full" in job.error
        assert it.get(f"/pose/video/status/{job_id}").body["result"] is None
        form = {"content_type": "multipart/form-data; boundary=limit"}
        refused = it.post("/pose/video", data=multipart(bytes(4_000_000)), **form)
        assert (refused.status, refused.body["error_type"]) == (503, "DISK_FULL")
        assert not [*(it.settings.state_dir / "uploads").iterdir()]
        small = it.submit(clips[0])
        wait_for(lambda: it.state(small) == "complete")


def test_a_storage_that_answers_500_is_waited_for_and_nothing_half_written_is_served(
    objects: ObjectStore, clips: list[Path], tmp_path: Path
) -> None:
    with flaky(objects) as store, Inside(tmp_path, storage_url=store.url) as it:
        first = it.submit(clips[0])
        wait_for(lambda: it.frames_done(first))
        store.failing.set()
        wait_for(lambda: it.service.jobs.get(first).progress.stage == "waiting for the storage")
        status = it.get(f"/pose/video/status/{first}").body
        assert (status["status"], status["result"]) == ("processing", None)
        with clips[1].open("rb") as file:
            refused = it.post("/pose/video", data={"video": (file, "a.mp4")})
        assert (refused.status, refused.body["error_type"]) == (503, "STORAGE_UNAVAILABLE")
        assert store.refused > 0
        store.failing.clear()
        wait_for(lambda: it.state(first) == "complete")
        result = it.get(f"/pose/video/status/{first}").body["result"]
        assert result["total_frames"] == 20
        store.failing.set()
        failed = it.get(f"/pose/video/status/{first}")
        assert (failed.status, failed.body["error_type"]) == (503, "STORAGE_UNAVAILABLE")
        store.failing.clear()
        last = it.get(f"/pose/video/status/{first}?from=18&to=20").body["result"]["frames"]
        assert [frame["frame_number"] for frame in last] == [18, 19]
        assert last == result["frames"][18:]


def test_a_storage_that_stays_away_ends_the_clip_with_its_reason(
    objects: ObjectStore, clips: list[Path], tmp_path: Path
) -> None:
    with flaky(objects) as store, Inside(tmp_path, storage_url=store.url, storage_wait_s=1) as it:
        job_id = it.submit(clips[0])
        wait_for(lambda: it.frames_done(job_id))
        store.failing.set()
        wait_for(lambda: it.state(job_id) == "error")
        assert it.service.jobs.get(job_id).error_type == "STORAGE_UNAVAILABLE"
        store.failing.clear()
        again = it.submit(clips[1])
        wait_for(lambda: it.state(again) == "complete")


def test_an_uploaded_clip_in_a_bucket_is_processed_by_a_machine_that_has_nothing_of_it(
    shared: dict[str, str], objects: ObjectStore, clips: list[Path], tmp_path: Path
) -> None:
    with cluster(tmp_path, **{**shared, "POSE_STORAGE_URL": objects.url}) as it:
        it.add("front", "serve", **FRONT)
        it.add("worker1", "worker")
        it.ready()
        job_id = it.upload(clips[0])
        assert it.finished(job_id)["state"] == "complete"
        assert len(it.result(job_id)) == 20
        by_path = it.submit(clips[0])
        it.finished(by_path)
        assert it.result(job_id) == it.result(by_path)
        for name in ("front", "worker1"):
            left = [path for path in (tmp_path / name).rglob("*") if path.suffix == ".mp4"]
            assert left == [], "nothing of the clip stays on either machine"
        assert "geheim" not in it.processes["front"].log + it.processes["worker1"].log


def test_threads_that_send_the_same_upload_with_one_key_make_one_job(
    clips: list[Path], tmp_path: Path
) -> None:
    with Inside(tmp_path) as it:
        data = clips[0].read_bytes()
        ids: list[str] = []

        def send() -> None:
            form = {"video": (BytesIO(data), "a.mp4"), "async": "true"}
            answer = it.post("/pose/video", data=form, headers={"Idempotency-Key": "one"})
            ids.append(answer.body["job_id"])

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 8 and len(set(ids)) == 1
        assert len(it.get("/jobs").body["jobs"]) == 1
        assert os.listdir(it.settings.state_dir / "jobs") == [ids[0]]
        wait_for(lambda: it.state(ids[0]) == "complete")
