"""ChunkRows: which chunks of which clips may be made, are being made, and lie in the storage."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pose_service.jobs.database import told
from pose_service.jobs.records import UNFINISHED, JobState
from pose_service.jobs.schema import chunks, jobs, workers
from pose_service.pipeline.sights import CHUNK_FRAMES


@dataclass(frozen=True)
class Chunk:
    """So many frames of one clip, looked at by what `made_by` says: see `pipeline.makers`."""

    job_id: str
    made_by: str
    number: int

    @property
    def key(self) -> str:
        """Where it lies in the storage."""
        return f"{folder_key(self.job_id)}/{self.made_by}-{self.number:06d}.npz"


@dataclass(frozen=True)
class ChunkState:
    """`worker_id`: in whose hands it is, None for nobody's. `done`: it is in the storage."""

    worker_id: str | None
    done: bool


def folder_key(job_id: str) -> str:
    """What all chunks of a job lie below in the storage."""
    return f"{job_id}/sights"


class ChunkRows:
    """The table of chunks. A chunk of no row is its clip's owner's to make.

    Each move is one statement that names what it leaves, so of several that try only one succeeds.
    Every method may raise `DatabaseError`; nothing was changed then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def offer(self, job_id: str, made_by: str, count: int) -> bool:
        """Let others make the first `count` chunks; False if chunks of this kind are known already.

        What a killed claim offered stays as it is, without the chunks that somebody died of. What
        was offered to another kind of engine is wanted no more.
        """
        rows = [{"job_id": job_id, "made_by": made_by, "number": at} for at in range(count)]
        own = (chunks.c.job_id == job_id, chunks.c.made_by == made_by)
        others = (chunks.c.job_id == job_id, chunks.c.made_by != made_by, chunks.c.done.is_(False))
        try:
            with told("changed"), self._engine.begin() as connection:
                connection.execute(delete(chunks).where(*others))
                known = connection.execute(select(chunks.c.number).where(*own).limit(1)).first()
                if known is None and rows:
                    connection.execute(insert(chunks), rows)
        except IntegrityError:
            # as in `made_by_owner`
            return False
        return known is None and bool(rows)

    def offered(self, engine_mark: str) -> list[Chunk]:
        """What is free, ahead of its clip's owner, and for engines of this mark; in order."""
        query = (
            select(chunks.c.job_id, chunks.c.made_by, chunks.c.number)
            .join(jobs, jobs.c.job_id == chunks.c.job_id)
            .where(*_open(), chunks.c.made_by.startswith(f"{engine_mark}-"))
            .where(chunks.c.number * CHUNK_FRAMES > jobs.c.frames_done)
            .order_by(jobs.c.arrival, chunks.c.number)
        )
        with told("read"), self._engine.connect() as connection:
            return [Chunk(*row) for row in connection.execute(query)]

    def open_jobs(self) -> list[str]:
        """Ids of the clips in hand of which chunks are offered."""
        query = select(chunks.c.job_id).distinct().join(jobs, jobs.c.job_id == chunks.c.job_id)
        with told("read"), self._engine.connect() as connection:
            return list(connection.execute(query.where(*_open())).scalars())

    def state(self, chunk: Chunk) -> ChunkState | None:
        """None for a chunk that has no row."""
        query = select(chunks.c.worker_id, chunks.c.done).where(*_is(chunk))
        with told("read"), self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else ChunkState(*row)

    def take(self, chunk: Chunk, worker_id: str | None, from_id: str | None = None) -> bool:
        """Into other hands, out of those of `from_id`; None is nobody's."""
        return self._change(chunk, from_id, worker_id=worker_id)

    def made(self, chunk: Chunk, worker_id: str) -> bool:
        """It is in the storage now; False if it was not in this worker's hands any more."""
        return self._change(chunk, worker_id, worker_id=None, done=True)

    def made_by_owner(self, chunk: Chunk) -> None:
        """It is in the storage now, whoever else may have it in hand."""
        values = {"worker_id": None, "done": True}
        own = update(chunks).where(*_is(chunk))
        # a claim that was lost, but does not know it yet, has made the same
        with suppress(IntegrityError), told("changed"), self._engine.begin() as connection:
            if not connection.execute(own.values(values)).rowcount:
                connection.execute(insert(chunks).values(vars(chunk) | values))

    def leave_to_owner(self, chunk: Chunk, worker_id: str) -> None:
        """It could not be made, so nobody else is to try."""
        self._delete(*_is(chunk), chunks.c.worker_id == worker_id, chunks.c.done.is_(False))

    def withdraw(self, job_id: str, made_by: str, first: int = 0) -> None:
        """Chunks from `first` on are wanted no more; those that are made stay."""
        own = (chunks.c.job_id == job_id, chunks.c.made_by == made_by)
        self._delete(*own, chunks.c.number >= first, chunks.c.done.is_(False))

    def drop_of_the_dead(self) -> None:
        """Chunks in the hands of who is not on the roster: they may be what it died of."""
        lost = (chunks.c.worker_id.is_not(None), chunks.c.worker_id.not_in(_living()))
        self._delete(*lost, chunks.c.done.is_(False))

    def settled_jobs(self) -> list[str]:
        """Ids of those that nobody will work on again, and that have rows left."""
        query = select(chunks.c.job_id).distinct().where(chunks.c.job_id.not_in(_unfinished()))
        with told("read"), self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def forget(self, job_id: str) -> bool:
        """Whether there was any chunk of a job."""
        return self._delete(chunks.c.job_id == job_id) > 0

    def _change(self, chunk: Chunk, from_id: str | None, **values: Any) -> bool:
        query = update(chunks).where(*_is(chunk), chunks.c.done.is_(False))
        query = query.where(chunks.c.worker_id.is_not_distinct_from(from_id)).values(**values)
        with told("changed"), self._engine.begin() as connection:
            return connection.execute(query).rowcount == 1

    def _delete(self, *where: ColumnElement[bool]) -> int:
        with told("changed"), self._engine.begin() as connection:
            return connection.execute(delete(chunks).where(*where)).rowcount


def _is(chunk: Chunk) -> tuple[ColumnElement[bool], ...]:
    return (
        chunks.c.job_id == chunk.job_id,
        chunks.c.made_by == chunk.made_by,
        chunks.c.number == chunk.number,
    )


def _open() -> tuple[ColumnElement[bool], ...]:
    """Of a row joined with that of its job."""
    free = and_(chunks.c.worker_id.is_(None), chunks.c.done.is_(False))
    return free, jobs.c.state == JobState.PROCESSING


def _living() -> Any:
    return select(workers.c.worker_id)


def _unfinished() -> Any:
    return select(jobs.c.job_id).where(jobs.c.state.in_(UNFINISHED))
