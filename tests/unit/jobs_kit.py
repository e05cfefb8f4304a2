"""What the tests of the job room share: clips that start, wait and end as a test wants."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.jobs.attempt import RunClip
from pose_service.jobs.records import Job, JobOptions
from pose_service.jobs.service import JobService
from pose_service.jobs.store import JobStore
from pose_service.pipeline.results import HEAD_NAME
from pose_service.pipeline.video import ClipWatch

PATIENCE_S = 20.0
"""Far longer than anything here takes: a test that reaches it has found a hang."""


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.01)


@dataclass
class FakeClips:
    """A `run_clip` that leaves a result at once, or does what `acts` says of the clip's name."""

    store: JobStore
    acts: dict[str, RunClip] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    most_at_once: int = 0
    running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, job: Job, watch: ClipWatch) -> None:
        with self._lock:
            self.started.append(job.job_id)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            self.acts.get(job.video_path, self.succeed)(job, watch)
        finally:
            with self._lock:
                self.running -= 1

    def succeed(self, job: Job, watch: ClipWatch) -> None:
        watch.report("tracking", 3, 3)
        (self.store.folder(job.job_id) / HEAD_NAME).write_text("{}")

    def hold(self, name: str) -> threading.Event:
        """Make the clip `name` run until the event is set or the service stops."""
        release = threading.Event()

        def clip(job: Job, watch: ClipWatch) -> None:
            while not release.wait(0.01):
                watch.report("tracking", 1, 3)
            self.succeed(job, watch)

        self.acts[name] = clip
        return release

    def fail(self, name: str, error: BaseException) -> None:
        def clip(job: Job, watch: ClipWatch) -> None:
            raise error

        self.acts[name] = clip


@dataclass(frozen=True)
class Bench:
    """A service on a state folder, with clips that do as they are told."""

    service: JobService
    store: JobStore
    clips: FakeClips

    def submit(self, name: str = "clip.mp4") -> str:
        return self.service.submit(Path("/clips") / name, name, JobOptions()).job_id

    def finished(self, job_id: str) -> Job:
        job = self.service.wait(job_id, PATIENCE_S)
        assert job.finished
        return job


@contextmanager
def bench(state_dir: Path, *, max_queue: int = 32, tend_every_s: float = 3600.0) -> Iterator[Bench]:
    """Not started yet; stopped at the end. The keeper looks once, at the start, unless told."""
    settings = Settings(state_dir=state_dir, max_queue=max_queue)
    store = JobStore(state_dir)
    clips = FakeClips(store)
    service = JobService(settings, store, clips, tend_every_s=tend_every_s)
    try:
        yield Bench(service, store, clips)
    finally:
        service.stop()
        store.close()
