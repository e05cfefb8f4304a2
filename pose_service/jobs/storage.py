"""Where the files of jobs are kept for everybody: a folder, or a bucket of an object store."""

import errno
import os
import shutil
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import NotFoundError, UnavailableError
from pose_service.pipeline.frame_lines import HEAD_NAME, ResultFolder

PIECE_BYTES = 1 << 20

Heard = Callable[[int], None]
"""Told how many bytes were copied so far; may raise to stop the copying."""


class StorageError(UnavailableError):
    """The storage cannot be reached, or refuses."""

    code = "STORAGE_UNAVAILABLE"


class DiskFullError(UnavailableError):
    """There is no room on a disk of this machine."""

    code = "DISK_FULL"


class Storage(Protocol):
    """Files by key, `<job id>/<name>`. Every method may raise `StorageError`, `DiskFullError`."""

    def put(self, file: Path, key: str) -> None:
        """Hand a local file over; it may be gone afterwards."""
        ...

    def publish(self, folder: Path, key: str) -> None:
        """Hand the files of a finished clip over, whole or not at all for whoever reads them."""
        ...

    def folder(self, key: str) -> ResultFolder:
        """What lies below `key`, to be read piece by piece."""
        ...

    def local(self, key: str) -> Path | None:
        """The path of `key` on this machine, if it has one."""
        ...

    def fetch(self, key: str, target: Path, heard: Heard) -> None:
        """Copy a file to `target`; `NotFoundError` if it is not there."""
        ...

    def remove(self, key: str) -> None:
        """Delete all that lies below `key`; what cannot be deleted now is left for later."""
        ...

    def remove_forgotten(self, known_ids: Container[str], before: float) -> None:
        """Delete what belongs to no job and was not touched since `before` (epoch seconds)."""
        ...


def open_storage(settings: Settings) -> Storage:
    """The storage of `POSE_STORAGE_URL`, else `jobs` in the state folder."""
    if settings.storage_url is None:
        return FolderStorage(settings.state_dir / "jobs", own=True)
    url = settings.storage_url.get_secret_value()
    scheme, _, rest = url.partition("://")
    if scheme == "file" and rest.startswith("/"):
        return FolderStorage(Path(unquote(rest)), own=False)
    if scheme not in ("s3", "gs", "memory") or not urlsplit(url).hostname:
        raise SettingsError(
            "POSE_STORAGE_URL cannot be used",
            hint="Expected file:///folder, s3://bucket/prefix or gs://bucket/prefix.",
        )
    # fsspec and what it brings are loaded only where they are needed
    from pose_service.jobs.buckets import BucketStorage

    return BucketStorage(url)


class FolderStorage:
    """`<folder>/<job id>/…`. What is `own` is nobody else's, so that what is forgotten may go."""

    def __init__(self, folder: Path, *, own: bool) -> None:
        self._root = folder
        self._own = own
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, file: Path, key: str) -> None:
        with told_of_disk(f"store {Path(key).name}"):
            self._move(file, self._made(key))

    def publish(self, folder: Path, key: str) -> None:
        with told_of_disk("store the result"):
            home = self._made(key)
            # of this same claim, cut off between moving and recording
            _delete(home)
            self._move(folder, home)

    def folder(self, key: str) -> ResultFolder:
        return self._root / key

    def local(self, key: str) -> Path | None:
        return self._root / key

    def fetch(self, key: str, target: Path, heard: Heard) -> None:
        with told_of_disk(f"read {Path(key).name}"), (self._root / key).open("rb") as source:
            copy(source.read, target, heard)

    def remove(self, key: str) -> None:
        _delete(self._root / key)

    def remove_forgotten(self, known_ids: Container[str], before: float) -> None:
        if self._own:
            remove_old(
                (path for path in self._root.iterdir() if path.name not in known_ids), before
            )

    def _made(self, key: str) -> Path:
        home = self._root / key
        home.parent.mkdir(parents=True, exist_ok=True)
        return home

    def _move(self, source: Path, home: Path) -> None:
        """One step where both lie on one disk; else whole before it has its name."""
        try:
            os.rename(source, home)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            part = home.with_name(f"{home.name}.part")
            _delete(part)
            shutil.move(source, part)
            os.rename(part, home)


@contextmanager
def told_of_disk(what: str) -> Iterator[None]:
    """Turn what goes wrong with files into `DiskFullError`, `NotFoundError` or `StorageError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"could not {what}: it is not there") from error
    except OSError as error:
        if is_full(error):
            raise disk_full(what) from error
        raise StorageError(
            f"could not {what}: {error.strerror or type(error).__name__}",
            hint="The clip is kept; look after the storage (POSE_STORAGE_URL).",
        ) from error


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_full(what: str) -> DiskFullError:
    return DiskFullError(
        f"could not {what}: the disk is full",
        hint="Free some space where POSE_STATE_DIR lies, then send this again.",
        retry_after_s=60.0,
    )


def copy(read: Callable[[int], bytes], target: Path, heard: Heard) -> None:
    """All that `read` gives, into `target`, which is not there before it is whole."""
    part = target.with_name(f"{target.name}.part")
    count = 0
    with part.open("wb") as file:
        while piece := read(PIECE_BYTES):
            # who reads from a store must not take a full disk here for a fault there
            with told_of_disk(f"write {target.name}"):
                file.write(piece)
            count += len(piece)
            heard(count)
    os.replace(part, target)


def publish_order(folder: Path) -> list[Path]:
    """The files below `folder`, the head last: a result that has it is whole."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return sorted(files, key=lambda path: path == folder / HEAD_NAME)


def remove_old(paths: Iterator[Path], before: float) -> None:
    """Delete those of `paths` that nobody has touched since `before` (epoch seconds)."""
    for path in paths:
        # it may be moved between the listing and the look
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
