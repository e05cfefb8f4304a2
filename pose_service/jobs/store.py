"""JobStore: the records of all clip jobs in a database file, and who owns their folders."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, delete, event, func, insert, select, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.schema import CreateTable

from pose_service.jobs.folders import JobFolders, unknown_job
from pose_service.jobs.records import Failure, Job, JobState
from pose_service.jobs.schema import job_of, jobs, values_of

BUSY_TIMEOUT_MS = 10_000
UPLOAD_MAY_TAKE_S = 3600.0


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # a second writer waits its turn instead of failing, and readers never wait for a writer
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


class JobStore:
    """Records that outlive the process; safe to use from many threads and processes.

    A job moves queued -> processing -> complete | error. Each move is one statement that names the
    state it leaves, so of several that try the same move only one succeeds.
    """

    def __init__(self, state_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self.files = JobFolders(state_dir)
        self._clock = clock
        self._engine = create_engine(f"sqlite:///{state_dir / 'jobs.sqlite'}")
        event.listen(self._engine, "connect", _prepare)
        with self._engine.begin() as connection:
            connection.execute(CreateTable(jobs, if_not_exists=True))

    def close(self) -> None:
        self._engine.dispose()

    def folder(self, job_id: str) -> Path:
        """Where the job's files lie; `NotFoundError` for what cannot be a job id."""
        return self.files.folder(job_id)

    def now(self) -> float:
        """Epoch seconds by the store's clock."""
        return self._clock()

    def add(self, job: Job) -> None:
        """Keep a new job, behind all that are there."""
        with self._engine.begin() as connection:
            connection.execute(insert(jobs).values(values_of(job)))

    def get(self, job_id: str) -> Job:
        """The job as it is now; `NotFoundError` if there is none of this id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
        if row is None:
            raise unknown_job(job_id)
        return job_of(row)

    def in_state(self, state: JobState) -> list[Job]:
        """The jobs in one state, first come first."""
        query = select(jobs).where(jobs.c.state == state).order_by(jobs.c.arrival)
        with self._engine.connect() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; every state is named."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        counts = dict.fromkeys(JobState, 0)
        with self._engine.connect() as connection:
            for state, count in connection.execute(query):
                counts[state] = count
        return counts

    def queue_position(self, job_id: str) -> int:
        """1 for the next to run; 0 for a job that waits no longer."""
        waits = jobs.c.state == JobState.QUEUED
        own = select(jobs.c.arrival).where(jobs.c.job_id == job_id, waits).scalar_subquery()
        query = select(func.count()).select_from(jobs).where(waits, jobs.c.arrival <= own)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def claim(self, job_id: str) -> Job | None:
        """Take a queued job for processing; None if it is not there or another has it."""
        taken = self._move(
            job_id,
            JobState.QUEUED,
            state=JobState.PROCESSING,
            started_at=self._clock(),
            attempts=jobs.c.attempts + 1,
        )
        return self.get(job_id) if taken else None

    def progress(self, job_id: str, stage: str, frames_done: int, frames_total: int | None) -> None:
        """How far the processing is."""
        self._move(
            job_id,
            JobState.PROCESSING,
            stage=stage,
            frames_done=frames_done,
            frames_total=frames_total,
        )

    def complete(self, job_id: str) -> bool:
        """The job's result is whole."""
        return self._move(
            job_id, JobState.PROCESSING, state=JobState.COMPLETE, completed_at=self._clock()
        )

    def fail(self, job_id: str, failure: Failure) -> bool:
        """The job will never have a result."""
        return self._move(
            job_id,
            JobState.PROCESSING,
            state=JobState.ERROR,
            completed_at=self._clock(),
            error=failure.error,
            error_type=failure.error_type,
            error_status=failure.status,
        )

    def put_back(self, job_id: str, *, counted: bool) -> bool:
        """Back to its old place in the queue; `counted` keeps the attempt in the count."""
        return self._move(
            job_id,
            JobState.PROCESSING,
            state=JobState.QUEUED,
            started_at=None,
            attempts=jobs.c.attempts if counted else jobs.c.attempts - 1,
            stage="",
            frames_done=0,
            frames_total=None,
        )

    def expire(self, keep_s: float) -> int:
        """Remove what was finished, or forgotten on disk, more than `keep_s` ago.

        Returns how many jobs were removed. A record goes before its files: a job that can still
        be asked for is whole. Files without a record are left alone for an hour at least.
        """
        now = self._clock()
        old = jobs.c.completed_at < now - keep_s
        query = delete(jobs).where(old).returning(jobs.c.job_id)
        with self._engine.begin() as connection:
            removed = connection.execute(query).scalars().all()
        for job_id in removed:
            self.files.remove(job_id)
        with self._engine.connect() as connection:
            known = set(connection.execute(select(jobs.c.job_id)).scalars())
        self.files.remove_forgotten(known, now - max(keep_s, UPLOAD_MAY_TAKE_S))
        return len(removed)

    def _move(self, job_id: str, leaving: JobState, **values: Any) -> bool:
        change = update(jobs).where(jobs.c.job_id == job_id, jobs.c.state == leaving)
        with self._engine.begin() as connection:
            return connection.execute(change.values(**values)).rowcount == 1
