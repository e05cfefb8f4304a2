import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pose_service.core.errors import NotFoundError
from pose_service.jobs.records import Failure, Job, JobOptions, JobState
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


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[JobStore]:
    store = JobStore(tmp_path, clock)
    yield store
    store.close()


def put(store: JobStore, name: str = "clip.mp4") -> str:
    job_id = str(uuid.uuid4())
    store.files.create(job_id)
    store.add(Job(job_id, Path("/clips") / name, name, queued_at=store.now()))
    return job_id


def test_a_job_comes_back_whole_after_the_store_is_opened_again(tmp_path: Path) -> None:
    job = Job(
        str(uuid.uuid4()), Path("/c/ä.mp4"), r"C:\c\ä.mp4", NOW, True, JobOptions(precision=2)
    )
    first = JobStore(tmp_path)
    first.add(job)
    first.close()
    second = JobStore(tmp_path)
    assert second.get(job.job_id) == job
    second.close()


def test_a_job_passes_through_its_states(store: JobStore, clock: Clock) -> None:
    job_id = put(store)
    clock.now += 5
    claimed = store.claim(job_id)
    assert claimed is not None
    assert (claimed.state, claimed.started_at, claimed.attempts) == ("processing", NOW + 5, 1)
    store.progress(job_id, "tracking", 7, 9)
    clock.now += 5
    assert store.complete(job_id)
    job = store.get(job_id)
    assert (job.state, job.completed_at) == (JobState.COMPLETE, NOW + 10)
    assert (job.stage, job.frames_done, job.frames_total) == ("tracking", 7, 9)


def test_only_one_of_many_claims_succeeds(store: JobStore) -> None:
    job_id = put(store)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(store.claim, [job_id] * 32))
    assert sum(claim is not None for claim in claims) == 1
    assert store.get(job_id).attempts == 1


def test_a_finished_job_does_not_move_any_more(store: JobStore) -> None:
    job_id = put(store)
    store.claim(job_id)
    assert store.fail(job_id, Failure("no video stream", "BAD_VIDEO", 400))
    store.progress(job_id, "late", 99, 99)
    assert not store.complete(job_id)
    assert not store.put_back(job_id, counted=True)
    assert store.claim(job_id) is None
    job = store.get(job_id)
    assert (job.state, job.stage, job.frames_done) == (JobState.ERROR, "", 0)
    assert (job.error, job.error_type, job.error_status) == ("no video stream", "BAD_VIDEO", 400)


def test_a_job_put_back_has_its_old_place_and_its_attempt_counts_only_if_told(
    store: JobStore,
) -> None:
    first, second = put(store), put(store)
    store.claim(first)
    store.progress(first, "tracking", 7, 9)
    store.put_back(first, counted=True)
    job = store.get(first)
    assert (job.stage, job.frames_done, job.frames_total) == ("", 0, None)
    assert (store.queue_position(first), store.queue_position(second)) == (1, 2)
    assert store.get(first).attempts == 1
    store.claim(first)
    store.put_back(first, counted=False)
    assert store.get(first).attempts == 1


def test_queue_positions_follow_the_order_of_arrival(store: JobStore) -> None:
    ids = [put(store) for _ in range(3)]
    assert [store.queue_position(job_id) for job_id in ids] == [1, 2, 3]
    store.claim(ids[0])
    assert [store.queue_position(job_id) for job_id in ids] == [0, 1, 2]
    assert [job.job_id for job in store.in_state(JobState.QUEUED)] == ids[1:]


def test_every_state_is_counted(store: JobStore) -> None:
    ids = [put(store) for _ in range(3)]
    store.claim(ids[0])
    store.complete(ids[0])
    assert store.counts() == {"queued": 2, "processing": 0, "complete": 1, "error": 0}


@pytest.mark.parametrize(
    "job_id",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\windows",
        "6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60/../..",
        "6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60\n",
        "6F1C3C62-8A3C-4E0D-9D0A-1B2C3D4E5F60",
        "{6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60}",
        "6f1c3c62-8a3c-1e0d-9d0a-1b2c3d4e5f60",
        "%2e%2e",
        "x" * 100_000,
    ],
)
def test_what_is_no_job_id_never_becomes_a_path(store: JobStore, job_id: str) -> None:
    for ask in (store.folder, store.get, store.files.log):
        with pytest.raises(NotFoundError) as caught:
            ask(job_id)
        assert len(str(caught.value)) < 200


def test_a_wellformed_id_that_was_never_given_out_is_not_found(store: JobStore) -> None:
    with pytest.raises(NotFoundError, match="no job"):
        store.get(str(uuid.uuid4()))


def test_log_lines_carry_the_time_and_keep_their_order(store: JobStore) -> None:
    job_id = put(store)
    assert store.files.log(job_id) == ""
    store.files.note(job_id, "queued")
    store.files.note(job_id, "über")
    lines = store.files.log(job_id).splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["queued", "über"]
    assert all(len(line.split(" ")[0]) == len("2026-01-31T12:00:00Z") for line in lines)


def test_a_job_is_removed_with_its_folder_once_it_was_finished_long_enough(
    store: JobStore, clock: Clock
) -> None:
    old, young, waiting = put(store), put(store), put(store)
    for job_id in (old, young):
        store.claim(job_id)
    store.fail(old, Failure("poison", "RuntimeError"))
    clock.now += HOUR_S
    store.complete(young)
    clock.now += HOUR_S
    (store.folder(old) / "deep").mkdir()
    (store.folder(old) / "deep" / "file").write_text("x")

    assert store.expire(1.5 * HOUR_S) == 1

    assert not store.folder(old).exists()
    with pytest.raises(NotFoundError):
        store.get(old)
    assert store.get(young).state == JobState.COMPLETE and store.folder(young).is_dir()
    assert store.get(waiting).state == JobState.QUEUED and store.folder(waiting).is_dir()


@pytest.mark.parametrize("keep_s", [HOUR_S, 0.01 * HOUR_S])
def test_forgotten_folders_and_uploads_are_removed_only_when_old(
    store: JobStore, keep_s: float
) -> None:
    def aged(path: Path, age_s: float) -> Path:
        os.utime(path, (NOW - age_s, NOW - age_s))
        return path

    orphans = [store.folder(str(uuid.uuid4())) for _ in range(2)]
    uploads = [store.files.uploads_dir / name for name in ("old.mp4", "new.mp4")]
    for folder in orphans:
        folder.mkdir()
    for upload in uploads:
        upload.write_bytes(b"clip")
    for old, new in (orphans, uploads):
        aged(old, 2 * HOUR_S)
        aged(new, 0.5 * HOUR_S)
    kept = put(store)
    aged(store.folder(kept), 100 * HOUR_S)

    store.expire(keep_s)

    assert [path.exists() for path in (*orphans, *uploads)] == [False, True, False, True]
    assert store.folder(kept).is_dir()


def test_an_adopted_upload_lies_in_the_jobs_folder(store: JobStore) -> None:
    job_id = put(store)
    upload = store.files.uploads_dir / "tmp123.mov"
    upload.write_bytes(b"clip")
    home = store.files.adopt(job_id, upload)
    assert home.parent == store.folder(job_id) and home.suffix == ".mov"
    assert home.read_bytes() == b"clip" and not upload.exists()
