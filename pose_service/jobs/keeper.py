"""Keeper: a thread that finds what went wrong and puts it right, every few seconds."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pose_service.jobs.attempt import Tools, fail, report
from pose_service.jobs.avatar_rows import avatar_home
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.queue import ClipQueue
from pose_service.jobs.records import UNFINISHED, Failure, Job, JobState
from pose_service.jobs.roster import Roster, Vigil, WorkerRecord
from pose_service.jobs.storage import StorageError
from pose_service.jobs.worker import ClipWorker, died_here, remove_lock

MAX_INTERRUPTIONS = 2
CLEAN_EVERY_S = 60.0
LEAST_AGE_S = 3600.0
"""A job's folder is made before its record, and an upload may still be arriving."""

INTERRUPTED = Failure(
    "stopped twice while this clip was processed; it may need more memory than there is."
    " Send it again with a smaller max_frames.",
    "INTERRUPTED",
)

FAULTS: tuple[type[Exception], ...] = (DatabaseError, StorageError, OSError, sqlite3.Error)
"""What may fail for a while."""

log = logging.getLogger(__name__)


class Keeper:
    """Every process has one, and they do not mind each other: all they do is done once.

    Dead workers are struck off, their clips go back into the queue (or are given up), messages
    that got lost are sent again, old results are removed.
    """

    def __init__(
        self,
        tools: Tools,
        roster: Roster,
        queue: ClipQueue,
        worker: ClipWorker | None,
        vigil: Vigil,
    ) -> None:
        self._tools = tools
        self._store = tools.store
        self._roster = roster
        self._queue = queue
        self._worker = worker
        self._vigil = vigil
        self._cleaned_at_s: float | None = None
        self.living: list[WorkerRecord] = []

    def tend(self, state_dir: Path, keep_s: float) -> None:
        """One round. Raises `DatabaseError`, or what the queue raises, if it must be broken off."""
        self._strike_the_dead(state_dir)
        self._take_up_the_lost()
        if self._worker is not None:
            self._worker.keep_running()
        self._clean(keep_s)
        waiting = [job.job_id for job in self._store.in_state(JobState.QUEUED)]
        chunks = self._tools.chunks
        self._queue.fill_up([*waiting, *(() if chunks is None else chunks.tend())])

    def _strike_the_dead(self, state_dir: Path) -> None:
        listed = self._roster.all()
        own_id = self._worker and self._worker.worker_id
        dead = {worker.worker_id for worker in self._vigil.dead(listed)}
        living = []
        for worker in listed:
            if worker.worker_id == own_id:
                living.append(worker)
            elif worker.worker_id in dead or died_here(state_dir, worker.worker_id):
                self._strike(worker, state_dir)
            else:
                living.append(worker)
        self.living = living

    def _strike(self, worker: WorkerRecord, state_dir: Path) -> None:
        if self._roster.strike(worker):
            log.warning("[JOB] worker %s is dead", worker.label)
            remove_lock(state_dir, worker.worker_id)

    def _take_up_the_lost(self) -> None:
        """Clips that are in nobody's hands. Read first: a worker signs on before it takes one."""
        processing = self._store.in_state(JobState.PROCESSING)
        known = {worker.worker_id for worker in self._roster.all()}
        for job in processing:
            if self._is_own(job):
                self._take_up_own(job)
            elif job.worker_id not in known:
                self._take_up(job)

    def _is_own(self, job: Job) -> bool:
        return self._worker is not None and job.worker_id == self._worker.worker_id

    def _take_up_own(self, job: Job) -> None:
        """Ours by the record, but not in hand: its end could not be written."""
        assert self._worker is not None
        with self._worker.hand:
            if self._worker.in_hand != job.job_id:
                self._take_up(job)

    def _take_up(self, job: Job) -> None:
        if job.attempts < MAX_INTERRUPTIONS:
            if self._store.put_back(job, counted=True):
                report(self._store, job.job_id, "interrupted, back in the queue")
        else:
            fail(self._store, job, INTERRUPTED)

    def _clean(self, keep_s: float) -> None:
        now_s = time.monotonic()
        if self._cleaned_at_s is not None and now_s - self._cleaned_at_s < CLEAN_EVERY_S:
            return
        self._cleaned_at_s = now_s
        for job_id in self._store.expired(keep_s):
            self._tools.forget(job_id)
        self._clean_removed_avatars()
        before = self._store.now() - max(keep_s, LEAST_AGE_S)
        unfinished = [job.job_id for state in UNFINISHED for job in self._store.in_state(state)]
        self._tools.folders.remove_old(before, unfinished)
        homes = map(avatar_home, self._tools.avatars.known_ids())
        self._tools.storage.remove_forgotten({*self._store.known_ids(), *homes}, before)

    def _clean_removed_avatars(self) -> None:
        """Again and again for a while: a worker may have stored files after its job was removed."""
        avatars = self._tools.avatars
        for avatar_id, removed_at in avatars.removed().items():
            if self._tools.forget(avatar_id) and removed_at < self._store.now() - LEAST_AGE_S:
                avatars.drop(avatar_id)


class KeeperThread:
    """Calls `tend` again and again until `stopping`, whatever fails meanwhile."""

    def __init__(
        self,
        tend: Callable[[], None],
        every_s: float,
        stopping: threading.Event,
        faults: tuple[type[Exception], ...],
    ) -> None:
        self._tend = tend
        self._every_s = every_s
        self._stopping = stopping
        self._faults: tuple[type[Exception], ...] = (*FAULTS, *faults)
        self._thread = threading.Thread(target=self._keep, name="job-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            try:
                self._tend()
            except self._faults:
                log.exception("[JOB] jobs cannot be tended, trying again")
            self._stopping.wait(self._every_s)
