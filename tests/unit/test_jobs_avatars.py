"""Avatars as the job room keeps them: one per job, newest first, gone when they are removed."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from jobs_kit import Bench, bench, eventually

from pose_service.core.errors import NotFoundError
from pose_service.jobs.attempt import Attempt, ClipTask, result_key
from pose_service.jobs.avatar_rows import AvatarStore, avatar_home
from pose_service.jobs.keeper import Keeper
from pose_service.jobs.parts import open_parts
from pose_service.jobs.records import Job, JobKind, JobState
from pose_service.jobs.roster import Vigil, WorkerRecord
from pose_service.jobs.service import JobService, Order
from pose_service.jobs.storage import FolderStorage, StorageError
from pose_service.pipeline.frame_lines import HEAD_NAME
from pose_service.pipeline.video import ClipWatch

NAME = "ann.jpg"
HOUR_S = 3600.0


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path, avatar_versions=3) as it:
        it.clips.acts[NAME] = made
        it.service.start()
        yield it


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[Bench]:
    """Nobody works but the test itself."""
    with bench(tmp_path, with_nets=False, avatar_versions=3) as it:
        it.parts.roster.beat(WorkerRecord("w", "a test"))
        yield it


def made(task: ClipTask, watch: ClipWatch) -> None:
    watch.report("fitting", 1, 1)
    (task.folder / "mesh.obj").write_text(f"of {task.job.user_id}, claim {task.job.claims}")
    (task.folder / HEAD_NAME).write_text('{"made": true}')


def order(it: Bench, user_id: str = "ann") -> Order:
    upload = it.service.uploads_dir / "ann.jpg"
    upload.write_bytes(b"a picture")
    return Order(NAME, upload=upload, kind=JobKind.AVATAR, user_id=user_id)


def submit(it: Bench, user_id: str = "ann") -> str:
    return it.service.submit(order(it, user_id)).job_id


def claimed(it: Bench) -> Job:
    job = it.store.claim_next("w")
    assert job is not None
    return job


def attempt(it: Bench, job: Job) -> None:
    """Work on a claimed job to its end."""
    Attempt(job, it.parts.tools, threading.Event()).run(made)


def stored(it: Bench) -> set[str]:
    """All files of the storage."""
    root = it.settings.state_dir / "jobs"
    # os.walk does not mind folders that vanish meanwhile
    paths = (Path(home) / name for home, _, names in os.walk(root) for name in names)
    return {str(path.relative_to(root)) for path in paths}


def keeper(it: Bench) -> Keeper:
    return Keeper(it.parts.tools, it.parts.roster, it.parts.queue, None, Vigil(HOUR_S))


def test_an_avatar_is_recorded_when_its_job_is_complete(at_work: Bench) -> None:
    job = at_work.finished(submit(at_work))
    assert job.state is JobState.COMPLETE
    avatar = at_work.service.avatars.get("ann")
    assert (avatar.avatar_id, avatar.version, avatar.record) == (job.job_id, 1, '{"made": true}')
    assert b"".join(at_work.service.avatars.read(avatar, "mesh.obj")) == b"of ann, claim 1"
    # the picture as it came is of no use any more
    eventually(lambda: stored(at_work) == {
        f"{avatar.key}/mesh.obj", f"{avatar.key}/{HEAD_NAME}",
    })  # fmt: skip


def test_versions_count_up_for_each_user_and_the_oldest_go(at_work: Bench) -> None:
    for _ in range(5):
        at_work.finished(submit(at_work))
    at_work.finished(submit(at_work, "bob"))
    room = at_work.service.avatars
    assert [avatar.version for avatar in room.versions("ann")] == [5, 4, 3]
    assert room.get("bob").version == 1
    with pytest.raises(NotFoundError, match="no version 2 of the avatar of user 'ann'"):
        room.get("ann", 2)
    keeper(at_work).tend(at_work.settings.state_dir, HOUR_S)
    kept = {avatar_home(one.avatar_id) for one in (*room.versions("ann"), room.get("bob"))}
    # a job is finished a moment before its picture is gone
    eventually(lambda: {name.partition("/")[0] for name in stored(at_work)} == kept)


def test_avatars_of_one_user_that_end_at_the_same_moment_get_a_version_each(
    by_hand: Bench,
) -> None:
    jobs = []
    for _ in range(3):
        submit(by_hand)
        jobs.append(claimed(by_hand))
    avatars = by_hand.parts.tools.avatars
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda job: avatars.complete(job, result_key(job), "{}"), jobs))
    assert done == [True] * 3
    assert [avatar.version for avatar in avatars.versions("ann")] == [3, 2, 1]


def test_a_claim_that_has_lost_its_job_makes_no_second_avatar_and_leaves_no_files(
    by_hand: Bench,
) -> None:
    submit(by_hand)
    slow = claimed(by_hand)
    by_hand.store.put_back(slow, counted=True)
    attempt(by_hand, claimed(by_hand))
    first = by_hand.service.avatars.get("ann")
    before = stored(by_hand)
    attempt(by_hand, slow)
    assert by_hand.service.avatars.versions("ann") == [first]
    assert stored(by_hand) == before
    assert first.key.endswith("/2")


def test_a_job_that_is_not_in_these_hands_any_more_gets_no_record(by_hand: Bench) -> None:
    submit(by_hand)
    lost = claimed(by_hand)
    by_hand.store.cancel(lost.job_id)
    assert not by_hand.parts.tools.avatars.complete(lost, result_key(lost), "{}")
    with pytest.raises(NotFoundError):
        by_hand.service.avatars.get("ann")


def test_what_a_claim_stored_before_the_process_died_goes_when_the_next_is_done(
    by_hand: Bench,
) -> None:
    submit(by_hand)
    died = claimed(by_hand)
    folder = by_hand.parts.tools.folders.of_claim(died)
    (folder / HEAD_NAME).write_text("{}")
    by_hand.parts.tools.storage.publish(folder, result_key(died))
    with pytest.raises(NotFoundError):
        by_hand.service.avatars.get("ann")
    by_hand.store.put_back(died, counted=True)
    attempt(by_hand, claimed(by_hand))
    key = by_hand.service.avatars.get("ann").key
    assert stored(by_hand) == {f"{key}/mesh.obj", f"{key}/{HEAD_NAME}"}


def test_a_removed_user_gets_no_avatar_from_a_job_that_was_running(by_hand: Bench) -> None:
    submit(by_hand)
    job = claimed(by_hand)
    removed = by_hand.service.avatars.remove("ann")
    assert (removed.versions, removed.files_pending) == (0, True)
    attempt(by_hand, job)
    assert stored(by_hand) == set()
    with pytest.raises(NotFoundError):
        by_hand.service.avatars.get("ann")
    with pytest.raises(NotFoundError):
        by_hand.service.avatars.remove("ann")


def test_files_stored_by_a_worker_that_died_after_its_user_was_removed_go_with_the_keeper(
    by_hand: Bench,
) -> None:
    submit(by_hand)
    job = claimed(by_hand)
    by_hand.service.avatars.remove("ann")
    folder = by_hand.parts.tools.folders.of_claim(job)
    (folder / HEAD_NAME).write_text("{}")
    by_hand.parts.tools.storage.publish(folder, result_key(job))
    keeper(by_hand).tend(by_hand.settings.state_dir, HOUR_S)
    assert stored(by_hand) == set()


def test_removing_takes_jobs_in_every_state_and_leaves_other_users_alone(by_hand: Bench) -> None:
    submit(by_hand)
    attempt(by_hand, claimed(by_hand))
    submit(by_hand, "bob")
    attempt(by_hand, claimed(by_hand))
    waiting = submit(by_hand)
    removed = by_hand.service.avatars.remove("ann")
    assert (removed.versions, removed.files_pending) == (1, False)
    with pytest.raises(NotFoundError):
        by_hand.service.get(waiting)
    bob = by_hand.service.avatars.get("bob")
    assert {name.partition("/")[0] for name in stored(by_hand)} == {avatar_home(bob.avatar_id)}


def test_a_storage_that_is_away_hides_the_avatar_at_once_and_its_files_go_later(
    by_hand: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(by_hand)
    attempt(by_hand, claimed(by_hand))

    def away(self: FolderStorage, key: str) -> None:
        raise StorageError("the storage is away")

    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "remove", away)
        assert by_hand.service.avatars.remove("ann").files_pending
        keeper(by_hand).tend(by_hand.settings.state_dir, HOUR_S)
    with pytest.raises(NotFoundError):
        by_hand.service.avatars.get("ann")
    assert len(stored(by_hand)) == 2
    keeper(by_hand).tend(by_hand.settings.state_dir, HOUR_S)
    assert stored(by_hand) == set()


def test_nothing_personal_of_a_removed_user_is_left_in_the_database(by_hand: Bench) -> None:
    submit(by_hand, "ann of the hill")
    attempt(by_hand, claimed(by_hand))
    submit(by_hand, "ann of the hill")
    by_hand.service.avatars.remove("ann of the hill")
    with sqlite3.connect(by_hand.settings.state_dir / "jobs.sqlite") as connection:
        assert "ann of the hill" not in "\n".join(connection.iterdump())
        assert connection.execute("SELECT count(*) FROM job_notes").fetchone() == (0,)
    connection.close()


def test_the_list_of_removed_avatars_empties_itself_after_an_hour(tmp_path: Path) -> None:
    now = [1e9]
    with bench(tmp_path) as it:
        parts = open_parts(it.settings, clock=lambda: now[0])
        avatars = AvatarStore(parts.tools.store, 3)
        upload = it.service.uploads_dir / "ann.jpg"
        upload.write_bytes(b"a picture")
        service = JobService(it.settings, None, parts=parts)
        service.submit(Order(NAME, upload=upload, kind=JobKind.AVATAR, user_id="ann"))
        service.avatars.remove("ann")
        for later_s, listed in ((0.0, 1), (HOUR_S - 1, 1), (HOUR_S + 1, 0)):
            now[0] = 1e9 + later_s
            Keeper(parts.tools, parts.roster, parts.queue, None, Vigil(HOUR_S)).tend(
                it.settings.state_dir, HOUR_S
            )
            assert len(avatars.removed()) == listed
        service.stop()
        service.close()


def test_an_avatar_outlives_its_job_and_old_files_that_nobody_knows_go(by_hand: Bench) -> None:
    submit(by_hand)
    attempt(by_hand, claimed(by_hand))
    avatar = by_hand.service.avatars.get("ann")
    root = by_hand.settings.state_dir / "jobs"
    orphan = root / avatar_home("0e3e6c4a-0000-4000-8000-000000000000") / "1"
    orphan.mkdir(parents=True)
    for folder in root.iterdir():
        os.utime(folder, (1e9, 1e9))
    keeper(by_hand).tend(by_hand.settings.state_dir, keep_s=-1.0)
    with pytest.raises(NotFoundError):
        by_hand.service.get(avatar.avatar_id)
    assert by_hand.service.avatars.get("ann") == avatar
    assert [path.name for path in root.iterdir()] == [avatar_home(avatar.avatar_id)]


def test_a_database_of_the_version_before_gets_what_avatars_need(tmp_path: Path) -> None:
    with bench(tmp_path) as it:
        old = it.submit()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as connection:
        connection.execute("DROP TABLE avatars")
        connection.execute("DROP INDEX jobs_by_user")
        for column in ("user_id", "error_hint"):
            connection.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
    connection.close()
    with bench(tmp_path) as it:
        assert it.store.get(old).user_id is None
        submit(it)
        assert it.service.avatars.remove("ann").versions == 0
