import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from jobs_kit import PATIENCE_S, Bench, bench, eventually

from pose_service.jobs.attempt import ClipTask
from pose_service.jobs.clock import BELIEVED_AFTER_S, CalmClock
from pose_service.jobs.records import Job, JobState
from pose_service.jobs.roster import Vigil, WorkerRecord
from pose_service.pipeline.video import ClipWatch

ROOT = Path(__file__).resolve().parents[2]


def test_a_clip_stopped_on_purpose_goes_on_after_a_restart_and_no_attempt_is_counted(
    tmp_path: Path,
) -> None:
    with bench(tmp_path) as first:
        first.service.start()
        first.clips.hold("long.mp4")
        running, waiting = first.submit("long.mp4"), first.submit()
        eventually(lambda: first.clips.started)
        first.service.stop()
        job = first.store.get(running)
        assert (job.state, job.attempts, job.started_at) == (JobState.QUEUED, 0, None)
    with bench(tmp_path) as second:
        second.service.start()
        assert second.finished(running).attempts == 1
        assert second.finished(waiting).state == JobState.COMPLETE
        assert second.clips.started == [running, waiting]
        assert "stopped with the service, back in the queue" in second.service.log(running)


def test_a_finished_result_survives_a_restart(tmp_path: Path) -> None:
    with bench(tmp_path) as first:
        first.service.start()
        job_id = first.submit()
        first.finished(job_id)
    with bench(tmp_path) as second:
        assert second.service.wait(job_id, 0.0).state == JobState.COMPLETE
        assert (second.result(job_id) / "result.json").is_file()
        second.service.start()
        second.finished(second.submit())
        assert job_id not in second.clips.started


def interrupt(it: Bench) -> Job:
    """What a killed process leaves of the first job that waits: it is claimed by nobody alive."""
    it.parts.roster.beat(WorkerRecord("ghost", "a process that was killed"))
    job = it.store.claim_next("ghost")
    it.parts.roster.leave("ghost")
    assert job is not None
    return job


def test_an_interrupted_clip_is_run_again_ahead_of_those_behind_it(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        ids = [it.submit(), it.submit()]
        interrupt(it)
        it.service.start()
        assert [it.finished(job_id).attempts for job_id in ids] == [2, 1]
        assert it.clips.started == ids
        assert "interrupted, back in the queue" in it.service.log(ids[0])


def test_the_keeper_leaves_a_clip_in_hand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path, tend_every_s=0.01) as it:
        rounds: list[float] = []
        real = it.parts.queue.fill_up

        def fill_up(job_ids: Sequence[str]) -> None:
            rounds.append(0.0)
            real(job_ids)

        it.service.start()
        release = it.clips.hold("long.mp4")
        job_id = it.submit("long.mp4")
        eventually(lambda: it.clips.started)
        monkeypatch.setattr(it.parts.queue, "fill_up", fill_up)
        eventually(lambda: len(rounds) > 3)
        assert it.store.get(job_id).state == JobState.PROCESSING
        release.set()
        assert it.finished(job_id).attempts == 1
        assert it.clips.started == [job_id]


