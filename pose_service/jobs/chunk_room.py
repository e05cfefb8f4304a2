"""ChunkRoom: the chunks of clips that several workers share, their rows and their files."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pose_service.core.errors import NotFoundError
from pose_service.jobs.chunk_rows import Chunk, ChunkRows, folder_key
from pose_service.jobs.queue import ClipQueue
from pose_service.jobs.roster import Roster
from pose_service.jobs.storage import DiskFullError, Storage, StorageError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChunkRoom:
    """Chunks only save time: whatever fails here, the clip's owner can make each of them itself."""

    rows: ChunkRows
    storage: Storage
    queue: ClipQueue
    roster: Roster

    def call(self, job_id: str) -> None:
        """Tell every other worker once that there is something to do; idle ones hear it first."""
        try:
            for _ in self.roster.all()[1:]:
                self.queue.put(job_id)
        except self.queue.faults as error:
            # the keeper tells it again when the queue is back
            log.warning("[JOB] %s calls no helpers until the queue is back: %s", job_id, error)

    def fetch(self, chunk: Chunk, target: Path, heard: Callable[[], None]) -> None:
        """Copy a chunk that is made to `target`; it is there whole or not at all."""
        self.storage.fetch(chunk.key, target, lambda _count: heard())

    def remove_files(self, job_id: str) -> None:
        """What the storage keeps all the same goes with the job's other files."""
        try:
            # another process may be quicker
            with suppress(NotFoundError):
                self.storage.remove(folder_key(job_id))
        except (StorageError, DiskFullError) as error:
            log.warning("[JOB] %s its chunks stay in the storage: %s", job_id, error)

    def tend(self) -> list[str]:
        """Put right what dead workers and settled jobs left; the jobs that helpers can work on."""
        self.rows.drop_of_the_dead()
        for job_id in self.rows.settled_jobs():
            self.remove_files(job_id)
            self.rows.forget(job_id)
        return self.rows.open_jobs()
