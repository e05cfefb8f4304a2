"""Roster: which workers live, told by a count that each of them moves on."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, delete, insert, select, update

from pose_service.jobs.database import told
from pose_service.jobs.schema import workers


@dataclass(frozen=True)
class WorkerRecord:
    """What a worker says of itself. `label`: its machine and process, for people.

    `engine_state`: the state of its engine as JSON. `job_id`: the clip in its hands.
    """

    worker_id: str
    label: str
    engine_state: str = "{}"
    job_id: str | None = None
    jobs_done: int = 0
    beats: int = 0


class Roster:
    """The table of workers. No clocks are in it: the machines' clocks differ, and jump."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def beat(self, worker: WorkerRecord) -> None:
        """Tell that `worker` lives, and how it is; `beats` is counted on here."""
        values = {name: value for name, value in vars(worker).items() if name != "beats"}
        own = update(workers).where(workers.c.worker_id == worker.worker_id)
        with told("changed"), self._engine.begin() as connection:
            moved = connection.execute(own.values(**values, beats=workers.c.beats + 1)).rowcount
            if not moved:
                connection.execute(insert(workers).values(**values, beats=1))

    def all(self) -> list[WorkerRecord]:
        """Everybody who came and has not left, the dead included."""
        with told("read"), self._engine.connect() as connection:
            rows = connection.execute(select(workers).order_by(workers.c.worker_id))
            return [WorkerRecord(**row._mapping) for row in rows]

    def strike(self, worker: WorkerRecord) -> bool:
        """Take a dead worker off the list, unless it has moved since `worker` was read."""
        return self._remove(
            workers.c.worker_id == worker.worker_id, workers.c.beats == worker.beats
        )

    def leave(self, worker_id: str) -> None:
        """A worker that ends says so."""
        self._remove(workers.c.worker_id == worker_id)

    def _remove(self, *where: ColumnElement[bool]) -> bool:
        query = delete(workers).where(*where)
        with told("changed"), self._engine.begin() as connection:
            return connection.execute(query).rowcount == 1


@dataclass(frozen=True)
class _Sight:
    beats: int
    since_s: float


class Vigil:
    """Who of the workers has stood still for too long, by the watcher's own steady clock.

    A watcher that could not look for a while (its database was away, it was itself suspended)
    begins anew: it cannot know what it missed.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._sights: dict[str, _Sight] = {}
        self._looked_at_s = clock()

    def dead(self, seen: Iterable[WorkerRecord]) -> list[WorkerRecord]:
        """Those of `seen`, just read from the roster, that have not moved for the limit."""
        now_s = self._clock()
        if now_s - self._looked_at_s > self._limit_s / 2:
            self._sights.clear()
        self._looked_at_s = now_s
        listed = list(seen)
        self._sights = {one.worker_id: self._sight(one, now_s) for one in listed}
        return [
            one for one in listed if now_s - self._sights[one.worker_id].since_s >= self._limit_s
        ]

    def _sight(self, worker: WorkerRecord, now_s: float) -> _Sight:
        before = self._sights.get(worker.worker_id)
        if before is not None and before.beats == worker.beats:
            return before
        return _Sight(worker.beats, now_s)
