"""Attempt: one try at one clip, which leaves the job in a settled state however it ends."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from pose_service.core.errors import PoseError, UnavailableError
from pose_service.jobs.avatar_rows import AvatarStore, avatar_home
from pose_service.jobs.chunk_room import ChunkRoom
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.pace import Pace
from pose_service.jobs.patience import with_database, with_storage
from pose_service.jobs.records import UNFINISHED, Failure, Job, JobKind, JobState
from pose_service.jobs.shared import SharedChunks
from pose_service.jobs.sources import Sources
from pose_service.jobs.storage import DiskFullError, Storage, StorageError, disk_full, is_full
from pose_service.jobs.store import JobStore
from pose_service.jobs.work import WorkFolders
from pose_service.pipeline.frame_lines import HEAD_NAME
from pose_service.pipeline.sights import Elsewhere
from pose_service.pipeline.video import ClipStoppedError, ClipWatch

T = TypeVar("T")


@dataclass(frozen=True)
class ClipTask:
    """What is to be done: the clip `source` of `job`, its result into `folder`.

    `elsewhere`: workers that share its chunks.
    """

    job: Job
    source: Path
    folder: Path
    elsewhere: Elsewhere | None = None

    @property
    def kept(self) -> Path:
        """For what outlives this claim: another one on this machine goes on from it."""
        return self.folder.parent / "sights"


RunClip = Callable[[ClipTask, ClipWatch], None]
"""Process a clip and leave its complete result in the task's folder, or raise."""

