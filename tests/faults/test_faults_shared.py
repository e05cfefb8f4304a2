"""kill -9 to one of two workers that share a clip: it comes out the same."""

import time
from pathlib import Path
from typing import Any

import pytest
from faults_kit import FRONT, Body, Cluster, Process, cluster
from makers import clip_file
from servers import wait_for
from toy_engine import picture

from pose_service.pipeline.sights import CHUNK_FRAMES

pytestmark = pytest.mark.faults

FRAMES = 5 * CHUNK_FRAMES
SHARED = "helped with chunk"


@pytest.fixture
def it(shared: dict[str, str], tmp_path: Path) -> Any:
    with cluster(tmp_path, **shared, TOY_FRAME_S="0.03") as made:
        made.add("front", "serve", **FRONT)
        for name in ("worker1", "worker2"):
            made.add(name, "worker")
        made.ready()
        yield made


def walk(path: Path, *, white: range = range(0)) -> Path:
    whole = (0, 0, 320, 240)
    boxes = [whole if i in white else (i % 200, 40, i % 200 + 60, 200) for i in range(FRAMES)]
    return clip_file(path, [picture(box) for box in boxes])


def of_role(it: Cluster, job_id: str, role: str) -> Process:
    """The worker whose clip it is, or the other one."""

    def listed() -> list[Body]:
        workers: list[Body] = it.patiently("GET", "/health")["workers"]
        return workers

    wait_for(lambda: any(one["job_id"] == job_id for one in listed()))
    [busy] = [one["worker"] for one in listed() if one["job_id"] == job_id]
    workers = [process for name, process in it.processes.items() if name.startswith("worker")]
    owner = next(process for process in workers if busy.endswith(f":{process.pid}"))
    return owner if role == "owner" else next(one for one in workers if one is not owner)


@pytest.mark.parametrize("role", ["owner", "helper"])
def test_a_shared_clip_comes_out_the_same_when_one_of_its_workers_is_killed(
    it: Cluster, tmp_path: Path, role: str
) -> None:
    clip = walk(tmp_path / "long.mp4")
    whole = it.submit(clip)
    assert it.finished(whole)["state"] == "complete"
    helped = sum(process.log.count(SHARED) for process in it.processes.values())
    assert helped >= 1, it.logs()
    broken = it.submit(clip)
    wait_for(lambda: sum(one.log.count(SHARED) for one in it.processes.values()) > helped)
    of_role(it, broken, role).kill()
    job = it.finished(broken)
    assert (job["state"], job["attempts"]) == ("complete", 2 if role == "owner" else 1)
    assert it.result(broken) == it.result(whole)


def test_frames_that_kill_who_looks_at_them_are_shown_to_no_second_helper(
    it: Cluster, tmp_path: Path
) -> None:
    job_id = it.submit(walk(tmp_path / "poison.mp4", white=range(130, 140)))
    deaths, until_s = 0, time.monotonic() + 60
    while not it.job(job_id)["done"]:
        assert time.monotonic() < until_s, it.logs()
        for name in ("worker1", "worker2"):
            if not it.processes[name].running:
                deaths += 1
                it.processes[name].start()
        time.sleep(0.1)
    job = it.job(job_id)
    assert (job["state"], job["error_type"]) == ("error", "INTERRUPTED")
    assert deaths <= 3, "a helper, and the owner twice"
