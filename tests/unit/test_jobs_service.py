import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jobs_kit import PATIENCE_S, Bench, bench, eventually

from pose_service.core.errors import (
    BadVideoError,
    ConflictError,
    NotFoundError,
    TooManyError,
    UnavailableError,
)
from pose_service.jobs.attempt import Attempt, ClipTask
from pose_service.jobs.pace import Pace
from pose_service.jobs.records import Job, JobState, Progress, Terms
from pose_service.jobs.roster import WorkerRecord
from pose_service.jobs.service import Order
from pose_service.pipeline.frame_lines import HEAD_NAME
from pose_service.pipeline.video import ClipWatch


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Bench]:
    """Not started: what is submitted waits."""
    with bench(tmp_path) as it:
        yield it


@pytest.fixture
def at_work(idle: Bench) -> Bench:
    idle.service.start()
    return idle


def test_three_clips_at_once_are_processed_one_by_one_in_order(at_work: Bench) -> None:
    ids = [at_work.submit() for _ in range(3)]
    assert [at_work.finished(job_id).state for job_id in ids] == [JobState.COMPLETE] * 3
    assert at_work.clips.started == ids
    assert at_work.clips.most_at_once == 1


def test_clips_submitted_by_many_threads_all_finish(at_work: Bench) -> None:
    ids: list[str] = []
    threads = [threading.Thread(target=lambda: ids.append(at_work.submit())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {at_work.finished(job_id).state for job_id in ids} == {JobState.COMPLETE}
    assert sorted(at_work.clips.started) == sorted(ids)


def test_positions_and_counts_tell_what_runs_and_what_waits(at_work: Bench) -> None:
    assert at_work.service.is_free()
    release = at_work.clips.hold("long.mp4")
    ids = [at_work.submit("long.mp4"), at_work.submit(), at_work.submit()]
    assert not at_work.service.is_free()
    eventually(lambda: at_work.clips.started)
    assert [at_work.service.queue_position(job_id) for job_id in ids] == [0, 1, 2]
    assert at_work.service.counts() == {
        "queued": 2, "processing": 1, "complete": 0, "error": 0, "cancelled": 0,
    }  # fmt: skip
    release.set()
    at_work.finished(ids[-1])
    assert at_work.service.is_free()
    assert at_work.service.counts()[JobState.COMPLETE] == 3


def test_a_clip_above_the_limit_is_refused_until_there_is_room(tmp_path: Path) -> None:
    with bench(tmp_path, max_queue=2) as it:
        it.service.start()
        release = it.clips.hold("long.mp4")
        ids = [it.submit("long.mp4"), it.submit(), it.submit()]
        upload = it.service.uploads_dir / "clip.mp4"
        upload.write_bytes(b"clip")
        with pytest.raises(UnavailableError, match="2 clips are waiting") as caught:
            it.service.submit(Order("clip.mp4", upload=upload))
        assert caught.value.code == "QUEUE_FULL" and caught.value.retry_after_s > 0
        assert upload.exists()
        release.set()
        it.finished(ids[-1])
        assert it.finished(it.submit()).state == JobState.COMPLETE


@pytest.mark.parametrize(
    ("poison", "text"),
    [
        (RuntimeError("nan in the net"), "RuntimeError: nan in the net"),
        (ValueError("shapes"), "ValueError: shapes"),
        (MemoryError(), "MemoryError"),
        (KeyError("frame"), "KeyError: 'frame'"),
    ],
)
def test_a_poison_clip_becomes_an_error_and_the_next_one_runs(
    at_work: Bench, poison: Exception, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    at_work.clips.fail("poison.mp4", poison)
    bad, good = at_work.submit("poison.mp4"), at_work.submit()
    assert at_work.finished(good).state == JobState.COMPLETE
    job = at_work.finished(bad)
    assert (job.state, job.error, job.error_type) == (JobState.ERROR, text, type(poison).__name__)
    assert job.error_status == 500
    assert any(record.exc_info for record in caplog.records), "no trace in the service's log"


def test_a_clip_that_ends_its_thread_is_an_error_and_the_next_one_runs(tmp_path: Path) -> None:
    with bench(tmp_path, tend_every_s=0.05) as it:
        it.service.start()
        it.clips.fail("exit.mp4", SystemExit(3))
        bad, good = it.submit("exit.mp4"), it.submit()
        assert it.finished(bad).error == "SystemExit: 3"
        assert it.finished(good).state == JobState.COMPLETE


def test_an_error_with_a_code_keeps_message_hint_code_and_status(
    at_work: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    at_work.clips.fail("bad.mp4", BadVideoError("no video stream.", hint="Send an MP4 file."))
    job = at_work.finished(at_work.submit("bad.mp4"))
    at_work.finished(at_work.submit())
    assert (job.error, job.error_hint) == ("no video stream.", "Send an MP4 file.")
    assert job.reason == "no video stream. Send an MP4 file."
    assert (job.error_type, job.error_status) == ("BAD_VIDEO", 400)
    assert f"{job.job_id} error BAD_VIDEO: no video stream." in caplog.text


def test_a_clip_without_a_result_is_an_error(at_work: Bench) -> None:
    at_work.clips.acts["empty.mp4"] = lambda task, watch: None
    job = at_work.finished(at_work.submit("empty.mp4"))
    assert (job.state, job.error_type) == (JobState.ERROR, "NO_RESULT")


def test_the_result_of_a_killed_attempt_does_not_count_for_the_next(idle: Bench) -> None:
    idle.clips.acts["empty.mp4"] = lambda task, watch: None
    job_id = idle.submit("empty.mp4")
    idle.service.start()
    assert idle.finished(job_id).error_type == "NO_RESULT"
    left = idle.parts.tools.folders.of_claim(idle.store.get(job_id)) / HEAD_NAME
    left.write_text("{}")
    assert (
        not idle.parts.tools.folders.of_claim(idle.store.get(job_id)).joinpath(HEAD_NAME).exists()
    )


def test_progress_can_be_seen_while_a_clip_is_processed(at_work: Bench) -> None:
    seen, go_on = threading.Event(), threading.Event()

    def clip(task: ClipTask, watch: ClipWatch) -> None:
        watch.report("tracking", 40, 140)
        seen.set()
        assert go_on.wait(PATIENCE_S)
        watch.report("tracking", 139, 140)
        watch.report("tracking", 140, 140)
        at_work.clips.succeed(task, ClipWatch())

    at_work.clips.acts["clip.mp4"] = clip
    job_id = at_work.submit()
    assert seen.wait(PATIENCE_S)
    job = at_work.service.get(job_id)
    assert (job.state, job.progress) == (JobState.PROCESSING, Progress("tracking", 40, 140))
    go_on.set()
    job = at_work.finished(job_id)
    assert (job.progress.frames_done, job.progress.frames_total) == (140, 140)


def sign_on(it: Bench) -> Job:
    """Claim the first job in the name of a worker of its own."""
    it.parts.roster.beat(WorkerRecord("w", "a test"))
    job = it.store.claim_next("w")
    assert job is not None
    return job


def test_progress_is_recorded_four_times_a_second_at_most(
    idle: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    recorded: list[Progress] = []
    idle.submit()
    job = sign_on(idle)

    def clip(task: ClipTask, watch: ClipWatch) -> None:
        nonlocal now_s
        for frame in range(1000):
            now_s += 0.01
            watch.report("tracking", frame, 1000)
        idle.clips.succeed(task, ClipWatch())

    def record(job: Job, progress: Progress) -> bool:
        recorded.append(progress)
        return True

    monkeypatch.setattr(idle.store, "progress", record)
    Attempt(job, idle.parts.tools, threading.Event(), Pace(lambda: now_s)).run(clip)
    # ten seconds: forty, the first of each stage, and the last of the attempt
    assert 30 <= len(recorded) <= 43
    assert recorded[0].frames_done == 0 and recorded[-1].frames_done == 999
    # a hundred frames a second by the clock of this test
    assert recorded[-1].rate_fps == pytest.approx(100, rel=0.05)


def test_the_time_left_is_that_of_the_frames_left_at_the_rate_so_far() -> None:
    now_s = 0.0
    pace = Pace(lambda: now_s)
    pace.move("tracking", 0, 300)
    assert pace.progress().seconds_left is None
    now_s = 4.0
    pace.move("tracking", 100, 300)
    assert (pace.progress().rate_fps, pace.progress().seconds_left) == (25.0, 8.0)


def test_a_clip_that_is_cancelled_while_it_runs_is_given_up_and_the_next_one_runs(
    at_work: Bench,
) -> None:
    at_work.clips.hold("long.mp4")
    long, next_one = at_work.submit("long.mp4"), at_work.submit()
    eventually(lambda: at_work.clips.started)
    began_s = time.monotonic()
    assert at_work.service.cancel(long).state == JobState.CANCELLED
    assert at_work.finished(next_one).state == JobState.COMPLETE
    assert time.monotonic() - began_s < 1.5, "within about a second"
    assert at_work.service.get(long).state == JobState.CANCELLED
    assert not at_work.parts.tools.folders.of_job(long).exists()
    assert "cancelled" in at_work.service.log(long)


def test_a_clip_that_is_cancelled_while_it_waits_never_runs(at_work: Bench) -> None:
    release = at_work.clips.hold("long.mp4")
    long, waiting, last = at_work.submit("long.mp4"), at_work.submit(), at_work.submit()
    at_work.service.cancel(waiting)
    release.set()
    at_work.finished(last)
    assert at_work.clips.started == [long, last]


def test_of_a_clip_that_is_cancelled_in_its_last_moment_nothing_is_kept(at_work: Bench) -> None:
    def clip(task: ClipTask, watch: ClipWatch) -> None:
        at_work.clips.succeed(task, watch)
        at_work.service.cancel(task.job.job_id)

    at_work.clips.acts["late.mp4"] = clip
    job_id, next_one = at_work.submit("late.mp4"), at_work.submit()
    assert at_work.finished(next_one).state == JobState.COMPLETE
    assert at_work.service.get(job_id).state == JobState.CANCELLED
    assert not at_work.result(job_id).exists()


def test_a_job_that_is_removed_while_it_runs_leaves_no_file(at_work: Bench) -> None:
    at_work.clips.hold("long.mp4")
    upload = at_work.service.uploads_dir / "long.mp4"
    upload.write_bytes(b"clip")
    job_id = at_work.service.submit(Order("long.mp4", upload=upload)).job_id
    eventually(lambda: at_work.clips.started)
    at_work.service.remove(job_id)
    with pytest.raises(NotFoundError):
        at_work.service.get(job_id)
    eventually(lambda: not at_work.clips.running)
    at_work.finished(at_work.submit())
    left = at_work.settings.state_dir.rglob(f"*{job_id}*")
    assert [*left] == []


def test_a_finished_job_cannot_be_cancelled_but_removed(at_work: Bench) -> None:
    job_id = at_work.submit()
    at_work.finished(job_id)
    folder = at_work.result(job_id)
    with pytest.raises(ConflictError, match="finished already: complete") as caught:
        at_work.service.cancel(job_id)
    assert caught.value.code == "ALREADY_FINISHED"
    assert folder.is_dir()
    at_work.service.remove(job_id)
    assert not folder.exists()
    with pytest.raises(NotFoundError):
        at_work.service.get(job_id)


def test_the_same_key_and_request_is_the_same_job_and_another_request_a_conflict(
    idle: Bench,
) -> None:
    def send(digest: str) -> Job:
        upload = idle.service.uploads_dir / "a.mp4"
        upload.write_bytes(b"clip")
        terms = Terms(idempotency_key="key", request_digest=digest)
        return idle.service.submit(Order("a.mp4", upload=upload, terms=terms))

    first = send("one")
    assert send("one").job_id == first.job_id
    with pytest.raises(ConflictError, match=first.job_id):
        send("another")
    assert idle.service.counts()[JobState.QUEUED] == 1
    assert [path.name for path in (idle.settings.state_dir / "jobs").iterdir()] == [first.job_id]


def test_many_threads_with_one_key_make_one_job(idle: Bench) -> None:
    terms = Terms(idempotency_key="key", request_digest="same")
    ids: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: ids.append(idle.service.submit(Order("a", "/a", terms=terms)).job_id)
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8 and len(set(ids)) == 1
    assert idle.service.counts()[JobState.QUEUED] == 1


def test_one_caller_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with bench(tmp_path, max_queue_per_client=2) as it:
        terms = Terms(client="10.0.0.1")
        for _ in range(2):
            it.service.submit(Order("a", "/a", terms=terms))
        with pytest.raises(TooManyError, match="2 clips of this caller") as caught:
            it.service.submit(Order("a", "/a", terms=terms))
        assert (caught.value.status, caught.value.code) == (429, "CLIENT_LIMIT")
        assert caught.value.retry_after_s > 0
        it.service.submit(Order("a", "/a", terms=Terms(client="10.0.0.2")))


def test_following_a_job_tells_each_change_and_ends_at_its_end(at_work: Bench) -> None:
    release = at_work.clips.hold("long.mp4")
    job_id = at_work.submit("long.mp4")
    told: list[Job | None] = []
    follower = threading.Thread(target=lambda: told.extend(at_work.service.follow(job_id, 0.3)))
    follower.start()
    eventually(lambda: None in told)
    release.set()
    follower.join(PATIENCE_S)
    assert not follower.is_alive()
    assert told[-1] is not None and told[-1].state == JobState.COMPLETE
    states = [job.state for job in told if job is not None]
    assert JobState.PROCESSING in states and states == sorted(states, key=[*JobState].index)


def test_wait_returns_when_the_clip_is_done(at_work: Bench) -> None:
    release = at_work.clips.hold("long.mp4")
    job_id = at_work.submit("long.mp4")
    got: list[Job] = []
    waiter = threading.Thread(target=lambda: got.append(at_work.service.wait(job_id, 3600.0)))
    waiter.start()
    eventually(lambda: at_work.clips.started)
    assert not got
    release.set()
    waiter.join(PATIENCE_S)
    assert [job.state for job in got] == [JobState.COMPLETE]


def test_wait_gives_the_unfinished_job_when_time_is_up(at_work: Bench) -> None:
    at_work.clips.hold("long.mp4")
    job_id = at_work.submit("long.mp4")
    assert not at_work.service.wait(job_id, 0.05).finished


def test_stopping_wakes_every_waiter_with_the_name_of_its_job(at_work: Bench) -> None:
    at_work.clips.hold("long.mp4")
    ids = [at_work.submit("long.mp4"), at_work.submit()]
    refused: list[tuple[str, UnavailableError]] = []

    def wait(job_id: str) -> None:
        try:
            at_work.service.wait(job_id, 3600.0)
        except UnavailableError as error:
            refused.append((job_id, error))

    waiters = [threading.Thread(target=wait, args=(job_id,)) for job_id in ids]
    for waiter in waiters:
        waiter.start()
    eventually(lambda: at_work.clips.started)
    at_work.service.stop()
    for waiter in waiters:
        waiter.join(PATIENCE_S)
    assert sorted(job_id for job_id, _ in refused) == sorted(ids)
    for job_id, error in refused:
        assert error.code == "STOPPING" and job_id in str(error)


def test_stopping_wakes_who_waits_for_a_clip_that_has_not_begun(
    idle: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Event()
    get = idle.store.get

    def look(job_id: str) -> Job:
        looked.set()
        return get(job_id)

    job_id = idle.submit()
    monkeypatch.setattr(idle.store, "get", look)
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(UnavailableError, match=job_id):
            idle.service.wait(job_id, 3600.0)
        ended.append(job_id)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    assert looked.wait(PATIENCE_S)
    idle.service.stop()
    waiter.join(PATIENCE_S)
    assert ended == [job_id]


def test_a_stopping_service_takes_nothing_in_but_still_tells(at_work: Bench) -> None:
    done = at_work.submit()
    at_work.finished(done)
    at_work.service.stop()
    with pytest.raises(UnavailableError, match="stopping") as caught:
        at_work.submit()
    assert caught.value.code == "STOPPING"
    assert not at_work.service.is_free()
    assert at_work.service.wait(done, 0.0).state == JobState.COMPLETE


def test_unknown_jobs_are_not_found_wherever_one_asks(at_work: Bench) -> None:
    service = at_work.service
    asks: list[Callable[[str], object]] = [
        service.get, service.log, lambda job_id: service.wait(job_id, 60.0), service.cancel,
        service.remove,
    ]  # fmt: skip
    for ask in asks:
        for job_id in (str(uuid.uuid4()), "../jobs", ""):
            with pytest.raises(NotFoundError):
                ask(job_id)


def test_the_jobs_log_tells_its_story(at_work: Bench) -> None:
    job_id = at_work.submit("clip.mp4")
    at_work.finished(job_id)
    at_work.finished(at_work.submit())
    lines = [line.split(" ", 1)[1] for line in at_work.service.log(job_id).splitlines()]
    assert lines == [
        "queued: clip.mp4", "processing, attempt 1", "stage tracking", "stage storing",
        "complete, 3 frames",
    ]  # fmt: skip


def test_an_uploaded_clip_is_processed_from_the_jobs_own_folder(at_work: Bench) -> None:
    upload = at_work.service.uploads_dir / "part-17.mp4"
    upload.write_bytes(b"clip")
    read: list[bytes] = []

    def clip(task: ClipTask, watch: ClipWatch) -> None:
        read.append(task.source.read_bytes())
        at_work.clips.succeed(task, watch)

    at_work.clips.acts["my ride.mp4"] = clip
    job = at_work.service.submit(Order("my ride.mp4", upload=upload))
    assert at_work.finished(job.job_id).video_path == "my ride.mp4"
    assert read == [b"clip"]
    assert at_work.service.source_file(job).is_relative_to(at_work.settings.state_dir / "jobs")
    assert not upload.exists()
