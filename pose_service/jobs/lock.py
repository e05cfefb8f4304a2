"""StateLock: held as long as its process lives, which others on the same folder can see."""

import sqlite3
from pathlib import Path


class StateLock:
    """Held by at most one owner at a time, until `release` or the death of its process.

    It is an open exclusive transaction of an empty SQLite file: the one advisory lock that is the
    same on Linux, macOS and Windows, and that the system drops when a process is killed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    @property
    def held(self) -> bool:
        return self._connection is not None

    def acquire(self) -> bool:
        """Try once, at once; True if this owner holds the lock now."""
        if self._connection is None:
            connection = sqlite3.connect(
                self._path, timeout=0, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                self._connection = connection
        return self.held

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
