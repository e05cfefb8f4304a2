"""Files of jobs: the storage, the folders of work, where clips come from, and trying again."""

import errno
import os
import threading
import time
import uuid
from pathlib import Path

import pytest

from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import BadVideoError, NotFoundError
from pose_service.jobs import patience, storage
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.patience import with_database, with_storage
from pose_service.jobs.records import Job
from pose_service.jobs.sources import Sources
from pose_service.jobs.storage import (
    DiskFullError,
    FolderStorage,
    StorageError,
    open_storage,
    publish_order,
)
from pose_service.jobs.work import WorkFolders
from pose_service.media.fetch import FetchError
from pose_service.pipeline.frame_lines import HEAD_NAME

HOUR_S = 3600.0


def job(**values: object) -> Job:
    known = {"job_id": str(uuid.uuid4()), "source": "/a.mp4", "video_path": "a", "queued_at": 0.0}
    return Job(**{**known, **values})  # type: ignore[arg-type]


@pytest.fixture
def kept(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "jobs", own=True)


def result_in(folder: Path, text: str = "frames") -> Path:
    folder.mkdir()
    (folder / "frames.ndjson").write_text(text)
    (folder / HEAD_NAME).write_text("{}")
    return folder


def test_a_result_is_published_in_one_step(kept: FolderStorage, tmp_path: Path) -> None:
    folder = result_in(tmp_path / "work")
    kept.publish(folder, "job/1")
    assert (kept.folder("job/1") / "frames.ndjson").read_bytes() == b"frames"
    assert not folder.exists()


def test_a_result_of_the_same_claim_is_replaced(kept: FolderStorage, tmp_path: Path) -> None:
    kept.publish(result_in(tmp_path / "first", "old"), "job/1")
    kept.publish(result_in(tmp_path / "second", "new"), "job/1")
    assert (kept.folder("job/1") / "frames.ndjson").read_bytes() == b"new"


def test_a_result_for_another_disk_is_whole_before_it_has_its_name(
    kept: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, steps = os.rename, []

    def rename(source: Path, target: Path) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, "another disk")
        steps.append(sorted(path.name for path in Path(source).iterdir()))
        real(source, target)

    monkeypatch.setattr(storage.os, "rename", rename)
    kept.publish(result_in(tmp_path / "work"), "job/1")
    assert steps == [["frames.ndjson", HEAD_NAME]]
    assert (kept.folder("job/1") / HEAD_NAME).read_bytes() == b"{}"


def test_the_head_of_a_result_is_published_last(tmp_path: Path) -> None:
    folder = result_in(tmp_path / "work")
    (folder / "zebra").write_text("x")
    assert publish_order(folder)[-1].name == HEAD_NAME


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_from_other_faults(
    kept: FolderStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "a").write_text("x")

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(storage.os, "rename", fail)
    with pytest.raises(DiskFullError):
        kept.put(tmp_path / "a", "job/a")
    number = errno.EIO
    with pytest.raises(StorageError):
        kept.put(tmp_path / "a", "job/a")


def test_what_is_forgotten_goes_only_when_it_is_old_and_ones_own(tmp_path: Path) -> None:
    now_s = time.time()
    for own in (True, False):
        kept = FolderStorage(tmp_path / str(own), own=own)
        paths = {name: tmp_path / str(own) / name for name in ("old", "new", "known")}
        for name, path in paths.items():
            path.mkdir()
            age_s = 0.5 * HOUR_S if name == "new" else 2 * HOUR_S
            os.utime(path, (now_s - age_s, now_s - age_s))
        kept.remove_forgotten({"known"}, now_s - HOUR_S)
        assert [path.exists() for path in paths.values()] == [not own, True, True]