NO_RESULT = Failure("the job ended without a result", "NO_RESULT")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What an attempt works with; the same for all attempts of a process.

    `chunks`: None where clips are not shared.
    """

    store: JobStore
    avatars: AvatarStore
    storage: Storage
    folders: WorkFolders
    sources: Sources
    storage_wait_s: float
    chunks: ChunkRoom | None = None

    def forget(self, job_id: str) -> bool:
        """Remove the files of a job that nobody works on or asks for any more.

        An avatar outlives the job that made it. False if something may be left.
        """
        self.folders.forget(job_id)
        try:
            self.storage.remove(job_id)
            if self.avatars.of_job(job_id) is None:
                self.storage.remove(avatar_home(job_id))
        except (StorageError, DiskFullError, DatabaseError) as error:
            log.warning("[JOB] %s its files stay in the storage: %s", job_id, error)
            return False
        return True


def failure_of(error: BaseException) -> Failure:
    """What a job's record says of an exception.

    >>> failure_of(ValueError("no such joint"))
    Failure(error='ValueError: no such joint', error_type='ValueError', status=500, hint='')
    >>> failure_of(MemoryError()).error
    'MemoryError'
    """
    if isinstance(error, OSError) and is_full(error):
        error = disk_full("work on the clip")
    if isinstance(error, PoseError):
        return Failure(str(error), error.code, error.status, error.hint)
    name = type(error).__name__
    return Failure(f"{name}: {error}" if str(error) else name, name)


def result_key(job: Job) -> str:
    """Where the result of a job lies in the storage: each claim has a place of its own.

    Jobs of versions that did not count claims have theirs beside the clip.
    """
    home = avatar_home(job.job_id) if job.kind is JobKind.AVATAR else job.job_id
    return f"{home}/{job.claims}" if job.claims else home


def report(store: JobStore, job_id: str, line: str, level: int = logging.INFO) -> None:
    """Say something of a job in the service's log and in the job's own."""
    log.log(level, "[JOB] %s %s", job_id, line, extra={"job_id": job_id})
    store.note(job_id, line)


def fail(store: JobStore, job: Job, failure: Failure) -> None:
    """End a job that is being processed with an error."""
    if store.fail(job, failure):
        line = f"error {failure.error_type}: {failure.error} {failure.hint}".strip()
        report(store, job.job_id, line, logging.WARNING)


class Attempt:
    """A claimed job being processed. Its progress is on record a few times a second.

    A job that is cancelled, or given to another worker because this one was taken for dead, is
    given up as soon as its record says so; what is left of it here is thrown away.
    """

    def __init__(
        self, job: Job, tools: Tools, stopping: threading.Event, pace: Pace | None = None
    ) -> None:
        self._job = job
        self._tools = tools
        self._store = tools.store
        self._stopping = stopping
        self._pace = pace or Pace()
        self._lost = False
        self._published = False
        self._head = ""

    def run(self, run_clip: RunClip) -> None:
        """Process the clip. An exception that is no `PoseError` goes on, with its trace."""
        with ExitStack() as stack:
            # an exit callback sees what no `except` should catch, and cannot be forgotten
            stack.push(self._settle)
            report(self._store, self._job.job_id, f"processing, attempt {self._job.attempts}")
            watch = ClipWatch(self._watch, lambda: self._lost or self._stopping.is_set())
            folder = self._tools.folders.of_claim(self._job)
            source = self._obtained(folder.parent, watch)
            run_clip(ClipTask(self._job, source, folder, self._elsewhere(watch)), watch)
            if (folder / HEAD_NAME).is_file():
                # before the folder is handed over
                self._head = (folder / HEAD_NAME).read_text(encoding="utf-8")
                self._publish(folder, watch)

    def _obtained(self, folder: Path, watch: ClipWatch) -> Path:
        """The clip as a file of this machine; one that was fetched outlives this claim."""
        sources = self._tools.sources
        if (found := sources.here(self._job)) is not None:
            return found

        def fetch() -> Path:
            file = sources.obtain(self._job, folder, lambda *_: self._say(watch, "fetching"))
            return sources.keep(self._job, file, self._store.keep_source)

        return self._with_storage(fetch, watch)

    def _elsewhere(self, watch: ClipWatch) -> Elsewhere | None:
        room, job = self._tools.chunks, self._job
        if room is None or job.worker_id is None:
            return None
        return SharedChunks(room, job.job_id, job.worker_id, lambda: self._say(watch, "tracking"))

    def _publish(self, folder: Path, watch: ClipWatch) -> None:
        self._say(watch, "storing")
        key = result_key(self._job)
        self._with_storage(lambda: self._tools.storage.publish(folder, key), watch)
        self._published = True

    def _with_storage(self, action: Callable[[], T], watch: ClipWatch) -> T:
        limit_s = self._tools.storage_wait_s
        return with_storage(action, limit_s, lambda: self._say(watch, "waiting for the storage"))

    def _say(self, watch: ClipWatch, stage: str) -> None:
        """A stage that does not count frames."""
        known = self._pace.progress()
        watch.report(stage, known.frames_done, known.frames_total)

    def _watch(self, stage: str, frames_done: int, frames_total: int | None) -> None:
        is_new, is_due = self._pace.move(stage, frames_done, frames_total)
        if is_new:
            report(self._store, self._job.job_id, f"stage {stage}")
        if is_due:
            self._record_progress()

    def _record_progress(self) -> None:
        try:
            self._lost = not self._store.progress(self._job, self._pace.progress())
        except DatabaseError as error:
            # the next one will do; whether the job is still ours is then seen, too
            log.warning("[JOB] %s its progress is not recorded: %s", self._job.job_id, error)

    def _settle(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """Move the job on; True for an exception that has been told in full."""
        if error is not None and not _is_stop(error):
            # what is of no use goes first: without it a full disk may have room for the record
            self._tools.folders.drop_claim(self._job)
        with_database(lambda: self._moved_on(error), self._stopping)
        return isinstance(error, PoseError)

    def _moved_on(self, error: BaseException | None) -> None:
        job, store = self._job, self._store
        if not self._lost and _is_stop(error) and store.put_back(job, counted=False):
            # what was finished of it stays in its folder, to be gone on from
            report(store, job.job_id, "stopped with the service, back in the queue")
            return
        if not self._lost:
            self._finish(error)
        self._tools.folders.drop_claim(job)
        state = store.state_of(job.job_id)
        self._tidy(state)
        if state in (JobState.CANCELLED, None):
            self._tools.forget(job.job_id)
        elif state not in UNFINISHED:
            self._tools.folders.settled(job.job_id)

    def _finish(self, error: BaseException | None) -> None:
        job, progress = self._job, self._pace.progress()
        if _is_stop(error):
            return
        if error is not None:
            fail(self._store, job, failure_of(error))
        elif not self._published:
            fail(self._store, job, NO_RESULT)
        elif self._store.progress(job, progress) and self._completed():
            report(self._store, job.job_id, f"complete, {progress.frames_done} frames")

    def _completed(self) -> bool:
        """What was published counts from now on; False if another claim, or nobody, has the job."""
        job = self._job
        if job.kind is JobKind.AVATAR:
            return self._tools.avatars.complete(job, result_key(job), self._head)
        return self._store.complete(job)

    def _tidy(self, state: JobState | None) -> None:
        """Of an avatar remove what nobody will ask for.

        That is what this claim and earlier ones stored for nothing, and the picture as it came.
        """
        job, storage = self._job, self._tools.storage
        if job.kind is not JobKind.AVATAR:
            return
        avatar = self._tools.avatars.of_job(job.job_id)
        keys = {result_key(replace(job, claims=one + 1)) for one in range(job.claims)}
        if state not in UNFINISHED:
            keys.add(job.job_id)
        try:
            for key in sorted(keys - {avatar and avatar.key}):
                storage.remove(key)
        except (StorageError, DiskFullError) as error:
            # what is left goes with the avatar, or with the job
            log.warning("[JOB] %s its files stay in the storage: %s", job.job_id, error)


def _is_stop(error: BaseException | None) -> bool:
    """The nets' owner refuses work by the same code when it stops."""
    return isinstance(error, UnavailableError) and error.code == ClipStoppedError.code
