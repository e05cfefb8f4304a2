import sqlite3
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import NotFoundError
from pose_service.jobs import database
from pose_service.jobs.database import DatabaseError, open_database
from pose_service.jobs.records import (
    Failure,
    Job,
    JobOptions,
    JobState,
    Progress,
    Terms,
)
from pose_service.jobs.roster import Roster, WorkerRecord
from pose_service.jobs.store import JobStore

NOW = 1_000_000.0
HOUR_S = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def store_in(folder: Path, clock: Clock | None = None, url: str | None = None) -> JobStore:
    """With one worker, "w", that may claim."""
    settings = Settings.model_validate({"state_dir": folder, "database_url": url})
    engine = open_database(settings)
    Roster(engine).beat(WorkerRecord("w", "a test"))
    return JobStore(engine, clock or Clock())


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    store = store_in(tmp_path, clock)
    yield store
    store.close()


def put(store: JobStore, name: str = "clip.mp4", **terms: object) -> str:
    job_id = str(uuid.uuid4())
    agreed = Terms(**terms)  # type: ignore[arg-type]
    store.add(Job(job_id, f"/clips/{name}", name, queued_at=store.now(), terms=agreed))
    return job_id


def claim(store: JobStore) -> Job:
    job = store.claim_next("w")
    assert job is not None
    return job


def test_a_job_comes_back_whole_after_the_store_is_opened_again(tmp_path: Path) -> None:
    job = Job(
        str(uuid.uuid4()), "/c/ä.mp4", r"C:\c\ä.mp4", NOW, True, JobOptions(precision=2),
        Terms("10.0.0.1", 60.0, "https://a/b", "key", "digest"),
    )  # fmt: skip
    first = store_in(tmp_path)
    first.add(job)
    first.close()
    second = store_in(tmp_path)
    assert second.get(job.job_id) == job
    second.close()


def test_a_job_passes_through_its_states(store: JobStore, clock: Clock) -> None:
    job_id = put(store)
    clock.now += 5
    job = claim(store)
    assert (job.state, job.started_at, job.attempts, job.claims) == ("processing", NOW + 5, 1, 1)
    assert job.worker_id == "w"
    progress = Progress("tracking", 7, 9, 20.0)
    assert store.progress(job, progress)
    clock.now += 5
    assert store.complete(job)
    done = store.get(job_id)
    assert (done.state, done.completed_at) == (JobState.COMPLETE, NOW + 10)
    assert done.progress == progress


def test_of_many_claims_each_takes_another_job_in_order_of_arrival(store: JobStore) -> None:
    ids = [put(store) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(store.claim_next, ["w"] * 32))
    taken = [job.job_id for job in claims if job is not None]
    assert sorted(taken) == sorted(ids)
    assert {store.get(job_id).attempts for job_id in ids} == {1}


def test_a_worker_that_is_not_on_the_list_gets_nothing(store: JobStore) -> None:
    put(store)
    assert store.claim_next("struck off") is None
    assert store.claim_next("w") is not None


def test_a_finished_job_does_not_move_any_more(store: JobStore) -> None:
    job_id = put(store)
    job = claim(store)
    assert store.fail(job, Failure("no video stream", "BAD_VIDEO", 400))
    assert not store.progress(job, Progress("late", 99, 99))
    assert not store.complete(job)
    assert not store.put_back(job, counted=True)
    assert not store.cancel(job_id)
    assert store.claim_next("w") is None
    done = store.get(job_id)
    assert (done.state, done.progress) == (JobState.ERROR, Progress())
    assert (done.error, done.error_type, done.error_status) == ("no video stream", "BAD_VIDEO", 400)


def test_whoever_lost_a_job_to_another_claim_cannot_move_it(store: JobStore) -> None:
    put(store)
    slow = claim(store)
    store.put_back(slow, counted=True)
    fast = claim(store)
    assert not store.progress(slow, Progress("late", 99, 99))
    assert not store.keep_source(slow, "source.mp4")
    assert not store.complete(slow)
    assert not store.fail(slow, Failure("late", "LATE"))
    assert not store.put_back(slow, counted=False)
    assert store.complete(fast)