@pytest.mark.parametrize("url", ["ftp://geheim@a/b", "s3://", "file://a/b", "geheim"])
def test_a_storage_address_that_cannot_be_used_is_refused_without_repeating_it(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError, match="POSE_STORAGE_URL cannot be used") as caught:
        open_storage(Settings.model_validate({"state_dir": tmp_path, "storage_url": url}))
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "job_id",
    [
        "", "..", "../../etc/passwd", "/etc/passwd", "..\\..\\windows",
        "6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60/../..", "6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60\n",
        "6F1C3C62-8A3C-4E0D-9D0A-1B2C3D4E5F60", "{6f1c3c62-8a3c-4e0d-9d0a-1b2c3d4e5f60}",
        "6f1c3c62-8a3c-1e0d-9d0a-1b2c3d4e5f60", "%2e%2e", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_job_id_never_becomes_a_path(tmp_path: Path, job_id: str) -> None:
    folders = WorkFolders(tmp_path)
    for ask in (folders.of_job, folders.cache_of, folders.settled, folders.forget):
        with pytest.raises(NotFoundError) as caught:
            ask(job_id)
        assert len(str(caught.value)) < 200


def test_what_was_begun_of_a_clip_outlives_a_claim_but_not_the_job(tmp_path: Path) -> None:
    folders, first = WorkFolders(tmp_path), job(claims=1)
    (folders.of_claim(first) / "chunk-0").write_text("x")
    second = job(job_id=first.job_id, claims=2)
    assert [*folders.of_claim(second).iterdir()] == []
    assert (folders.of_job(first.job_id) / "1" / "chunk-0").is_file()
    folders.drop_claim(first)
    assert [path.name for path in folders.of_job(first.job_id).iterdir()] == ["2"]
    folders.settled(first.job_id)
    assert not folders.of_job(first.job_id).exists()


def test_old_uploads_work_and_copies_go_unless_somebody_works_on_them(tmp_path: Path) -> None:
    folders, now_s = WorkFolders(tmp_path), time.time()
    busy, idle, young = job(claims=1), job(claims=1), job(claims=1)
    paths = [folders.of_claim(it).parent for it in (busy, idle, young)]
    paths += [folders.cache_of(idle.job_id), folders.uploads_dir / "upload-1"]
    paths[-1].mkdir()
    for path in paths[:2] + paths[3:]:
        os.utime(path, (now_s - 2 * HOUR_S, now_s - 2 * HOUR_S))
    folders.remove_old(now_s - HOUR_S, [busy.job_id])
    assert [path.exists() for path in paths] == [True, False, True, False, False]


def test_an_upload_of_the_version_before_is_found_where_it_lies(
    kept: FolderStorage, tmp_path: Path
) -> None:
    sources = Sources(Settings(state_dir=tmp_path), kept, WorkFolders(tmp_path))
    path = tmp_path / "jobs" / "source.mp4"
    path.write_text("clip")
    assert sources.here(job(source=str(path), uploaded=True)) == path


def test_a_clip_that_is_there_no_more_is_said_to_be_so(kept: FolderStorage, tmp_path: Path) -> None:
    sources = Sources(Settings(state_dir=tmp_path), kept, WorkFolders(tmp_path))
    with pytest.raises(BadVideoError, match="a is not there any more"):
        sources.obtain(job(source="/gone.mp4"), tmp_path, lambda done, total: None)
    for gone in (job(source="/gone.mp4"), job(source="source.mp4", uploaded=True)):
        with pytest.raises(NotFoundError):
            sources.for_drawing(gone)


class Failing:
    """Fails so many times, then works."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "pauses_s", lambda: iter([0.02] * 1000))


@pytest.mark.usefixtures("quick")
def test_a_storage_that_comes_back_in_time_is_waited_for() -> None:
    waits: list[int] = []
    action = Failing(StorageError("away"), 5)
    assert with_storage(action, 10.0, lambda: waits.append(1)) == "done"
    assert action.calls == 6 and len(waits) >= 5


@pytest.mark.usefixtures("quick")
def test_a_storage_that_stays_away_is_given_up_after_the_limit() -> None:
    with pytest.raises(StorageError):
        with_storage(Failing(StorageError("away"), 10_000), 0.2, lambda: None)


@pytest.mark.usefixtures("quick")
def test_a_clips_own_server_gets_three_tries() -> None:
    action = Failing(FetchError("away"), 10_000)
    with pytest.raises(FetchError):
        with_storage(action, 3600.0, lambda: None)
    assert action.calls == 3


def test_waiting_can_be_broken_off() -> None:
    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        with_storage(Failing(StorageError("away"), 10_000), 3600.0, stop)


@pytest.mark.usefixtures("quick")
def test_a_database_that_is_away_is_waited_for_until_the_process_is_to_stop() -> None:
    action = Failing(DatabaseError("away"), 5)
    with_database(action, threading.Event())
    assert action.calls == 6
    stopping = threading.Event()
    stopping.set()
    action = Failing(DatabaseError("away"), 5)
    with_database(action, stopping)
    assert action.calls == 1
