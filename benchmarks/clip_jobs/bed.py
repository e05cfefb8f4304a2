"""What the measurements of clip jobs run on: backends, clips, and machines that share them."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from makers import clip_file
from servers import postgres, redis

from benchmarks.figures import BenchmarkError, Setup
from benchmarks.service import ROOT, Asked, Client, RunningService, serving
from pose_service.media.decode import open_clip

SQLITE, SERVERS = "SQLite", "Redis and PostgreSQL"
WORK = ("-m", "pose_service", "worker")
EMBEDDED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
TOYS = {
    "POSE_ENGINE": "toy",
    "POSE_BODY": "toy_engine:body",
    "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'tests' / 'toys'}",
}
WAIT_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Backend:
    """Where jobs are kept. `empty(folder)`: settings of an empty one, with files below `folder`;
    None where it is not installed.
    """

    name: str
    empty: Callable[[Path], dict[str, str]] | None


@dataclass(frozen=True)
class Bed:
    """`setup`'s media and scratch folder, and the backends."""

    setup: Setup
    backends: Sequence[Backend]

    def piece(self, name: str, frames: int) -> Path:
        """The first frames of a clip at half its size, as a clip in the scratch folder."""
        path = self.setup.scratch / f"{frames}-{name}"
        if not path.is_file():
            images = [frame.image for frame in open_clip(self.setup.medium(name)).frames(frames)]
            height, width = (side // 4 * 4 for side in images[0].shape[:2])
            clip_file(path, [np.ascontiguousarray(i[:height:2, :width:2]) for i in images])
        return path


@contextmanager
def backends(scratch: Path) -> Iterator[list[Backend]]:
    """SQLite, and the servers where their programs are installed."""
    with ExitStack() as stack:
        found = [Backend(SQLITE, lambda folder: {})]
        try:
            broker = stack.enter_context(redis(scratch))
            database = stack.enter_context(postgres())
        except pytest.skip.Exception:
            yield [*found, Backend(SERVERS, None)]
            return

        def empty(folder: Path) -> dict[str, str]:
            database.empty()
            return {
                "POSE_DATABASE_URL": database.url,
                "POSE_QUEUE_URL": broker.url,
                "POSE_STORAGE_URL": f"file://{folder}/storage",
            }

        yield [*found, Backend(SERVERS, empty)]


@dataclass(frozen=True)
class Machines:
    """A front and its workers, all started with `settings`; `client` asks the front."""

    settings: Mapping[str, str]
    front: RunningService
    workers: Sequence[RunningService]
    client: Client

    def wait_ready(self) -> None:
        def ready() -> bool:
            workers = self.client.get("/health")["workers"]
            return [one["status"] for one in workers].count("ready") >= len(self.workers)

        wait_until(ready)

    def submit(self, clip: Path) -> None:
        asked = {"video_path": str(clip), "async": True}
        headers = {"Content-Type": "application/json"}
        request = Asked("POST", "/pose/video", json.dumps(asked).encode(), headers)
        self.client.ask(request, status=202)

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/jobs?limit=500")["jobs"]
        return found

    def wait_job(self, job_id: str) -> None:
        """Until this job is done."""
        wait_until(lambda: bool(self.client.get(f"/jobs/{job_id}")["done"]))

    def wait_done(self, count: int) -> list[dict[str, Any]]:
        """The jobs, when `count` of them are done; `BenchmarkError` unless all are complete."""

        def done() -> bool:
            counts = self.client.get("/jobs?limit=1")["counts"]
            return bool(counts["queued"] + counts["processing"] == 0)

        wait_until(done)
        jobs = self.jobs()
        if [job["state"] for job in jobs] != ["complete"] * count:
            raise BenchmarkError(f"{count} clips were sent, but the jobs are {jobs}")
        return jobs


@contextmanager
def machines(
    bed: Bed, backend: Backend, workers: int, settings: Mapping[str, str]
) -> Iterator[Machines]:
    """A front without nets and so many workers, on one empty state folder of their own."""
    assert backend.empty is not None
    folder = Path(mkdtemp(dir=bed.setup.scratch))
    shared = {
        **settings, **backend.empty(folder), "POSE_STATE_DIR": str(folder / "state"),
        "POSE_MAX_QUEUE": "1000",
    }  # fmt: skip
    with ExitStack() as stack:
        front = stack.enter_context(
            serving(bed.setup, settings={**shared, "POSE_FRONT_ONLY": "true"})
        )
        at_work = [stack.enter_context(serving(bed.setup, WORK, shared)) for _ in range(workers)]
        front.wait_open()
        with Client(front.port) as client:
            it = Machines(shared, front, at_work, client)
            it.wait_ready()
            yield it


@contextmanager
def joined(bed: Bed, it: Machines) -> Iterator[Machines]:
    """The same machines with one more worker."""
    with serving(bed.setup, WORK, it.settings) as worker:
        more = replace(it, workers=[*it.workers, worker])
        more.wait_ready()
        yield more


def wait_until(condition: Callable[[], bool]) -> None:
    """`BenchmarkError` if it does not come true in a minute."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > WAIT_S:
            raise BenchmarkError(f"nothing came of it in {WAIT_S:g} s")
        time.sleep(_LOOK_EVERY_S)
