import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jobs_kit import PATIENCE_S, Bench, bench, eventually

from pose_service.core.errors import BadVideoError, NotFoundError, UnavailableError
from pose_service.jobs.attempt import Attempt
from pose_service.jobs.records import Job, JobOptions, JobState
from pose_service.pipeline.results import HEAD_NAME
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
    assert at_work.service.counts() == {"queued": 2, "processing": 1, "complete": 0, "error": 0}
    release.set()
    at_work.finished(ids[-1])
    assert at_work.service.is_free()
    assert at_work.service.counts()[JobState.COMPLETE] == 3


def test_a_clip_above_the_limit_is_refused_until_there_is_room(tmp_path: Path) -> None:
    with bench(tmp_path, max_queue=2) as it:
        it.service.start()
        release = it.clips.hold("long.mp4")
        ids = [it.submit("long.mp4"), it.submit(), it.submit()]
        upload = it.store.files.uploads_dir / "clip.mp4"
        upload.write_bytes(b"clip")
        with pytest.raises(UnavailableError, match="2 clips are waiting") as caught:
            it.service.submit(upload, "clip.mp4", JobOptions(), uploaded=True)
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
    assert job.error == "no video stream. Send an MP4 file."
    assert (job.error_type, job.error_status) == ("BAD_VIDEO", 400)
    assert f"{job.job_id} error BAD_VIDEO: no video stream." in caplog.text


def test_a_clip_without_a_result_is_an_error(at_work: Bench) -> None:
    at_work.clips.acts["empty.mp4"] = lambda job, watch: None
    job = at_work.finished(at_work.submit("empty.mp4"))
    assert (job.state, job.error_type) == (JobState.ERROR, "NO_RESULT")


def test_the_result_of_a_killed_attempt_does_not_count_for_the_next(idle: Bench) -> None:
    idle.clips.acts["empty.mp4"] = lambda job, watch: None
    job_id = idle.submit("empty.mp4")
    (idle.store.folder(job_id) / HEAD_NAME).write_text("{}")
    idle.service.start()
    assert idle.finished(job_id).error_type == "NO_RESULT"


def test_progress_can_be_seen_while_a_clip_is_processed(at_work: Bench) -> None:
    seen, go_on = threading.Event(), threading.Event()

    def clip(job: Job, watch: ClipWatch) -> None:
        watch.report("tracking", 40, 140)
        seen.set()
        assert go_on.wait(PATIENCE_S)
        watch.report("tracking", 139, 140)
        watch.report("tracking", 140, 140)
        at_work.clips.succeed(job, ClipWatch())

    at_work.clips.acts["clip.mp4"] = clip
    job_id = at_work.submit()
    assert seen.wait(PATIENCE_S)
    job = at_work.service.get(job_id)
    assert (job.state, job.stage) == (JobState.PROCESSING, "tracking")
    assert (job.frames_done, job.frames_total) == (40, 140)
    go_on.set()
    job = at_work.finished(job_id)
    assert (job.frames_done, job.frames_total) == (140, 140)


def test_progress_is_recorded_four_times_a_second_at_most(
    idle: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    recorded: list[int] = []
    job = idle.store.claim(idle.submit())
    assert job is not None

    def clip(job: Job, watch: ClipWatch) -> None:
        nonlocal now_s
        for frame in range(1000):
            now_s += 0.01
            watch.report("tracking", frame, 1000)
        idle.clips.succeed(job, ClipWatch())

    monkeypatch.setattr(
        idle.store, "progress", lambda job_id, stage, done, total: recorded.append(done)
    )
    Attempt(job, idle.store, threading.Event(), clock=lambda: now_s).run(clip)
    # ten seconds: forty, the first of the stage, and the last of the attempt
    assert 30 <= len(recorded) <= 42
    assert recorded[0] == 0 and recorded[-1] == 999


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

    monkeypatch.setattr(idle.store, "get", look)
    job_id = idle.submit()
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(UnavailableError, match=job_id):
            idle.service.wait(job_id, 3600.0)
        ended.append(job_id)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    assert looked.wait(PATIENCE_S)
    # takes the lock that the waiter gives up only once it sleeps
    idle.submit()
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
        service.get, service.log, lambda job_id: service.wait(job_id, 60.0),
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
        "queued: clip.mp4", "processing, attempt 1", "stage tracking", "complete, 3 frames",
    ]  # fmt: skip


def test_an_uploaded_clip_is_processed_from_the_jobs_own_folder(at_work: Bench) -> None:
    upload = at_work.store.files.uploads_dir / "part-17.mp4"
    upload.write_bytes(b"clip")
    read: list[bytes] = []

    def clip(job: Job, watch: ClipWatch) -> None:
        read.append(job.source_path.read_bytes())
        at_work.clips.succeed(job, watch)

    at_work.clips.acts["my ride.mp4"] = clip
    job = at_work.service.submit(upload, "my ride.mp4", JobOptions(), uploaded=True)
    assert at_work.finished(job.job_id).video_path == "my ride.mp4"
    assert read == [b"clip"]
    assert job.source_path.parent == at_work.store.folder(job.job_id) and not upload.exists()