def test_a_job_put_back_has_its_old_place_and_its_attempt_counts_only_if_told(
    store: JobStore,
) -> None:
    first, second = put(store), put(store)
    job = claim(store)
    store.progress(job, Progress("tracking", 7, 9))
    store.put_back(job, counted=True)
    back = store.get(first)
    assert (back.progress, back.worker_id, back.attempts) == (Progress(), None, 1)
    assert (store.queue_position(first), store.queue_position(second)) == (1, 2)
    job = claim(store)
    assert (job.job_id, job.attempts, job.claims) == (first, 2, 2)
    store.put_back(job, counted=False)
    assert (store.get(first).attempts, store.get(first).claims) == (1, 2)


def test_queue_positions_follow_the_order_of_arrival(store: JobStore) -> None:
    ids = [put(store) for _ in range(3)]
    assert [store.queue_position(job_id) for job_id in ids] == [1, 2, 3]
    claim(store)
    assert [store.queue_position(job_id) for job_id in ids] == [0, 1, 2]
    assert [job.job_id for job in store.in_state(JobState.QUEUED)] == ids[1:]


@pytest.mark.parametrize("running", [False, True])
def test_a_job_can_be_cancelled_while_it_waits_and_while_it_runs(
    store: JobStore, running: bool
) -> None:
    job_id = put(store)
    job = claim(store) if running else None
    assert store.cancel(job_id)
    done = store.get(job_id)
    assert (done.state, done.error_type, done.completed_at) == ("cancelled", "CANCELLED", NOW)
    assert store.claim_next("w") is None
    assert job is None or not store.complete(job)
    assert not store.cancel(job_id)


def test_jobs_are_listed_newest_first_a_page_at_a_time(store: JobStore) -> None:
    ids = [put(store) for _ in range(5)]
    store.cancel(ids[1])
    everything = [*JobState]
    assert [job.job_id for job in store.newest(everything, 2)] == [ids[4], ids[3]]
    assert [job.job_id for job in store.newest(everything, 9, ids[3])] == [ids[2], ids[1], ids[0]]
    assert [job.job_id for job in store.newest([JobState.CANCELLED], 9)] == [ids[1]]
    with pytest.raises(NotFoundError):
        store.newest(everything, 2, str(uuid.uuid4()))


def test_a_second_job_of_one_key_is_the_first(store: JobStore) -> None:
    first = put(store, idempotency_key="k")
    again = store.add(
        Job(str(uuid.uuid4()), "/b", "b", NOW, terms=Terms(idempotency_key="k")), "queued"
    )
    assert again.job_id == first
    assert sum(store.counts().values()) == 1
    assert store.log(first) != "" and len(store.log(first).splitlines()) == 1


def test_a_clients_unfinished_jobs_are_counted(store: JobStore) -> None:
    put(store, client="a"), put(store, client="b")
    mine = [put(store, client="a") for _ in range(2)]
    store.cancel(mine[0])
    assert [store.unfinished_of(client) for client in "abc"] == [2, 1, 0]


def test_every_state_is_counted(store: JobStore) -> None:
    for _ in range(3):
        put(store)
    store.complete(claim(store))
    assert store.counts() == {
        "queued": 2, "processing": 0, "complete": 1, "error": 0, "cancelled": 0,
    }  # fmt: skip


def test_a_wellformed_id_that_was_never_given_out_is_not_found(store: JobStore) -> None:
    with pytest.raises(NotFoundError, match="no job"):
        store.get(str(uuid.uuid4()))


def test_log_lines_carry_the_time_and_keep_their_order(store: JobStore) -> None:
    job_id = str(uuid.uuid4())
    assert store.log(job_id) == ""
    store.note(job_id, "queued")
    store.note(job_id, "über")
    lines = store.log(job_id).splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["queued", "über"]
    assert all(len(line.split(" ")[0]) == len("2026-01-31T12:00:00Z") for line in lines)


def test_a_job_is_forgotten_once_it_was_finished_long_enough(store: JobStore, clock: Clock) -> None:
    old, young, waiting = put(store), put(store), put(store)
    store.fail(claim(store), Failure("poison", "RuntimeError"))
    clock.now += HOUR_S
    store.complete(claim(store))
    clock.now += HOUR_S
    store.note(old, "a line")

    assert store.expired(1.5 * HOUR_S) == [old]

    with pytest.raises(NotFoundError):
        store.get(old)
    assert store.log(old) == ""
    assert store.known_ids() == {young, waiting}


