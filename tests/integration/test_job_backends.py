"""The job room on the servers that several machines share: PostgreSQL, Redis, an object store."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from servers import PASSWORD, ObjectStore, Postgres, Redis, object_store, postgres, redis, wait_for

from pose_service.core.config import Settings
from pose_service.core.errors import NotFoundError
from pose_service.jobs import buckets
from pose_service.jobs.attempt import Attempt, ClipTask
from pose_service.jobs.avatar_room import AvatarRoom
from pose_service.jobs.avatar_rows import AvatarStore
from pose_service.jobs.buckets import open_bucket
from pose_service.jobs.database import DatabaseError, open_database
from pose_service.jobs.parts import open_parts
from pose_service.jobs.queue import ClipQueue, open_queue
from pose_service.jobs.records import Job, JobKind, JobState, Progress, Terms
from pose_service.jobs.roster import Roster, WorkerRecord
from pose_service.jobs.sources import check_source
from pose_service.jobs.storage import Storage, StorageError, open_storage
from pose_service.jobs.store import JobStore
from pose_service.media.addresses import BadUrlError
from pose_service.pipeline.frame_lines import FRAMES_NAME, HEAD_NAME
from pose_service.pipeline.video import ClipWatch


def settings_of(folder: Path, **values: object) -> Settings:
    return Settings.model_validate({"state_dir": folder, **values})


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture
def store(database: Postgres, tmp_path: Path) -> Iterator[JobStore]:
    engine = open_database(settings_of(tmp_path, database_url=database.url))
    Roster(engine).beat(WorkerRecord("w", "a test"))
    store = JobStore(engine)
    yield store
    for job in store.newest([*JobState], 1000):
        store.cancel(job.job_id)
        store.remove(job.job_id)
    store.close()


def put(store: JobStore, **terms: object) -> str:
    job_id = str(uuid.uuid4())
    agreed = Terms(**terms)  # type: ignore[arg-type]
    return store.add(Job(job_id, "/a.mp4", "a.mp4", store.now(), terms=agreed), "queued").job_id


def test_postgres_tables_are_made_by_several_processes_at_once(database: Postgres) -> None:
    settings = settings_of(Path("/"), database_url=database.url)
    with ThreadPoolExecutor(6) as pool:
        for engine in pool.map(open_database, [settings] * 6):
            assert set(JobStore(engine).counts()) == set(JobState)
            engine.dispose()


def test_postgres_lets_each_of_many_claims_take_another_job_in_order(store: JobStore) -> None:
    ids = [put(store) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(store.claim_next, ["w"] * 30))
    taken = [job.job_id for job in claims if job is not None]
    assert sorted(taken) == sorted(ids)
    assert {store.get(job_id).claims for job_id in ids} == {1}


def test_postgres_moves_a_job_through_its_states(store: JobStore) -> None:
    first, second = put(store, idempotency_key="k", callback_url="https://a/b"), put(store)
    assert put(store, idempotency_key="k") == first
    job = store.claim_next("w")
    assert job is not None and job.job_id == first
    assert store.queue_position(second) == 1
    assert store.progress(job, Progress("tracking", 3, 9, 2.5))
    assert store.put_back(job, counted=True)
    again = store.claim_next("w")
    assert again is not None and (again.job_id, again.attempts, again.claims) == (first, 2, 2)
    assert not store.complete(job), "the first claim is over"
    assert store.complete(again)
    due = store.due_callback(lambda tries: 10.0)
    assert due is not None and due.job_id == first
    assert store.cancel(second)
    assert [job.job_id for job in store.newest([*JobState], 9)] == [second, first]
    assert store.expired(-1.0) and store.known_ids() == set()


def test_postgres_that_was_restarted_is_used_again(store: JobStore, database: Postgres) -> None:
    job_id = put(store)
    database.stop(2)
    with pytest.raises(DatabaseError) as caught:
        store.get(job_id)
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"
    database.start()
    wait_for(lambda: _is_there(store, job_id))


def _is_there(store: JobStore, job_id: str) -> bool:
    try:
        return store.get(job_id).job_id == job_id
    except DatabaseError:
        return False


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


def queue_of(broker: Redis, folder: Path) -> ClipQueue:
    return open_queue(settings_of(folder, queue_url=broker.url))


def test_redis_carries_json_to_one_of_several_workers(broker: Redis, tmp_path: Path) -> None:
    sender = queue_of(broker, tmp_path)
    sender.put("first")
    assert sender.waiting() == ["first"]
    heard: list[str] = []
    workers = [queue_of(broker, tmp_path) for _ in range(2)]
    for worker in workers:
        worker.keep_running(heard.append)
    for number in range(10):
        sender.put(str(number))
    wait_for(lambda: len(heard) == 11)
    assert sorted(heard) == sorted(["first", *map(str, range(10))])
    for queue in (sender, *workers):
        assert queue.stop(5.0)


def test_messages_that_redis_lost_in_a_restart_are_filled_up(broker: Redis, tmp_path: Path) -> None:
    queue = queue_of(broker, tmp_path)
    queue.put("a")
    broker.stop(9)
    with pytest.raises(queue.faults) as caught:
        queue.put("b")
    assert PASSWORD not in str(caught.value)
    broker.start()
    assert queue.waiting() == []
    queue.fill_up(["a", "b"])
    assert queue.waiting() == ["a", "b"]
    heard: list[str] = []
    queue.keep_running(heard.append)
    wait_for(lambda: heard == ["a", "b"])
    assert queue.stop(5.0)


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    with object_store() as server:
        yield server


@pytest.fixture
def storage(objects: ObjectStore, tmp_path: Path) -> Storage:
    return open_storage(settings_of(tmp_path, storage_url=objects.url))


def test_a_file_in_a_bucket_comes_back_as_it_went(storage: Storage, tmp_path: Path) -> None:
    data = bytes(range(256)) * 30_000  # more than one part of an upload
    source, target = tmp_path / "source.mp4", tmp_path / "back.mp4"
    source.write_bytes(data)
    storage.put(source, "job/source.mp4")
    heard: list[int] = []
    storage.fetch("job/source.mp4", target, heard.append)
    assert target.read_bytes() == data
    assert heard[-1] == len(data) and len(heard) > 3
    assert storage.local("job/source.mp4") is None


def test_a_result_in_a_bucket_is_read_in_pieces_and_removed_whole(
    storage: Storage, tmp_path: Path
) -> None:
    folder = tmp_path / "result"
    folder.mkdir()
    (folder / FRAMES_NAME).write_bytes(b"one\ntwo\nthree\n")
    (folder / HEAD_NAME).write_bytes(b"{}")
    storage.publish(folder, "job/1")
    with (storage.folder("job/1") / FRAMES_NAME).open("rb") as file:
        file.seek(4)
        assert file.readline() == b"two\n"
    assert (storage.folder("job/1") / HEAD_NAME).read_bytes() == b"{}"
    storage.remove("job")
    with pytest.raises(FileNotFoundError):
        (storage.folder("job/1") / HEAD_NAME).read_bytes()
    with pytest.raises(NotFoundError):
        storage.fetch("job/source.mp4", tmp_path / "x", lambda count: None)
    storage.remove("job")


def test_copying_from_a_bucket_can_be_broken_off_and_leaves_no_half_file(
    storage: Storage, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(bytes(3_000_000))
    storage.put(tmp_path / "a", "job/a")

    def stop(count: int) -> None:
        raise InterruptedError

    with pytest.raises(StorageError):
        storage.fetch("job/a", tmp_path / "b", stop)
    assert not (tmp_path / "b").exists()


def test_a_store_that_is_away_is_said_to_be_so_without_its_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "CONNECT_S", 1)
    url = f"s3://pose-user:{PASSWORD}@pose/clips?endpoint_url=http://127.0.0.1:1"
    storage = open_storage(settings_of(tmp_path, storage_url=url))
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(StorageError) as caught:
        storage.put(tmp_path / "a", "job/a")
    said = f"{caught.value} {caught.value.hint}"
    assert PASSWORD not in said and "pose-user" not in said


def test_a_clip_is_taken_only_from_buckets_that_are_named(
    objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", objects.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    bucket = open_bucket("s3://pose/in/a.mp4")
    bucket.files.pipe_file(bucket.path, b"clip")
    settings = settings_of(tmp_path, source_buckets="s3://pose/in")
    assert check_source("s3://pose/in/a.mp4", settings) == "s3://pose/in/a.mp4"
    for url in ("s3://pose/input/a.mp4", "s3://other/in/a.mp4", "gs://pose/in/a", "s3://pose/in"):
        with pytest.raises(BadUrlError, match="in no bucket"):
            check_source(url, settings)
    parts = open_parts(settings)
    job = Job(str(uuid.uuid4()), "s3://pose/in/a.mp4", "s3://pose/in/a.mp4", 0.0)
    path = parts.tools.sources.obtain(job, tmp_path, lambda done, total: None)
    assert path.read_bytes() == b"clip" and path.suffix == ".mp4"
    parts.tools.store.close()


def test_a_google_store_is_opened_with_its_own_package(tmp_path: Path) -> None:
    """No such server is at hand: this shows only that the address is understood."""
    bucket = open_bucket("gs://pose/clips?token=anon&endpoint_url=http://127.0.0.1:1")
    assert type(bucket.files).__name__ in ("GCSFileSystem", "ExtendedGcsFileSystem")
    assert bucket.path == "pose/clips"


def test_threads_may_share_one_storage(storage: Storage, tmp_path: Path) -> None:
    def round_trip(number: int) -> bytes:
        path = tmp_path / str(number)
        path.write_bytes(b"%d" % number)
        storage.put(path, f"job/{number}")
        storage.fetch(f"job/{number}", tmp_path / f"{number}.back", lambda count: None)
        return (tmp_path / f"{number}.back").read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(round_trip, range(8))) == [b"%d" % number for number in range(8)]


def avatar_job(store: JobStore, user_id: str = "ann") -> Job:
    """A claimed job that makes an avatar."""
    job_id = str(uuid.uuid4())
    kind = JobKind.AVATAR
    store.add(Job(job_id, "a.jpg", "a.jpg", store.now(), kind=kind, user_id=user_id), "queued")
    job = store.claim_next("w")
    assert job is not None and job.job_id == job_id
    return job


def test_postgres_gives_avatars_that_end_at_the_same_moment_a_version_each(
    store: JobStore,
) -> None:
    avatars = AvatarStore(store, most_versions=4)
    jobs = [avatar_job(store) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(lambda job: avatars.complete(job, job.job_id, "{}"), jobs))
    assert [avatar.version for avatar in avatars.versions("ann")] == [6, 5, 4, 3]
    assert len(avatars.removed()) == 2
    removal = avatars.remove("ann")
    assert (removal.versions, len(removal.job_ids), removal.in_hand) == (4, 6, ())
    for avatar_id in avatars.removed():
        avatars.drop(avatar_id)
    assert avatars.known_ids() == set()


def test_postgres_makes_no_avatar_of_a_user_who_is_removed_meanwhile(store: JobStore) -> None:
    """Whichever comes first, nothing is left."""
    avatars = AvatarStore(store, most_versions=4)
    for _ in range(10):
        job = avatar_job(store)
        with ThreadPoolExecutor(2) as pool:
            made = pool.submit(avatars.complete, job, job.job_id, "{}")
            removed = pool.submit(avatars.remove, "ann")
            assert removed.result().versions == int(made.result())
        with pytest.raises(NotFoundError):
            avatars.get("ann")
    for avatar_id in avatars.removed():
        avatars.drop(avatar_id)


def test_an_avatar_in_a_bucket_is_read_and_forgotten(
    database: Postgres, objects: ObjectStore, tmp_path: Path
) -> None:
    parts = open_parts(settings_of(tmp_path, database_url=database.url, storage_url=objects.url))
    parts.roster.beat(WorkerRecord("w", "a test"))
    store, room = parts.tools.store, AvatarRoom(parts.tools)
    job = avatar_job(store)

    def make(task: ClipTask, watch: ClipWatch) -> None:
        (task.folder / "mesh.obj").write_bytes(bytes(range(256)) * 10_000)
        (task.folder / HEAD_NAME).write_text("{}")

    (tmp_path / "a.jpg").write_bytes(b"a picture")
    local = replace(job, source=str(tmp_path / "a.jpg"))
    Attempt(local, parts.tools, threading.Event()).run(make)
    avatar = room.get("ann")
    assert b"".join(room.read(avatar, "mesh.obj")) == bytes(range(256)) * 10_000
    with pytest.raises(NotFoundError):
        next(room.read(avatar, "sheet.png"))
    assert not room.remove("ann").files_pending
    with pytest.raises(NotFoundError):
        next(room.read(avatar, "mesh.obj"))
    store.close()
