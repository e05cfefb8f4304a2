"""Doing again what failed for want of a storage, a server or a database, within reason."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from pose_service.jobs.database import DatabaseError
from pose_service.jobs.storage import StorageError
from pose_service.media.fetch import FetchError

T = TypeVar("T")

LOOK_EVERY_S = 0.25
FETCH_TRIES = 3

log = logging.getLogger(__name__)


def pauses_s(first_s: float = 0.5, longest_s: float = 15.0) -> Iterator[float]:
    """Longer and longer.

    >>> pauses = pauses_s()
    >>> [next(pauses) for _ in range(7)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    """
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, longest_s)


def with_storage(action: Callable[[], T], limit_s: float, waiting: Callable[[], None]) -> T:
    """The result of `action`, repeated while the storage fails, for `limit_s`.

    A clip's own server gets a few tries only: others wait behind it. `waiting` is called all the
    time between two tries, and may raise to end them.
    """
    deadline_s = time.monotonic() + limit_s
    tries_left = FETCH_TRIES
    for pause_s in pauses_s():
        try:
            return action()
        except FetchError:
            tries_left -= 1
            if not tries_left:
                raise
        except StorageError as error:
            if time.monotonic() + pause_s > deadline_s:
                raise
            log.warning("[JOB] the storage fails, trying again in %g s: %s", pause_s, error)
        _wait(pause_s, waiting)
    raise AssertionError("pauses never end")


def with_database(action: Callable[[], None], stopping: threading.Event) -> None:
    """`action`, repeated until the database takes it; left undone if the process is to stop."""
    for pause_s in pauses_s():
        try:
            return action()
        except DatabaseError as error:
            log.warning("[JOB] a job cannot be settled, trying again in %g s: %s", pause_s, error)
        if stopping.wait(pause_s):
            log.warning("[JOB] stopped before a job could be settled: its next worker does it")
            return None


def _wait(pause_s: float, waiting: Callable[[], None]) -> None:
    until_s = time.monotonic() + pause_s
    while (left_s := until_s - time.monotonic()) > 0:
        waiting()
        time.sleep(min(LOOK_EVERY_S, left_s))
