"""SharedChunks: the owner of a clip lets others make chunks of it, and keeps its own for others."""

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_service.core.errors import NotFoundError
from pose_service.jobs.chunk_room import ChunkRoom
from pose_service.jobs.chunk_rows import Chunk
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.storage import DiskFullError, StorageError, told_of_disk

LOOK_EVERY_S = 0.1
FIRST_PATIENCE_S = 10.0
"""For a chunk in the making, as long as it is not known how long one takes here."""

QUIET_S = 60.0
"""After a fault of database or storage: the clip goes on alone, and does not wait for them."""

log = logging.getLogger(__name__)


class SharedChunks:
    """`pipeline.sights.Elsewhere` for one claim of a job.

    A chunk that a living helper has in hand is waited for as long as it takes to make one here, so
    that the worst helper can double that chunk's time and no more. `hear` is called while it is
    waited, and may raise to end that.
    """

    def __init__(
        self, room: ChunkRoom, job_id: str, worker_id: str, hear: Callable[[], None]
    ) -> None:
        self._room = room
        self._job_id = job_id
        self._worker_id = worker_id
        self._hear = hear
        self._made_by = ""
        self._patience_s = FIRST_PATIENCE_S
        self._began_s = 0.0
        self._quiet_until_s: float | None = None

    def offer(self, made_by: str, count: int) -> None:
        self._made_by = made_by
        with self._forgiving():
            # the first one is in hand already
            if self._room.rows.offer(self._job_id, made_by, count) and count > 1:
                self._room.call(self._job_id)

    def bring(self, number: int, target: Path) -> None:
        if not self._is_quiet():
            with self._forgiving():
                chunk = self._chunk(number)
                if self._is_made(chunk):
                    self._room.fetch(chunk, target, self._hear)
        self._began_s = time.monotonic()

    def made(self, number: int, path: Path) -> None:
        self._patience_s = time.monotonic() - self._began_s
        if self._is_quiet():
            return
        with self._forgiving():
            chunk, copy = self._chunk(number), path.with_suffix(".copy")
            with told_of_disk("copy a chunk"):
                shutil.copyfile(path, copy)
            self._room.storage.put(copy, chunk.key)
            self._room.rows.made_by_owner(chunk)

    def finish(self) -> None:
        with self._forgiving():
            self._room.rows.withdraw(self._job_id, self._made_by)

    def _chunk(self, number: int) -> Chunk:
        return Chunk(self._job_id, self._made_by, number)

    def _is_made(self, chunk: Chunk) -> bool:
        """True once it is in the storage; False when it is in this worker's hands, or nobody's."""
        until_s = time.monotonic() + self._patience_s
        while (state := self._room.rows.state(chunk)) is not None and not state.done:
            mine = state.worker_id in (None, self._worker_id) or time.monotonic() >= until_s
            if mine and self._room.rows.take(chunk, self._worker_id, state.worker_id):
                return False
            self._hear()
            time.sleep(LOOK_EVERY_S)
        return state is not None

    def _is_quiet(self) -> bool:
        return self._quiet_until_s is not None and time.monotonic() < self._quiet_until_s

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Whatever fails of what is shared, the clip goes on."""
        try:
            yield
        except (DatabaseError, StorageError, DiskFullError, NotFoundError) as error:
            self._quiet_until_s = time.monotonic() + QUIET_S
            log.warning("[JOB] %s goes on without helpers for now: %s", self._job_id, error)
