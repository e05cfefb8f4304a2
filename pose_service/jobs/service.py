"""JobService: takes clips in, sees to it that they are processed, and never forgets one."""

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.errors import ConflictError, TooManyError, UnavailableError
from pose_service.jobs.attempt import RunClip, result_key
from pose_service.jobs.avatar_room import AvatarRoom
from pose_service.jobs.describe import described
from pose_service.jobs.helper import Helper
from pose_service.jobs.keeper import Keeper, KeeperThread
from pose_service.jobs.parts import JobParts, open_parts
from pose_service.jobs.records import UNFINISHED, Job, JobKind, JobOptions, JobState, Terms
from pose_service.jobs.roster import Vigil, WorkerRecord
from pose_service.jobs.sources import STORED_NAME
from pose_service.jobs.webhook import Courier
from pose_service.jobs.work import checked
from pose_service.jobs.worker import ClipWorker
from pose_service.pipeline.frame_lines import ResultFolder
from pose_service.pipeline.video import NetRunner

TEND_EVERY_S = 5.0
LOOK_EVERY_S = 0.25
STOP_WITHIN_S = 5.0
RETRY_AFTER_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """A clip to be processed: `source` is a path or an address, or `upload` a file that arrived.

    `video_path`: the clip as its caller calls it. `kind`, `asked`, `user_id`: see `Job`.
    """

    video_path: str
    source: str = ""
    upload: Path | None = None
    options: JobOptions = field(default_factory=JobOptions)
    terms: Terms = field(default_factory=Terms)
    kind: JobKind = JobKind.CLIP
    asked: str = ""
    user_id: str | None = None


