"""Attempt: one try at one clip, which leaves the job in a settled state however it ends."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from pose_service.core.errors import PoseError, UnavailableError
from pose_service.jobs.records import Failure, Job
from pose_service.jobs.store import JobStore
from pose_service.pipeline.results import HEAD_NAME
from pose_service.pipeline.video import ClipStoppedError, ClipWatch

RunClip = Callable[[Job, ClipWatch], None]
"""Process a clip and leave its complete result in the job's folder, or raise."""

RECORD_EVERY_S = 0.25
NO_RESULT = Failure("the clip ended without a result", "NO_RESULT")

log = logging.getLogger(__name__)


def failure_of(error: BaseException) -> Failure:
    """What a job's record says of an exception.

    >>> failure_of(ValueError("no such joint"))
    Failure(error='ValueError: no such joint', error_type='ValueError', status=500)
    >>> failure_of(MemoryError()).error
    'MemoryError'
    """
    if isinstance(error, PoseError):
        return Failure(f"{error} {error.hint}".strip(), error.code, error.status)
    name = type(error).__name__
    return Failure(f"{name}: {error}" if str(error) else name, name)


def report(store: JobStore, job_id: str, line: str, level: int = logging.INFO) -> None:
    """Say something of a job in the service's log and in the job's own."""
    log.log(level, "[JOB] %s %s", job_id, line, extra={"job_id": job_id})
    store.files.note(job_id, line)


def fail(store: JobStore, job_id: str, failure: Failure) -> None:
    """End a job that is being processed with an error."""
    if store.fail(job_id, failure):
        line = f"error {failure.error_type}: {failure.error}"
        report(store, job_id, line, logging.WARNING)


class Attempt:
    """A claimed job being processed. Its progress is on record a few times a second."""

    def __init__(
        self,
        job: Job,
        store: JobStore,
        stopping: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job = job
        self._store = store
        self._stopping = stopping
        self._clock = clock
        self._progress: tuple[str, int, int | None] = ("", 0, None)
        self._recorded_at = clock()

    def run(self, run_clip: RunClip) -> None:
        """Process the clip. An exception that is no `PoseError` goes on, with its trace."""
        with ExitStack() as stack:
            # an exit callback sees what no `except` should catch, and cannot be forgotten
            stack.push(self._settle)
            report(self._store, self._job.job_id, f"processing, attempt {self._job.attempts}")
            # of an attempt that was killed between its last two steps
            (self._store.folder(self._job.job_id) / HEAD_NAME).unlink(missing_ok=True)
            run_clip(self._job, ClipWatch(self._watch_progress, self._stopping.is_set))

    def _watch_progress(self, stage: str, frames_done: int, frames_total: int | None) -> None:
        stage_is_new = stage != self._progress[0]
        self._progress = (stage, frames_done, frames_total)
        if stage_is_new:
            report(self._store, self._job.job_id, f"stage {stage}")
        if stage_is_new or self._clock() - self._recorded_at >= RECORD_EVERY_S:
            self._record_progress()

    def _record_progress(self) -> None:
        self._store.progress(self._job.job_id, *self._progress)
        self._recorded_at = self._clock()

    def _settle(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """Move the job on; True for an exception that has been told in full."""
        job_id = self._job.job_id
        self._record_progress()
        if isinstance(error, UnavailableError) and error.code == ClipStoppedError.code:
            if self._store.put_back(job_id, counted=False):
                report(self._store, job_id, "stopped with the service, back in the queue")
        elif error is not None:
            fail(self._store, job_id, failure_of(error))
        elif not (self._store.folder(job_id) / HEAD_NAME).is_file():
            fail(self._store, job_id, NO_RESULT)
        elif self._store.complete(job_id):
            report(self._store, job_id, f"complete, {self._progress[1]} frames")
        return isinstance(error, PoseError)
