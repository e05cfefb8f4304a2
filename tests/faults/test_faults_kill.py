"""kill -9 at random points: no clip is lost, none is done twice, every result is as it was."""

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from faults_kit import FRONT, TIMEOUT_S, Cluster, Count, cluster, told
from makers import clip_file
from servers import wait_for
from toy_engine import picture

pytestmark = pytest.mark.faults

KILLS = 10
FRAME_S = "0.03"


def blow(it: Cluster, names: list[str], pause_s: float) -> None:
    """Kill, wait, start again; then wait for the clips that may have been hit.

    Another blow at one of them would make it a poison clip, which is another test.
    """
    for name in names:
        it.processes[name].kill()
    time.sleep(pause_s)
    for name in names:
        it.processes[name].start()
    hit = [job["job_id"] for job in it.jobs() if job["attempts"] and not job["done"]]
    for job_id in hit:
        it.finished(job_id)


def started(folder: Path, shared: dict[str, str]) -> Cluster:
    it = Cluster(folder, {**shared, "TOY_FRAME_S": FRAME_S})
    it.add("front", "serve", **FRONT)
    it.add("worker1", "worker")
    it.add("worker2", "worker")
    it.ready()
    return it


@pytest.mark.parametrize("victims", [("worker1", "worker2"), ("front",), ("front", "worker1")])
def test_killing_workers_the_front_or_both_at_random_points_loses_and_doubles_nothing(
    shared: dict[str, str],
    clips: list[Path],
    tmp_path: Path,
    victims: tuple[str, ...],
    capfd: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(" ".join(victims))
    it = started(tmp_path, shared)
    try:
        ids = [it.submit(clip) for clip in clips]
        expected = [it.result(it.finished(job_id)["job_id"]) for job_id in ids]
        began_s = time.monotonic()
        for _ in range(KILLS):
            ids += [it.submit(clip) for clip in clips]
            time.sleep(chance.uniform(0, 1.0))
            # "both" are killed together, workers in turn
            hit = [*victims] if "front" in victims else [chance.choice(victims)]
            blow(it, hit, chance.uniform(0, 0.3))
        it.all_done()
        count = Count.of(it, ids, began_s)
        told(capfd.disabled, f"kill -9 {' and '.join(victims)}, {KILLS} times", count)
        assert (count.lost, count.duplicated, count.failed) == (0, 0, 0)
        assert count.completed == count.submitted == len(ids)
        assert count.interrupted or victims == ("front",), "no blow has hit anything"
        for number in chance.sample(range(len(ids)), 8):
            assert it.result(ids[number]) == expected[number % len(clips)]
    finally:
        for process in it.processes.values():
            process.kill()


def test_killing_the_one_process_of_a_single_machine_loses_nothing(
    clips: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(5)
    with cluster(tmp_path, TOY_FRAME_S=FRAME_S) as it:
        it.add("service", "serve")
        it.ready()
        began_s, ids = time.monotonic(), []
        for _ in range(4):
            ids += [it.submit(clip) for clip in clips[:2]]
            time.sleep(chance.uniform(0, 0.8))
            blow(it, ["service"], 0.0)
        it.all_done()
        count = Count.of(it, ids, began_s)
        told(capfd.disabled, "kill -9 serve on SQLite, 4 times", count)
        assert (count.lost, count.duplicated, count.failed) == (0, 0, 0)


def test_a_clip_that_kills_its_worker_twice_is_an_error_and_the_others_run(
    shared: dict[str, str], clips: list[Path], tmp_path: Path
) -> None:
    white = clip_file(tmp_path / "poison.mp4", [picture((0, 0, 320, 240))] * 5)
    it = started(tmp_path, shared)
    try:
        poison, good = it.submit(white), [it.submit(clip) for clip in clips]
        deadline_s = time.monotonic() + 60
        while not it.job(poison)["done"]:
            assert time.monotonic() < deadline_s
            for name in ("worker1", "worker2"):
                if not it.processes[name].running:
                    it.processes[name].start()
            time.sleep(0.1)
        job = it.job(poison)
        assert (job["state"], job["error_type"], job["attempts"]) == ("error", "INTERRUPTED", 2)
        for name in ("worker1", "worker2"):
            if not it.processes[name].running:
                it.processes[name].start()
        assert {it.finished(job_id)["state"] for job_id in good} == {"complete"}
    finally:
        for process in it.processes.values():
            process.kill()


def test_a_worker_that_is_asked_to_stop_gives_its_clip_back_at_once(
    shared: dict[str, str], tmp_path: Path
) -> None:
    long = clip_file(tmp_path / "long.mp4", [picture((40, 40, 90, 200))] * 200)
    it = started(tmp_path, shared)
    try:
        it.processes["worker2"].stop()
        job_id = it.submit(long)
        wait_for(lambda: it.job(job_id)["progress"]["frames_done"] > 0)
        assert it.processes["worker1"].stop() == 0
        job = it.job(job_id)
        assert (job["state"], job["attempts"]) == ("queued", 0)
        it.processes["worker2"].start()
        assert it.finished(job_id)["attempts"] == 1
        assert "Traceback" not in it.processes["worker1"].log
    finally:
        for process in it.processes.values():
            process.kill()


def test_a_worker_that_sleeps_loses_its_clip_and_what_it_brings_later_counts_for_nothing(
    shared: dict[str, str], tmp_path: Path
) -> None:
    clip = clip_file(tmp_path / "clip.mp4", [picture((40, 40, 90, 200))] * 60)
    it = started(tmp_path, shared)
    try:
        job_id = it.submit(clip)
        wait_for(lambda: it.job(job_id)["progress"]["frames_done"] > 0)
        health = it.patiently("GET", "/health")["workers"]
        [busy] = [one["worker"] for one in health if one["job_id"] == job_id] or [None]
        if busy is None:
            wait_for(lambda: any(one["job_id"] == job_id for one in _workers(it)))
            [busy] = [one["worker"] for one in _workers(it) if one["job_id"] == job_id]
        sleeper = next(
            process
            for name, process in it.processes.items()
            if name.startswith("worker") and busy.endswith(f":{process.pid}")
        )
        sleeper.signal(signal.SIGSTOP)
        asleep_at_s = time.monotonic()
        job = it.finished(job_id)
        assert (job["state"], job["attempts"]) == ("complete", 2)
        assert time.monotonic() - asleep_at_s >= TIMEOUT_S * 0.8
        frames = it.result(job_id)
        sleeper.signal(signal.SIGCONT)
        time.sleep(2.5)
        assert it.result(job_id) == frames
        assert sum(line.startswith("complete") for line in it.log_of(job_id)) == 1
        # and it is of use again
        wait_for(lambda: len(_workers(it)) == 2)
        it.finished(it.submit(clip))
    finally:
        for process in it.processes.values():
            process.kill()


def _workers(it: Cluster) -> list[Any]:
    found: list[Any] = it.patiently("GET", "/health")["workers"]
    return found
