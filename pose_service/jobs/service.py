"""JobService: takes clips in, processes them one at a time, and never forgets one."""

import logging
import sqlite3
import threading
import time
import uuid
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from pose_service.core.config import Settings
from pose_service.core.errors import UnavailableError
from pose_service.jobs.attempt import Attempt, RunClip, fail, report
from pose_service.jobs.lock import StateLock
from pose_service.jobs.queue import ClipQueue
from pose_service.jobs.records import Failure, Job, JobOptions, JobState
from pose_service.jobs.store import JobStore

MAX_INTERRUPTIONS = 2
TEND_EVERY_S = 5.0
STOP_WITHIN_S = 5.0
RETRY_AFTER_S = 30.0
INTERRUPTED = Failure(
    "stopped twice while this clip was processed; it may need more memory than there is."
    " Send it again with a smaller max_frames.",
    "INTERRUPTED",
)

log = logging.getLogger(__name__)


class JobService:
    """The clips of one state folder, first come first served.

    The store is the truth, the queue only carries ids to the worker thread, and a keeper thread
    makes the two agree. Of several processes on one folder, the one that holds the lock runs the
    clips; the others take clips in and stand by. `run_clip` is called on the worker thread.
    """

    def __init__(
        self,
        settings: Settings,
        store: JobStore,
        run_clip: RunClip,
        *,
        tend_every_s: float = TEND_EVERY_S,
    ) -> None:
        self._max_queue = settings.max_queue
        self._keep_s = 3600.0 * settings.keep_hours
        self._store = store
        self._run_clip = run_clip
        self._tend_every_s = tend_every_s
        self._queue = ClipQueue(settings.state_dir / "queue.sqlite", self._run)
        self._lock = StateLock(settings.state_dir / "service.lock")
        self._stopping = threading.Event()
        self._in_hand: str | None = None
        # guards every move into and out of the worker's hands, and tells waiters of it
        self._changed = threading.Condition()
        self._keeper = threading.Thread(target=self._keep, name="job-keeper", daemon=True)

    def start(self) -> None:
        """Take up what an earlier process left, and begin to work. Once per service."""
        self._keeper.start()

    def stop(self, timeout_s: float = STOP_WITHIN_S) -> None:
        """Put the running clip back into the queue, wake all who wait, end the threads."""
        with self._changed:
            self._stopping.set()
            self._changed.notify_all()
        if self._keeper.is_alive():
            self._keeper.join(timeout_s)
        if self._queue.stop(timeout_s):
            self._lock.release()
        elif (job_id := self._in_hand) and self._store.put_back(job_id, counted=False):
            # the lock stays: no other process may start this clip while this one is at it
            line = f"did not stop within {timeout_s:g} s, back in the queue"
            report(self._store, job_id, line, logging.WARNING)

    def submit(
        self, source_path: Path, video_path: str, options: JobOptions, *, uploaded: bool = False
    ) -> Job:
        """Queue a clip. An uploaded file becomes the job's own and is removed with it.

        Raises `UnavailableError` (`QUEUE_FULL`, `STOPPING`); the uploaded file is then untouched.
        """
        job_id = str(uuid.uuid4())
        with self._changed:
            self._refuse_if_full()
            self._store.files.create(job_id)
            if uploaded:
                source_path = self._store.files.adopt(job_id, source_path)
            job = Job(job_id, source_path, video_path, self._store.now(), uploaded, options)
            report(self._store, job_id, f"queued: {video_path}")
            self._store.add(job)
            self._queue.put(job_id)
        return job

    def get(self, job_id: str) -> Job:
        """The job as it is now; `NotFoundError` if unknown or kept no longer."""
        return self._store.get(job_id)

    def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job once it is finished, or as it is after `timeout_s`.

        Raises `NotFoundError`, and `UnavailableError` (`STOPPING`) when the service stops first.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (job := self._store.get(job_id)).finished:
                if self._stopping.is_set():
                    raise _stopping(f"clip {job_id} is kept and goes on when the service is back")
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0:
                    break
                self._changed.wait(remaining_s)
        return job

    def queue_position(self, job_id: str) -> int:
        """1 for the next to run; 0 for one that runs or is finished."""
        return self._store.queue_position(job_id)

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return self._store.counts()

    def is_free(self) -> bool:
        """Whether a clip submitted now would start at once."""
        return not self._stopping.is_set() and self._unfinished() == 0

    def log(self, job_id: str) -> str:
        """What happened to the job, a line each; `NotFoundError` as in `get`."""
        self._store.get(job_id)
        return self._store.files.log(job_id)

    def _unfinished(self) -> int:
        counts = self._store.counts()
        return counts[JobState.QUEUED] + counts[JobState.PROCESSING]

    def _refuse_if_full(self) -> None:
        if self._stopping.is_set():
            raise _stopping("no clip is taken in")
        # one may run beside those that wait, and a free worker takes a moment to pick it up
        if self._unfinished() > self._max_queue:
            raise UnavailableError(
                f"{self._max_queue} clips are waiting, which is the limit",
                hint="Send this clip again later, or raise POSE_MAX_QUEUE.",
                code="QUEUE_FULL",
                retry_after_s=RETRY_AFTER_S,
            )

    def _run(self, job_id: str) -> None:
        """What the worker does with an id. An id may come twice; only one claim succeeds."""
        with self._changed:
            job = None if self._stopping.is_set() else self._store.claim(job_id)
            if job is None:
                return
            self._in_hand = job_id
        try:
            Attempt(job, self._store, self._stopping).run(self._run_clip)
        finally:
            with self._changed:
                self._in_hand = None
                self._changed.notify_all()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            try:
                self._tend()
            except (SQLAlchemyError, sqlite3.Error, OSError):
                log.exception("[JOB] the state folder cannot be tended, trying again")
            self._stopping.wait(self._tend_every_s)

    def _tend(self) -> None:
        if self._lock.acquire():
            self._mend()
            self._queue.keep_running()
            self._store.expire(self._keep_s)
        with self._changed:
            # for jobs that another process has finished
            self._changed.notify_all()

    def _mend(self) -> None:
        """Take up jobs that nobody works on; make the queue what the store says it is."""
        with self._changed:
            for job in self._store.in_state(JobState.PROCESSING):
                if job.job_id != self._in_hand:
                    self._take_up(job)
            queued = [job.job_id for job in self._store.in_state(JobState.QUEUED)]
            if self._queue.waiting() != queued:
                self._queue.refill(queued)

    def _take_up(self, job: Job) -> None:
        if job.attempts < MAX_INTERRUPTIONS:
            self._store.put_back(job.job_id, counted=True)
            report(self._store, job.job_id, "interrupted, back in the queue")
        else:
            fail(self._store, job.job_id, INTERRUPTED)


def _stopping(what: str) -> UnavailableError:
    return UnavailableError(
        f"the service is stopping: {what}", hint="Try again in a moment.", code="STOPPING"
    )