class JobService:
    """The clips of one database, first come first served.

    The store is the truth, the queue only says that there is something to do, and a keeper thread
    makes the two agree. With `run_clip` this process works on clips, too; without it takes them in
    for workers elsewhere. With `nets` it helps with the clips of others while it has none.
    """

    def __init__(
        self,
        settings: Settings,
        run_clip: RunClip | None,
        *,
        tend_every_s: float = TEND_EVERY_S,
        parts: JobParts | None = None,
        nets: NetRunner | None = None,
    ) -> None:
        self._settings = settings
        self._parts = parts = parts or open_parts(settings)
        self._store = parts.tools.store
        self._stopping = threading.Event()
        self._taking_in = threading.Lock()
        self._changed = threading.Condition()
        self.worker = None
        if run_clip is not None:
            self.worker = ClipWorker(
                parts.tools, parts.roster, parts.queue, run_clip, settings.state_dir
            )
            self.worker.ended_clip = self._notify
            if parts.tools.chunks is not None and nets is not None:
                self.worker.helper = Helper(
                    parts.tools, parts.tools.chunks, nets, settings.max_pixels
                )
        vigil = Vigil(settings.worker_timeout_s)
        self._keeper = Keeper(parts.tools, parts.roster, parts.queue, self.worker, vigil)
        every_s = min(tend_every_s, settings.worker_timeout_s / 4)
        self._keeper_thread = KeeperThread(self._tend, every_s, self._stopping, parts.queue.faults)
        self._courier = Courier(settings, self._store, described)

    def start(self) -> None:
        """Take up what an earlier process left, and begin to work. Once per service."""
        if self.worker is not None:
            self.worker.start(self._settings.worker_timeout_s)
        self._keeper_thread.start()
        self._courier.start()

    def stop(self, timeout_s: float = STOP_WITHIN_S) -> None:
        """Put the running clip back into the queue, wake all who wait, end the threads."""
        self._stopping.set()
        self._notify()
        self._keeper_thread.join(timeout_s)
        self._courier.stop(timeout_s)
        if self.worker is not None:
            self.worker.stop(timeout_s)
        else:
            self._parts.queue.stop(timeout_s)

    def close(self) -> None:
        """Nothing can be asked any more."""
        self._store.close()

    @property
    def avatars(self) -> AvatarRoom:
        """What became of jobs of the kind `AVATAR`."""
        return AvatarRoom(self._parts.tools)

    @property
    def uploads_dir(self) -> Path:
        """Where files that arrive are written until a job takes them over."""
        return self._parts.tools.folders.uploads_dir

    def submit(self, order: Order) -> Job:
        """Queue a clip; an uploaded file becomes the job's own and is removed with it.

        A job that came before with the same idempotency key is given back; `ConflictError` if it
        was another request. Raises `UnavailableError` (`QUEUE_FULL`, `STOPPING`), `TooManyError`.
        """
        same = self._same(order.terms)
        if same is not None:
            return same
        self._refuse(order.terms.client)
        job = self._stored(order)
        try:
            with self._taking_in:
                self._refuse(order.terms.client)
                kept = self._store.add(job, f"queued: {job.video_path}")
        except BaseException:
            self._parts.tools.forget(job.job_id)
            raise
        if kept.job_id != job.job_id:
            self._parts.tools.forget(job.job_id)
            return self._checked_same(kept, order.terms)
        own = {"job_id": job.job_id}
        log.info("[JOB] %s queued: %s", job.job_id, job.video_path, extra=own)
        self._announce(job.job_id)
        return job

    def get(self, job_id: str) -> Job:
        """The job as it is now; `NotFoundError` if unknown or kept no longer."""
        return self._store.get(checked(job_id))

    def newest(
        self, states: Sequence[JobState], limit: int, before_id: str | None = None
    ) -> list[Job]:
        """See `JobStore.newest`."""
        return self._store.newest(states, limit, before_id and checked(before_id))

    def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job once it is finished, or as it is after `timeout_s`.

        Raises `NotFoundError`, and `UnavailableError` (`STOPPING`) when the service stops first.
        """
        deadline = time.monotonic() + timeout_s
        while not (job := self.get(job_id)).finished:
            if self._stopping.is_set():
                raise _stopping(f"clip {job_id} is kept and goes on when the service is back")
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                break
            self._pause(min(LOOK_EVERY_S, remaining_s))
        return job

    def follow(self, job_id: str, quiet_s: float) -> Iterator[Job | None]:
        """The job each time that it has changed, the last time finished; None after `quiet_s`.

        Ends too when the service stops or the job is kept no longer.
        """
        job = self.get(job_id)
        yield job
        told_at_s = time.monotonic()
        while not job.finished and not self._stopping.is_set():
            self._pause(LOOK_EVERY_S)
            before, job = job, self.get(job_id)
            if job != before:
                told_at_s = time.monotonic()
                yield job
            elif time.monotonic() - told_at_s >= quiet_s:
                told_at_s = time.monotonic()
                yield None

    def cancel(self, job_id: str) -> Job:
        """Give up a clip that waits or runs; whoever works on it finds that out.

        `ConflictError` if it was finished before.
        """
        before = self.get(job_id)
        if not self._store.cancel(job_id):
            raise ConflictError(
                f"job {job_id} is finished already: {self.get(job_id).state.value}",
                hint="Add ?remove=true to delete it with its result.",
                code="ALREADY_FINISHED",
            )
        self._store.note(job_id, "cancelled")
        log.info("[JOB] %s cancelled", job_id)
        self._forget(before)
        return self.get(job_id)

    def remove(self, job_id: str) -> None:
        """Delete a job and all its files now; one that waits or runs is cancelled first."""
        before = self.get(job_id)
        self._store.cancel(job_id)
        self._store.remove(job_id)
        self._forget(before)

    def _forget(self, before: Job) -> None:
        """Remove the files of a job, unless a worker has its hands on them: it will do so."""
        if before.state is not JobState.PROCESSING:
            self._parts.tools.forget(before.job_id)
        self._notify()

    def result(self, job: Job) -> ResultFolder:
        """Where the result of a complete job is read from."""
        return self._parts.tools.storage.folder(result_key(job))

    def drawing_folder(self, job: Job) -> Path:
        """A folder of this machine for what is made from a complete job: overlays."""
        home = self._parts.tools.storage.local(result_key(job))
        return home or self._parts.tools.folders.cache_of(job.job_id)

    def source_file(self, job: Job) -> Path:
        """The clip itself as a file of this machine; `NotFoundError` if it is there no more."""
        return self._parts.tools.sources.for_drawing(job)

    def queue_position(self, job_id: str) -> int:
        """1 for the next to run; 0 for one that runs or is finished."""
        return self._store.queue_position(job_id)

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state."""
        return self._store.counts()

    def workers(self) -> list[WorkerRecord]:
        """Who is alive, as it was found at most a few seconds ago; asks nobody."""
        return list(self._keeper.living)

    def is_free(self) -> bool:
        """Whether a clip submitted now would start at once."""
        counts = self._store.counts()
        hands = max(len(self._keeper.living), int(self.worker is not None))
        busy = counts[JobState.QUEUED] + counts[JobState.PROCESSING]
        return not self._stopping.is_set() and busy < hands

    def log(self, job_id: str) -> str:
        """What happened to the job, a line each; `NotFoundError` as in `get`."""
        self.get(job_id)
        return self._store.log(job_id)

    def _tend(self) -> None:
        self._keeper.tend(self._settings.state_dir, 3600.0 * self._settings.keep_hours)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        with self._changed:
            if not self._stopping.is_set():
                self._changed.wait(seconds)

    def _announce(self, job_id: str) -> None:
        try:
            self._parts.queue.put(job_id)
        except self._parts.queue.faults as error:
            # the clip is on record; the keeper announces it when the queue is back
            log.warning("[JOB] %s waits until the queue is back: %s", job_id, error)

    def _stored(self, order: Order) -> Job:
        """The new job, its uploaded file where all who work on it can read it."""
        job_id, source = str(uuid.uuid4()), order.source
        if order.upload is not None:
            source = STORED_NAME + order.upload.suffix
            self._parts.tools.storage.put(order.upload, f"{job_id}/{source}")
        return Job(
            job_id,
            source,
            order.video_path,
            self._store.now(),
            order.upload is not None,
            order.options,
            order.terms,
            kind=order.kind,
            asked=order.asked,
            user_id=order.user_id,
        )

    def _same(self, terms: Terms) -> Job | None:
        if terms.idempotency_key is None:
            return None
        job = self._store.of_key(terms.idempotency_key)
        return None if job is None else self._checked_same(job, terms)

    def _checked_same(self, job: Job, terms: Terms) -> Job:
        if job.terms.request_digest != terms.request_digest:
            raise ConflictError(
                f"another request was sent with this Idempotency-Key: it became job {job.job_id}",
                hint="Send a new key with each new request.",
                code="IDEMPOTENCY_KEY_REUSED",
            )
        return job

    def _refuse(self, client: str) -> None:
        if self._stopping.is_set():
            raise _stopping("no clip is taken in")
        counts = self._store.counts()
        # those that run come beside those that wait, and a free worker takes a moment to take one
        hands = max(len(self._keeper.living), 1)
        if sum(counts[state] for state in UNFINISHED) >= self._settings.max_queue + hands:
            raise UnavailableError(
                f"{self._settings.max_queue} clips are waiting, which is the limit",
                hint="Send this clip again later, or raise POSE_MAX_QUEUE.",
                code="QUEUE_FULL",
                retry_after_s=RETRY_AFTER_S,
            )
        most = self._settings.max_queue_per_client
        if most is not None and self._store.unfinished_of(client) >= most:
            raise TooManyError(
                f"{most} clips of this caller wait or run, which is the limit",
                hint="Send this clip when one of them is finished.",
                code="CLIENT_LIMIT",
                retry_after_s=RETRY_AFTER_S,
            )


def _stopping(what: str) -> UnavailableError:
    return UnavailableError(
        f"the service is stopping: {what}", hint="Try again in a moment.", code="STOPPING"
    )
