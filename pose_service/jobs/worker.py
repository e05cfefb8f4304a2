"""ClipWorker: takes clips in the order they came and processes them, one at a time."""

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pose_service.jobs.attempt import Attempt, RunClip, Tools, report
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.helper import Helper
from pose_service.jobs.lock import StateLock
from pose_service.jobs.queue import ClipQueue
from pose_service.jobs.records import Job
from pose_service.jobs.roster import Roster, WorkerRecord

BEATS_PER_TIMEOUT = 8

log = logging.getLogger(__name__)


class ClipWorker:
    """One thread that works, and one that tells that this process lives.

    The lock file, which the system frees when the process dies, tells other processes on the same
    state folder of a death at once; others see it by the count in the roster.
    """

    def __init__(
        self,
        tools: Tools,
        roster: Roster,
        queue: ClipQueue,
        run_clip: RunClip,
        state_dir: Path,
    ) -> None:
        self.worker_id = str(uuid.uuid4())
        self.hand = threading.Lock()
        self.stopping = threading.Event()
        self.ended_clip: Callable[[], None] = lambda: None
        self.engine_state: Callable[[], Mapping[str, Any]] = dict
        self.helper: Helper | None = None
        self._tools = tools
        self._roster = roster
        self._queue = queue
        self._run_clip = run_clip
        self._state_dir = state_dir
        self._lock = StateLock(lock_path(state_dir, self.worker_id))
        self._job: Job | None = None
        self._jobs_done = 0
        self._beater = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beat_every_s = 1.0
        self._left = threading.Event()

    @property
    def in_hand(self) -> str | None:
        """The id of the job that is being processed."""
        job = self._job
        return None if job is None else job.job_id

    def start(self, timeout_s: float) -> None:
        """Begin to tell that it lives, often enough for who waits `timeout_s` for a sign."""
        self._beat_every_s = timeout_s / BEATS_PER_TIMEOUT
        lock_path(self._state_dir, self.worker_id).parent.mkdir(exist_ok=True)
        self._lock.acquire()
        # before the first clip: who is not on the list gets none
        self._try_to_beat()
        self._beater.start()

    def keep_running(self) -> None:
        """Begin to work, or go on if a clip took the thread along."""
        self._queue.keep_running(self._called)

    def stop(self, timeout_s: float) -> None:
        """Give the clip in hand back and end; who hears nothing of it is taken for dead."""
        self.stopping.set()
        if not self._queue.stop(timeout_s) and (job := self._job) is not None:
            self._let_go(job, timeout_s)
        # only now: the clips of a worker that has left are taken up by others
        self._left.set()
        if self._beater.is_alive():
            self._beater.join(timeout_s)
        self._lock.release()
        remove_lock(self._state_dir, self.worker_id)

    def _let_go(self, job: Job, timeout_s: float) -> None:
        """Of a clip that does not hear; what it may still leave counts for nothing."""
        try:
            if self._tools.store.put_back(job, counted=False):
                line = f"did not stop within {timeout_s:g} s, back in the queue"
                report(self._tools.store, job.job_id, line, logging.WARNING)
        except DatabaseError as error:
            log.warning("[JOB] %s cannot be given back: %s", job.job_id, error)

    def _called(self, _job_id: str) -> None:
        """There is something to do. The clip that came first is taken, else chunks of another.

        Messages may be lost or doubled.
        """
        with self.hand:
            if self.stopping.is_set():
                return
            self._job = self._tools.store.claim_next(self.worker_id)
        if self._job is None:
            if self.helper is not None:
                self.helper.help(self.worker_id, self.stopping)
            return
        try:
            Attempt(self._job, self._tools, self.stopping).run(self._run_clip)
        finally:
            with self.hand:
                self._job = None
                self._jobs_done += 1
            self.ended_clip()

    def beat(self) -> None:
        """Tell once that this worker lives, and how it is."""
        self._roster.beat(
            WorkerRecord(
                worker_id=self.worker_id,
                label=f"{socket.gethostname()}:{os.getpid()}",
                engine_state=json.dumps(dict(self.engine_state())),
                job_id=self.in_hand,
                jobs_done=self._jobs_done,
            )
        )

    def _try_to_beat(self) -> None:
        try:
            self.beat()
        except DatabaseError as error:
            log.warning("[JOB] this worker cannot tell that it lives: %s", error)

    def _beat(self) -> None:
        while not self._left.wait(self._beat_every_s):
            self._try_to_beat()
        try:
            self._roster.leave(self.worker_id)
        except DatabaseError as error:
            log.warning("[JOB] this worker cannot sign off: %s", error)


def lock_path(state_dir: Path, worker_id: str) -> Path:
    """The lock of a worker that runs on this state folder."""
    return state_dir / "workers" / f"{worker_id}.lock"


def remove_lock(state_dir: Path, worker_id: str) -> None:
    """Of a worker that has ended; SQLite may have left a file beside it."""
    path = lock_path(state_dir, worker_id)
    for left in (path, path.with_name(f"{path.name}-journal")):
        left.unlink(missing_ok=True)


def died_here(state_dir: Path, worker_id: str) -> bool:
    """Whether a worker on this state folder has ended without a word; False for those elsewhere."""
    path = lock_path(state_dir, worker_id)
    if not path.is_file():
        return False
    lock = StateLock(path)
    try:
        return lock.acquire()
    finally:
        lock.release()