def test_a_clip_interrupted_twice_is_an_error_with_the_reason(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        deadly, good = it.submit(), it.submit()
        it.store.put_back(interrupt(it), counted=True)
        assert interrupt(it).attempts == 2
        it.service.start()
        job = it.finished(deadly)
        assert (job.state, job.error_type) == (JobState.ERROR, "INTERRUPTED")
        assert job.error is not None
        assert job.error.startswith("stopped twice while this clip was processed")
        assert it.finished(good).state == JobState.COMPLETE
        assert it.clips.started == [good]


def with_queue_file(folder: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(folder / "queue.sqlite")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_a_job_whose_message_is_lost_still_runs(tmp_path: Path) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        it.service.start()
        release = it.clips.hold("long.mp4")
        it.submit("long.mp4")
        eventually(lambda: it.clips.started)
        lost = it.submit()
        with_queue_file(tmp_path, "DELETE FROM task")
        release.set()
        assert it.finished(lost).state == JobState.COMPLETE


def test_clips_run_in_order_of_arrival_whatever_the_queue_says(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        ids = [it.submit() for _ in range(3)]
        with_queue_file(tmp_path, "DELETE FROM task")
        for job_id in (ids[2], "of-no-job", ids[0], ids[0]):
            it.parts.queue.put(job_id)
        it.service.start()
        for job_id in ids:
            it.finished(job_id)
        assert it.clips.started == ids


def test_a_job_left_in_processing_by_a_failed_write_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        real, broken = it.store.complete, [OSError("disk full")]

        def complete(job: Job) -> bool:
            if broken:
                raise broken.pop()
            return real(job)

        monkeypatch.setattr(it.store, "complete", complete)
        it.service.start()
        job = it.finished(it.submit())
        assert (job.state, job.attempts) == (JobState.COMPLETE, 2)


def test_a_state_folder_that_fails_for_a_while_does_not_end_the_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        real, broken = it.store.expired, [OSError("stale file handle")]

        def expired(keep_s: float) -> Sequence[str]:
            if broken:
                raise broken.pop()
            return real(keep_s)

        monkeypatch.setattr(it.store, "expired", expired)
        it.service.start()
        assert it.finished(it.submit()).state == JobState.COMPLETE
        eventually(lambda: "cannot be tended" in caplog.text)


def test_two_services_on_one_folder_share_the_clips_and_run_every_one_once(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as one, bench(tmp_path, tend_every_s=0.05) as two:
        for it in (one, two):
            it.service.start()
        held = [it.clips.hold("long.mp4") for it in (one, two)]
        long = [one.submit("long.mp4"), one.submit("long.mp4")]
        eventually(lambda: one.clips.started and two.clips.started)
        ids = [it.submit() for it in (one, two) for _ in range(5)]
        assert [one.service.queue_position(job_id) for job_id in ids] == [*range(1, 11)]
        for release in held:
            release.set()
        assert {two.finished(job_id).state for job_id in ids + long} == {JobState.COMPLETE}
        assert sorted(one.clips.started + two.clips.started) == sorted(ids + long)


def test_the_clip_of_a_service_that_stops_is_gone_on_with_by_the_other(tmp_path: Path) -> None:
    with bench(tmp_path, tend_every_s=0.05) as one, bench(tmp_path, tend_every_s=0.05) as two:
        one.service.start()
        one.clips.hold("long.mp4")
        held = one.submit("long.mp4")
        eventually(lambda: held in one.clips.started)
        two.service.start()
        one.service.stop()
        job = two.finished(held)
        assert (job.state, job.attempts, job.claims) == (JobState.COMPLETE, 1, 2)
        assert two.clips.started == [held]


def test_what_a_clip_that_would_not_stop_leaves_in_the_end_counts_for_nothing(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as one, bench(tmp_path, tend_every_s=0.05) as two:
        release = threading.Event()

        def deaf(task: ClipTask, watch: ClipWatch) -> None:
            assert release.wait(PATIENCE_S)
            one.clips.succeed(task, ClipWatch())

        one.clips.acts["deaf.mp4"] = deaf
        one.service.start()
        job_id = one.submit("deaf.mp4")
        eventually(lambda: one.clips.started)
        one.service.stop(timeout_s=0.1)
        job = one.store.get(job_id)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        two.service.start()
        assert two.finished(job_id).claims == 2
        release.set()
        eventually(lambda: one.clips.running == 0)
        one.service.stop()
        lines = two.service.log(job_id).splitlines()
        assert len([line for line in lines if "complete" in line]) == 1
        assert two.result(job_id).name == "2"
        assert (two.result(job_id) / "result.json").is_file()


def test_a_worker_elsewhere_that_is_silent_loses_its_clip_to_another(tmp_path: Path) -> None:
    with bench(tmp_path, tend_every_s=0.05, worker_timeout_s=1.0) as it:
        job_id = it.submit()
        it.parts.roster.beat(WorkerRecord("far", "another machine"))
        assert it.store.claim_next("far") is not None
        it.service.start()
        # as long as it gives signs it is left in peace
        until_s = time.monotonic() + 1.5
        while time.monotonic() < until_s:
            it.parts.roster.beat(WorkerRecord("far", "another machine"))
            time.sleep(0.1)
        assert it.store.get(job_id).state == JobState.PROCESSING
        silent_since_s = time.monotonic()
        job = it.finished(job_id)
        assert (job.state, job.attempts) == (JobState.COMPLETE, 2)
        assert time.monotonic() - silent_since_s > 0.8
        assert [worker.worker_id for worker in it.parts.roster.all()] != ["far"]


def worker(beats: int, worker_id: str = "w") -> WorkerRecord:
    return WorkerRecord(worker_id, "a test", beats=beats)


def test_a_worker_whose_count_stands_still_for_the_limit_is_dead() -> None:
    now_s = 0.0
    vigil = Vigil(10.0, lambda: now_s)
    dead = []
    for beats in (1, 1, 2, 2, 2, 2, 2, 2):
        now_s += 2.5
        dead.append(bool(vigil.dead([worker(beats)])))
    # it moved last at 7.5 s
    assert dead == [False, False, False, False, False, False, True, True]


def test_a_watcher_that_could_not_look_for_a_while_begins_anew() -> None:
    now_s = 0.0
    vigil = Vigil(10.0, lambda: now_s)
    assert vigil.dead([worker(1)]) == []
    now_s = 60.0
    assert vigil.dead([worker(1)]) == [], "it may have been the watcher that stood still"
    now_s = 64.0
    assert vigil.dead([worker(1)]) == []
    now_s = 68.0
    assert vigil.dead([worker(1)]) == []
    now_s = 70.0
    assert vigil.dead([worker(1)]) == [worker(1)]


def test_a_worker_that_moved_after_it_was_read_is_not_struck_off(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        it.parts.roster.beat(worker(0))
        [seen] = it.parts.roster.all()
        it.parts.roster.beat(worker(0))
        assert not it.parts.roster.strike(seen)
        assert it.parts.roster.strike(it.parts.roster.all()[0])
        assert it.parts.roster.all() == []


def test_a_jump_of_the_clock_is_not_followed_until_it_has_lasted() -> None:
    wall_s, steady_s = 1000.0, 5.0
    clock = CalmClock(lambda: wall_s, lambda: steady_s)
    wall_s, steady_s = 1010.5, 15.0
    assert clock() == 1010.5, "a small correction is followed at once"
    wall_s, steady_s = 9e9, 25.0
    assert clock() == 1020.5
    steady_s += BELIEVED_AFTER_S - 1
    wall_s += BELIEVED_AFTER_S - 1
    assert clock() < 2000
    wall_s, steady_s = wall_s + 1, steady_s + 1
    assert clock() == wall_s


def test_a_jump_that_is_taken_back_leaves_no_trace() -> None:
    wall_s, steady_s = 1000.0, 0.0
    clock = CalmClock(lambda: wall_s, lambda: steady_s)
    wall_s, steady_s = -9e9, 10.0
    assert clock() == 1010.0
    wall_s, steady_s = 1020.0, 20.0
    assert clock() == 1020.0
    wall_s, steady_s = 9e9, 20.0 + BELIEVED_AFTER_S - 1
    assert clock() == 1020.0 + BELIEVED_AFTER_S - 1, "each jump must last by itself"


CHILD = """
import sys, threading
from pathlib import Path
from pose_service.core.config import Settings
from pose_service.jobs.service import JobService, Order

def clip(task, watch):
    watch.report("tracking", 5, 10)
    print(task.job.job_id, flush=True)
    threading.Event().wait()

state_dir = Path(sys.argv[1])
service = JobService(Settings(state_dir=state_dir, worker_timeout_s=3600), clip)
service.submit(Order("first.mp4", sys.executable))
service.start()
threading.Event().wait()
"""


def test_a_killed_process_loses_no_clip_and_the_next_one_knows_at_once(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        running = child.stdout.readline().strip()
        # far too long for its silence to be noticed
        with bench(tmp_path, tend_every_s=0.05, worker_timeout_s=3600) as it:
            it.service.start()
            other = it.submit()
            assert it.finished(other).state == JobState.COMPLETE
            # while the other lives, it is left in peace
            job = it.service.wait(running, 0.3)
            assert (job.state, job.progress.frames_done) == (JobState.PROCESSING, 5)
            child.kill()
            child.wait(PATIENCE_S)
            assert it.finished(running).attempts == 2
            assert it.clips.started == [other, running]
    finally:
        child.kill()
        child.communicate()
