"""What the tests of the job room share: clips that start, wait and end as a test wants."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.jobs.attempt import ClipTask, RunClip
from pose_service.jobs.parts import JobParts, open_parts
from pose_service.jobs.records import Job
from pose_service.jobs.service import JobService, Order
from pose_service.jobs.store import JobStore
from pose_service.pipeline.frame_lines import HEAD_NAME
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

    acts: dict[str, RunClip] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    most_at_once: int = 0
    running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, task: ClipTask, watch: ClipWatch) -> None:
        with self._lock:
            self.started.append(task.job.job_id)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            self.acts.get(task.job.video_path, self.succeed)(task, watch)
        finally:
            with self._lock:
                self.running -= 1

    def succeed(self, task: ClipTask, watch: ClipWatch) -> None:
        watch.report("tracking", 3, 3)
        (task.folder / HEAD_NAME).write_text("{}")

    def hold(self, name: str) -> threading.Event:
        """Make the clip `name` run until the event is set or the service stops."""
        release = threading.Event()

        def clip(task: ClipTask, watch: ClipWatch) -> None:
            while not release.wait(0.01):
                watch.report("tracking", 1, 3)
            self.succeed(task, watch)

        self.acts[name] = clip
        return release

    def fail(self, name: str, error: BaseException) -> None:
        def clip(task: ClipTask, watch: ClipWatch) -> None:
            raise error

        self.acts[name] = clip


@dataclass(frozen=True)
class Bench:
    """A service on a state folder, with clips that do as they are told."""

    service: JobService
    parts: JobParts
    clips: FakeClips
    settings: Settings

    @property
    def store(self) -> JobStore:
        return self.parts.tools.store

    def submit(self, name: str = "clip.mp4") -> str:
        clip = self.settings.state_dir / "clips" / name
        clip.parent.mkdir(exist_ok=True)
        clip.touch()
        return self.service.submit(Order(name, str(clip))).job_id

    def finished(self, job_id: str) -> Job:
        job = self.service.wait(job_id, PATIENCE_S)
        assert job.finished
        return job

    def result(self, job_id: str) -> Path:
        """The folder of a complete job's result."""
        return self.service.drawing_folder(self.store.get(job_id))


@contextmanager
def bench(
    state_dir: Path,
    *,
    max_queue: int = 32,
    tend_every_s: float = 3600.0,
    with_nets: bool = True,
    **settings: object,
) -> Iterator[Bench]:
    """Not started yet; stopped at the end.

    The keeper looks as seldom as it may unless told: twice in `worker_timeout_s` at least.
    """
    chosen = Settings.model_validate(
        {"state_dir": state_dir, "max_queue": max_queue, "worker_timeout_s": 3600.0, **settings}
    )
    parts, clips = open_parts(chosen), FakeClips()
    service = JobService(
        chosen, clips if with_nets else None, tend_every_s=tend_every_s, parts=parts
    )
    try:
        yield Bench(service, parts, clips, chosen)
    finally:
        service.stop()
        service.close()
