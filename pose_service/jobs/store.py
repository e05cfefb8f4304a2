"""JobStore: the records of all clip jobs, and every move that a job can make."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from pose_service.core.errors import NotFoundError
from pose_service.jobs.database import DatabaseError, told
from pose_service.jobs.records import (
    CANCELLED,
    UNFINISHED,
    Failure,
    Job,
    JobState,
    Progress,
)
from pose_service.jobs.schema import job_of, jobs, notes, values_of, workers

log = logging.getLogger(__name__)


def unknown_job(job_id: str) -> NotFoundError:
    """The one answer to an id that is malformed, was never given out, or is kept no longer."""
    return NotFoundError(
        f"no job {job_id[:64]!r}",
        hint="Use the job_id of the answer to your request; finished jobs are kept for a"
        " limited time (POSE_KEEP_HOURS).",
    )


class JobStore:
    """Records that outlive the process; safe to use from many threads, processes and machines.

    A job moves queued -> processing -> complete | error | cancelled. Each move is one statement
    that names the state it leaves, and the claim of who makes it, so of several that try only one
    succeeds. Every method may raise `DatabaseError`; nothing was changed then.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def close(self) -> None:
        self._engine.dispose()

    def now(self) -> float:
        """Epoch seconds by the store's clock."""
        return self._clock()

    def add(self, job: Job, line: str = "") -> Job:
        """Keep a new job, behind all that are there; `line` begins its log.

        Where there is a job of the same idempotency key, that one is given back and nothing kept.
        """
        try:
            with self.writing() as connection:
                connection.execute(insert(jobs).values(values_of(job)))
                connection.execute(insert(notes).values(self._note(job.job_id, line)))
        except IntegrityError:
            same = self.of_key(job.terms.idempotency_key)
            if same is None:
                raise
            return same
        return job

    def get(self, job_id: str) -> Job:
        """The job as it is now; `NotFoundError` if there is none of this id."""
        job = self._one(select(jobs).where(jobs.c.job_id == job_id))
        if job is None:
            raise unknown_job(job_id)
        return job

    def state_of(self, job_id: str) -> JobState | None:
        """Where the job is; None if there is none of this id any more."""
        query = select(jobs.c.state).where(jobs.c.job_id == job_id)
        with self.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def of_key(self, idempotency_key: str | None) -> Job | None:
        """The job that was sent with this key."""
        return self._one(select(jobs).where(jobs.c.idempotency_key == idempotency_key))

    def in_state(self, state: JobState) -> list[Job]:
        """The jobs in one state, first come first."""
        return self._all(select(jobs).where(jobs.c.state == state).order_by(jobs.c.arrival))

    def newest(
        self, states: Sequence[JobState], limit: int, before_id: str | None = None
    ) -> list[Job]:
        """At most `limit` jobs in any of `states`, last come first; only those before `before_id`.

        `NotFoundError` if there is no job `before_id`.
        """
        query = select(jobs).where(jobs.c.state.in_(states))
        if before_id is not None:
            self.get(before_id)
            own = select(jobs.c.arrival).where(jobs.c.job_id == before_id).scalar_subquery()
            query = query.where(jobs.c.arrival < own)
        return self._all(query.order_by(jobs.c.arrival.desc()).limit(limit))

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state; every state is named."""
        query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        counts = dict.fromkeys(JobState, 0)
        with self.reading() as connection:
            for state, count in connection.execute(query):
                counts[state] = count
        return counts

    def unfinished_of(self, client: str) -> int:
        """How many jobs of one client wait or run."""
        query = select(func.count()).select_from(jobs)
        mine = (jobs.c.client == client, jobs.c.state.in_(UNFINISHED))
        with self.reading() as connection:
            return connection.execute(query.where(*mine)).scalar_one()

    def queue_position(self, job_id: str) -> int:
        """1 for the next to run; 0 for a job that waits no longer."""
        waits = jobs.c.state == JobState.QUEUED
        own = select(jobs.c.arrival).where(jobs.c.job_id == job_id, waits).scalar_subquery()
        query = select(func.count()).select_from(jobs).where(waits, jobs.c.arrival <= own)
        with self.reading() as connection:
            return connection.execute(query).scalar_one()

    def claim_next(self, worker_id: str) -> Job | None:
        """Take the job that has waited longest; None if none waits.

        None too for a worker that is not among the living: its job would be taken away at once.
        """
        waits = jobs.c.state == JobState.QUEUED
        first = select(jobs.c.arrival).where(waits).order_by(jobs.c.arrival).limit(1)
        query = (
            update(jobs)
            # of two workers that look at the same time the second takes the next (PostgreSQL)
            .where(jobs.c.arrival == first.with_for_update(skip_locked=True).scalar_subquery())
            .where(waits, exists().where(workers.c.worker_id == worker_id))
            .values(
                state=JobState.PROCESSING,
                started_at=self._clock(),
                attempts=jobs.c.attempts + 1,
                claims=jobs.c.claims + 1,
                worker_id=worker_id,
            )
            .returning(*jobs.c)
        )
        with self.writing() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else job_of(row)

    def progress(self, job: Job, progress: Progress) -> bool:
        """How far the processing is; False if the job is not in these hands any more."""
        return self._move(job, **asdict(progress))

    def keep_source(self, job: Job, name: str) -> bool:
        """The fetched clip lies among the job's own files, as `name`."""
        return self._move(job, stored_source=name)

    def complete(self, job: Job, beside: Callable[[Connection], None] | None = None) -> bool:
        """The job's result is whole; what `beside` writes becomes true with it or not at all."""
        with self.writing() as connection:
            done = _moved(connection, job, **self._finished(JobState.COMPLETE, None))
            if done and beside is not None:
                beside(connection)
        return done

    def fail(self, job: Job, failure: Failure) -> bool:
        """The job will never have a result."""
        return self._move(job, **self._finished(JobState.ERROR, failure))

    def put_back(self, job: Job, *, counted: bool) -> bool:
        """Back to its old place in the queue; `counted` keeps the attempt in the count."""
        return self._move(
            job,
            state=JobState.QUEUED,
            started_at=None,
            worker_id=None,
            attempts=jobs.c.attempts if counted else jobs.c.attempts - 1,
            **asdict(Progress()),
        )

    def cancel(self, job_id: str) -> bool:
        """Whether the job waited or ran and is given up now; its worker finds that out."""
        waits = (jobs.c.job_id == job_id, jobs.c.state.in_(UNFINISHED))
        return self._change(*waits, **self._finished(JobState.CANCELLED, CANCELLED))

    def remove(self, job_id: str) -> bool:
        """Forget a finished job; its files are the caller's business."""
        done = (jobs.c.job_id == job_id, jobs.c.state.not_in(UNFINISHED))
        return bool(self._forget(*done))

    def expired(self, keep_s: float) -> Sequence[str]:
        """Forget what was finished more than its time, else `keep_s`, ago; the ids of the jobs."""
        kept_s = func.coalesce(jobs.c.keep_s, keep_s)
        return self._forget(jobs.c.completed_at + kept_s < self._clock())

    def known_ids(self) -> set[str]:
        with self.reading() as connection:
            return set(connection.execute(select(jobs.c.job_id)).scalars())

    def note(self, job_id: str, line: str) -> None:
        """Add a line with the time to the job's log; a fault of the database loses the line."""
        try:
            with self.writing() as connection:
                connection.execute(insert(notes).values(self._note(job_id, line)))
        except DatabaseError as error:
            log.warning("[JOB] %s a line of its log is lost: %s", job_id, error)

    def log(self, job_id: str) -> str:
        """The job's log so far, a line each."""
        query = select(notes).where(notes.c.job_id == job_id).order_by(notes.c.number)
        with self.reading() as connection:
            return "".join(
                time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime(row.written_at)) + f"{row.line}\n"
                for row in connection.execute(query)
            )

    def due_callback(self, put_off_s: Callable[[int], float | None]) -> Job | None:
        """A finished job whose caller is to be told now; nobody else gets it for a while.

        `put_off_s` tells from the number of tries so far when the next is due, None for never.
        """
        now = self._clock()
        # a time too far away was written before the clock was set back
        due = jobs.c.callback_due.is_not(None) & (
            (jobs.c.callback_due <= now) | (jobs.c.callback_due > now + 86_400)
        )
        query = select(jobs).where(due).order_by(jobs.c.callback_due).limit(1)
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        wait_s = put_off_s(row.callback_tries)
        taken = self._change(
            jobs.c.job_id == row.job_id,
            jobs.c.callback_tries == row.callback_tries,
            callback_tries=jobs.c.callback_tries + 1,
            callback_due=None if wait_s is None else now + wait_s,
        )
        return job_of(row) if taken else None

    def callback_done(self, job_id: str) -> None:
        """The caller was told."""
        self._change(jobs.c.job_id == job_id, callback_due=None)

    def _note(self, job_id: str, line: str) -> dict[str, Any]:
        return {"job_id": job_id, "written_at": self._clock(), "line": line}

    def _finished(self, state: JobState, failure: Failure | None) -> dict[str, Any]:
        now = self._clock()
        return {
            "state": state,
            "completed_at": now,
            "error": failure and failure.error,
            "error_type": failure and failure.error_type,
            "error_status": failure and failure.status,
            "error_hint": failure and (failure.hint or None),
            "callback_due": case((jobs.c.callback_url.is_not(None), now), else_=None),
        }

    def _move(self, job: Job, **values: Any) -> bool:
        """Change a job that is being processed under the claim that `job` knows of."""
        with self.writing() as connection:
            return _moved(connection, job, **values)

    def _change(self, *where: Any, **values: Any) -> bool:
        with self.writing() as connection:
            return connection.execute(update(jobs).where(*where).values(**values)).rowcount == 1

    def _forget(self, *where: Any) -> Sequence[str]:
        with self.writing() as connection:
            gone = connection.execute(delete(jobs).where(*where).returning(jobs.c.job_id))
            job_ids = gone.scalars().all()
            if job_ids:
                connection.execute(delete(notes).where(notes.c.job_id.in_(job_ids)))
        return job_ids

    def _one(self, query: Select[Any]) -> Job | None:
        with self.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else job_of(row)

    def _all(self, query: Select[Any]) -> list[Job]:
        with self.reading() as connection:
            return [job_of(row) for row in connection.execute(query)]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A look at the tables."""
        with told("read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of its own."""
        with told("changed"), self._engine.begin() as connection:
            yield connection


def _moved(connection: Connection, job: Job, **values: Any) -> bool:
    """Whether a job that is being processed under the claim that `job` knows of was changed."""
    mine = (jobs.c.job_id == job.job_id, jobs.c.claims == job.claims)
    query = update(jobs).where(*mine, jobs.c.state == JobState.PROCESSING).values(**values)
    return connection.execute(query).rowcount == 1
