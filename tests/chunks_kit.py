"""What tests of shared clips have in common: machines with a database and a storage of all."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from coloured_people import CYAN, YELLOW, Actor, Nets, scene, standing, without
from toy_engine import ToyDetector, ToyRegressor, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Observation, Regions
from pose_service.engines.seam import Engine
from pose_service.jobs.chunk_room import ChunkRoom
from pose_service.jobs.parts import JobParts, open_parts
from pose_service.jobs.records import JobOptions, JobState
from pose_service.jobs.service import JobService, Order
from pose_service.pipeline.frame_lines import FRAMES_NAME
from pose_service.runners import run_clip
from pose_service.runtime.metrics import Metrics

PATIENCE_S = 20.0
"""Far longer than anything here takes: a test that reaches it has found a hang."""


class Counting(ToyDetector, ToyRegressor):
    """The toy nets, which count the pictures that they are shown.

    From picture `held_at` on they wait until they are let go. `widths_px`: of the pictures that the
    detector was shown.
    """

    def __init__(self, held_at: int | None = None) -> None:
        self.observed = 0
        self.widths_px: list[int] = []
        self.let_go = threading.Event()
        self._held_at = held_at

    @property
    def detected(self) -> int:
        return len(self.widths_px)

    @property
    def holds(self) -> bool:
        """Whether somebody waits."""
        return self._held_at is not None and self.detected > self._held_at

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.widths_px += [image.shape[1] for image in images]
        if self.holds:
            assert self.let_go.wait(PATIENCE_S)
        return super().detect(images, look)

    def observe(
        self,
        images: Sequence[ImageArray],
        regions: Sequence[Regions],
        look: Look = Look.PICTURE,
    ) -> list[list[Observation]]:
        self.observed += len(images)
        return super().observe(images, regions, look)


def engine_of(nets: Counting, **changed: Any) -> Engine:
    return replace(toy_engine(), detector=nets, regressor=nets, **changed)


def walkers(path: Path, frames: int) -> Path:
    """A clip of somebody who walks and is hidden for a while, and somebody who stands."""
    seen = without(frames, range(70, 80))
    walker = Actor(YELLOW, seen, lambda i: (20 + i % 200, 40, 60 + i % 200, 200))
    return scene(path, frames, walker, Actor(CYAN, range(frames), standing(260)))


@dataclass(frozen=True)
class Machine:
    """A service with nets that works on the clips of all machines."""

    service: JobService
    parts: JobParts

    @property
    def room(self) -> ChunkRoom:
        assert self.parts.tools.chunks is not None
        return self.parts.tools.chunks

    @property
    def worker_id(self) -> str:
        assert self.service.worker is not None
        return self.service.worker.worker_id

    def submit(self, clip: Path, **options: Any) -> str:
        order = Order(clip.name, str(clip), options=JobOptions(**options))
        return self.service.submit(order).job_id

    def made(self, job_id: str) -> list[int]:
        """Numbers of the chunks that lie in the storage."""
        folder = self.parts.tools.storage.local(f"{job_id}/sights")
        assert folder is not None
        return sorted(int(path.stem.rpartition("-")[2]) for path in folder.glob("*.npz"))

    def result(self, job_id: str) -> list[dict[str, Any]]:
        """The frames of a job once it is complete, without what they cost."""
        job = self.service.wait(job_id, PATIENCE_S)
        assert job.state is JobState.COMPLETE, (job.state, job.error)
        frames = self.service.result(job) / FRAMES_NAME
        lines = [orjson.loads(line) for line in frames.read_bytes().splitlines()]
        return [{key: line[key] for key in set(line) - {"processing_ms"}} for line in lines]


@contextmanager
def machine(folder: Path, name: str, engine: Engine, **changed: Any) -> Iterator[Machine]:
    """One of those that share `folder`; not started yet, stopped at the end.

    They have no queue in common unless told: each one's keeper finds what there is to do.
    """
    settings = Settings.model_validate(
        {
            "state_dir": folder / name,
            "database_url": f"sqlite:///{folder / 'jobs.sqlite'}",
            "storage_url": (folder / "storage").as_uri(),
            "worker_timeout_s": 3600.0,
            **changed,
        }
    )
    nets, parts = Nets(engine), open_parts(settings)
    clips = partial(run_clip, settings, nets, Metrics())
    service = JobService(settings, clips, tend_every_s=0.05, parts=parts, nets=nets)
    try:
        yield Machine(service, parts)
    finally:
        service.stop()
        service.close()


def alone(folder: Path, clip: Path, engine: Engine, **options: Any) -> list[dict[str, Any]]:
    """What one worker makes of a clip."""
    folder.mkdir()
    with machine(folder, "one", engine, share_clips=False) as one:
        one.service.start()
        return one.result(one.submit(clip, **options))
