"""The folder in which files wait until they are known to be right; one process writes there."""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_service.runtime.fetch import FetchError, SpaceError

_ELSEWHERE = "Set POSE_DATA_DIR to a folder that you may write in."


@contextmanager
def incoming(folder: Path) -> Iterator[Path]:
    """`folder/incoming`, made if need be, for one process at a time; gone again when empty.

    What cannot be written is said in words: a full disk as `SpaceError`, all else as `FetchError`.
    """
    place = folder / "incoming"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / ".lock"):
            yield place
    except OSError as error:
        raise _told(error, folder) from error
    finally:
        with contextlib.suppress(OSError):  # not empty: it holds a part to go on from
            place.rmdir()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """An exclusive transaction of an empty database: a lock that the system drops with us."""
    path.touch()
    lock = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise FetchError(
            f"another process is fetching into {path.parent} ({error})",
            hint="Wait until it is done, then run this again.",
        ) from error
    try:
        yield
    finally:
        lock.close()
        path.unlink(missing_ok=True)


def _told(error: OSError, folder: Path) -> FetchError:
    where = error.filename or folder
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpaceError(
            f"the disk is full: {where} could not be written to its end",
            hint="Free some space, or set POSE_DATA_DIR to a folder on another disk; then run "
            "this again: what was fetched is kept and gone on from.",
        )
    return FetchError(f"{where} cannot be written: {error.strerror}", hint=_ELSEWHERE)
