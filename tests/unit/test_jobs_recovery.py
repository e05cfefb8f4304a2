import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jobs_kit import PATIENCE_S, Bench, bench, eventually

from pose_service.jobs.queue import ClipQueue
from pose_service.jobs.records import Job, JobState
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
        assert (second.store.folder(job_id) / "result.json").is_file()
        second.service.start()
        second.finished(second.submit())
        assert job_id not in second.clips.started


def interrupt(it: Bench, job_id: str) -> None:
    """What a killed process leaves: a claimed job that nobody works on."""
    assert it.store.claim(job_id) is not None


def test_an_interrupted_clip_is_run_again_ahead_of_those_behind_it(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        ids = [it.submit(), it.submit()]
        interrupt(it, ids[0])
        it.service.start()
        assert [it.finished(job_id).attempts for job_id in ids] == [2, 1]
        assert it.clips.started == ids
        assert "interrupted, back in the queue" in it.service.log(ids[0])


def test_the_keeper_leaves_a_clip_in_hand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path, tend_every_s=0.01) as it:
        rounds: list[float] = []
        it.service.start()
        release = it.clips.hold("long.mp4")
        job_id = it.submit("long.mp4")
        eventually(lambda: it.clips.started)
        monkeypatch.setattr(it.store, "expire", rounds.append)
        eventually(lambda: len(rounds) > 3)
        assert it.store.get(job_id).state == JobState.PROCESSING
        release.set()
        assert it.finished(job_id).attempts == 1
        assert it.clips.started == [job_id]


def test_a_clip_interrupted_twice_is_an_error_with_the_reason(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        deadly, good = it.submit(), it.submit()
        interrupt(it, deadly)
        it.store.put_back(deadly, counted=True)
        interrupt(it, deadly)
        it.service.start()
        job = it.finished(deadly)
        assert (job.state, job.error_type) == (JobState.ERROR, "INTERRUPTED")
        assert job.error is not None
        assert job.error.startswith("stopped twice while this clip was processed")
        assert it.finished(good).state == JobState.COMPLETE
        assert it.clips.started == [good]


def test_a_job_whose_id_is_lost_from_the_queue_still_runs(tmp_path: Path) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        it.service.start()
        release = it.clips.hold("long.mp4")
        it.submit("long.mp4")
        eventually(lambda: it.clips.started)
        lost = it.submit()
        thief = ClipQueue(tmp_path / "queue.sqlite", lambda job_id: None)
        thief.refill([])
        thief.stop(1.0)
        release.set()
        assert it.finished(lost).state == JobState.COMPLETE


def test_clips_run_in_order_of_arrival_whatever_the_queue_file_says(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        ids = [it.submit() for _ in range(3)]
        other = ClipQueue(tmp_path / "queue.sqlite", lambda job_id: None)
        other.refill([ids[2], "of-no-job", ids[0], ids[0]])
        other.stop(1.0)
        it.service.start()
        for job_id in ids:
            it.finished(job_id)
        assert it.clips.started == ids


def test_a_job_left_in_processing_by_a_failed_write_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        real, broken = it.store.complete, [OSError("disk full")]

        def complete(job_id: str) -> bool:
            if broken:
                raise broken.pop()
            return real(job_id)

        monkeypatch.setattr(it.store, "complete", complete)
        it.service.start()
        job = it.finished(it.submit())
        assert (job.state, job.attempts) == (JobState.COMPLETE, 2)


def test_a_state_folder_that_fails_for_a_while_does_not_end_the_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        real, broken = it.store.expire, [OSError("stale file handle")]

        def expire(keep_s: float) -> int:
            if broken:
                raise broken.pop()
            return real(keep_s)

        monkeypatch.setattr(it.store, "expire", expire)
        it.service.start()
        assert it.finished(it.submit()).state == JobState.COMPLETE
        eventually(lambda: "cannot be tended" in caplog.text)


def test_two_services_on_one_folder_run_every_job_once_and_the_second_takes_over(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as one, bench(tmp_path, tend_every_s=0.05) as two:
        one.service.start()
        one.finished(one.submit())
        two.service.start()
        ids = [bench.submit() for bench in (one, two) for _ in range(5)]
        # the second did not run them, and still hears of them
        assert {two.finished(job_id).state for job_id in ids} == {JobState.COMPLETE}
        assert sorted(one.clips.started[1:]) == sorted(ids)
        assert two.clips.started == []

        one.clips.hold("long.mp4")
        held = two.submit("long.mp4")
        eventually(lambda: held in one.clips.started)
        one.service.stop()
        assert two.finished(held).state == JobState.COMPLETE
        assert two.clips.started == [held]


def test_a_clip_that_will_not_stop_is_given_back_but_not_started_beside_itself(
    tmp_path: Path,
) -> None:
    with bench(tmp_path, tend_every_s=0.05) as one, bench(tmp_path, tend_every_s=0.05) as two:
        release = threading.Event()

        def deaf(job: Job, watch: ClipWatch) -> None:
            assert release.wait(PATIENCE_S)
            one.clips.succeed(job, ClipWatch())

        one.clips.acts["deaf.mp4"] = deaf
        one.service.start()
        job_id = one.submit("deaf.mp4")
        eventually(lambda: one.clips.started)
        one.service.stop(timeout_s=0.1)
        job = one.store.get(job_id)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        two.service.start()
        assert not two.service.wait(job_id, 0.5).finished
        release.set()
        eventually(lambda: one.clips.running == 0)
        one.service.stop()
        assert two.finished(job_id).state == JobState.COMPLETE
        assert two.clips.started == [job_id]
        lines = two.service.log(job_id).splitlines()
        assert len([line for line in lines if "complete" in line]) == 1


CHILD = """
import sys, threading
from pathlib import Path
from pose_service.core.config import Settings
from pose_service.jobs.records import JobOptions
from pose_service.jobs.service import JobService
from pose_service.jobs.store import JobStore

def clip(job, watch):
    watch.report("tracking", 5, 10)
    print(job.job_id, flush=True)
    threading.Event().wait()

state_dir = Path(sys.argv[1])
service = JobService(Settings(state_dir=state_dir), JobStore(state_dir), clip)
for name in ("first.mp4", "second.mp4"):
    service.submit(Path(name), name, JobOptions())
service.start()
threading.Event().wait()
"""


def test_a_killed_process_loses_no_clip(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        running = child.stdout.readline().strip()
        with bench(tmp_path, tend_every_s=0.05) as it:
            it.service.start()
            # while the other lives, it is left in peace
            job = it.service.wait(running, 0.3)
            assert (job.state, job.frames_done) == (JobState.PROCESSING, 5)
            [waiting] = [job.job_id for job in it.store.in_state(JobState.QUEUED)]
            child.kill()
            child.wait(PATIENCE_S)
            assert it.finished(running).attempts == 2
            assert it.finished(waiting).attempts == 1
            assert it.clips.started == [running, waiting]
    finally:
        child.kill()
        child.communicate()