def test_a_job_may_have_a_time_of_its_own_to_be_kept(store: JobStore, clock: Clock) -> None:
    long, usual, short = put(store, keep_s=5 * HOUR_S), put(store), put(store, keep_s=HOUR_S)
    for _ in range(3):
        store.complete(claim(store))
    clock.now += 2 * HOUR_S
    assert store.expired(3 * HOUR_S) == [short]
    clock.now += 2 * HOUR_S
    assert store.expired(3 * HOUR_S) == [usual]
    assert store.known_ids() == {long}


def test_a_finished_jobs_caller_is_due_once_and_again_after_a_while(
    store: JobStore, clock: Clock
) -> None:
    def pauses(tries: int) -> float | None:
        return [10.0, None][tries]

    job_id = put(store, callback_url="https://a/b")
    assert store.due_callback(pauses) is None
    store.complete(claim(store))
    due = store.due_callback(pauses)
    assert due is not None and due.job_id == job_id
    assert store.due_callback(pauses) is None
    clock.now += 11
    assert store.due_callback(pauses) is not None
    clock.now += 1_000
    assert store.due_callback(pauses) is None, "the last try was the last"


def test_a_caller_that_was_told_is_not_due_again(store: JobStore, clock: Clock) -> None:
    job_id = put(store, callback_url="https://a/b")
    store.cancel(job_id)
    assert store.due_callback(lambda tries: 10.0) is not None
    store.callback_done(job_id)
    clock.now += 11
    assert store.due_callback(lambda tries: 10.0) is None


OLD_TABLE = """
CREATE TABLE jobs (
    arrival INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, job_id VARCHAR(36) NOT NULL UNIQUE,
    state VARCHAR(16) NOT NULL, source_path TEXT NOT NULL, video_path TEXT NOT NULL,
    uploaded BOOLEAN NOT NULL, options TEXT NOT NULL, queued_at FLOAT NOT NULL, started_at FLOAT,
    completed_at FLOAT, attempts INTEGER NOT NULL, stage TEXT NOT NULL,
    frames_done INTEGER NOT NULL, frames_total INTEGER, error TEXT, error_type TEXT,
    error_status INTEGER)
"""


def test_a_database_of_the_version_before_opens_and_its_jobs_go_on(tmp_path: Path) -> None:
    waiting, done = str(uuid.uuid4()), str(uuid.uuid4())
    connection = sqlite3.connect(tmp_path / "jobs.sqlite")
    connection.execute(OLD_TABLE)
    insert = (
        "INSERT INTO jobs (job_id, state, source_path, video_path, uploaded, options, queued_at,"
        " attempts, stage, frames_done)"
        " VALUES (?, ?, '/a', 'a', 0, '{\"precision\": 3}', 1, 0, '', 0)"
    )
    connection.execute(insert, (waiting, "queued"))
    connection.execute(insert, (done, "complete"))
    connection.commit()
    connection.close()
    store = store_in(tmp_path)
    assert store.get(done).claims == 0
    assert claim(store).job_id == waiting
    assert store.get(waiting).options == JobOptions(precision=3)
    store.close()


def test_several_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_database, [Settings(state_dir=tmp_path)] * 8))
    for engine in engines:
        JobStore(engine).counts()
        engine.dispose()


def test_a_locked_database_is_said_to_be_so_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    store = store_in(tmp_path)
    job_id = put(store)
    lock = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseError, match="could not be changed: database is locked") as caught:
        store.claim_next("w")
    assert (caught.value.code, caught.value.status) == ("DATABASE_UNAVAILABLE", 503)
    assert store.get(job_id).state == JobState.QUEUED, "reading goes on"
    lock.execute("ROLLBACK")
    assert claim(store).job_id == job_id
    lock.close()
    store.close()


def test_a_database_that_is_free_again_in_time_makes_nobody_fail(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job_id = put(store)
    lock = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    free = threading.Timer(0.3, lambda: lock.execute("ROLLBACK"))
    free.start()
    assert claim(store).job_id == job_id
    free.join()
    lock.close()
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:geheim@db/jobs", "begins with mysql"),
        ("no address geheim", "is not an address"),
        ("sqlite:///geheim.sqlite", "names no full path"),
    ],
)
def test_a_database_address_that_cannot_be_used_is_refused_without_repeating_it(
    tmp_path: Path, url: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        store_in(tmp_path, url=url)
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


def test_a_database_server_that_is_not_there_is_said_to_be_so_without_its_password(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatabaseError, match="could not be opened") as caught:
        store_in(tmp_path, url="postgresql://me:geheim@127.0.0.1:1/jobs")
    assert "geheim" not in f"{caught.value} {caught.value.hint}"
