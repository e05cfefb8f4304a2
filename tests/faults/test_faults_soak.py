"""Many clips through a front and two workers: memory, descriptors, threads and files stay flat."""

import os
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from faults_kit import FRONT, Cluster, Count, cluster, told
from servers import wait_for

pytestmark = pytest.mark.faults

ROUNDS = 8
THREADS, WARM_UP = 8, 32
NAMES = ("front", "worker1", "worker2")


@dataclass(frozen=True)
class Use:
    """What one process holds, with its children."""

    megabytes: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> "Use":
        root = psutil.Process(pid)
        family = [root, *root.children()]
        return cls(
            round(sum(one.memory_info().rss for one in family) / 2**20, 1),
            sum(one.num_fds() for one in family),
            sum(one.num_threads() for one in family),
        )


def growth(rounds: list[Use]) -> Use:
    """From the first quarter to the last, each told by its middle."""
    quarter = len(rounds) // 4
    first, last = rounds[:quarter], rounds[-quarter:]

    def grown(name: str) -> float:
        before, after = ([getattr(use, name) for use in part] for part in (first, last))
        return statistics.median(after) - statistics.median(before)

    return Use(round(grown("megabytes"), 1), int(grown("descriptors")), int(grown("threads")))


@pytest.fixture(params=["SQLite", "Redis and PostgreSQL"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """A front and two workers on one state folder, or each on its own with everything shared."""
    if request.param == "SQLite":
        settings = {"POSE_STATE_DIR": str(tmp_path / "state")}
    else:
        settings = request.getfixturevalue("shared")
    with cluster(tmp_path, **settings, TOY_FRAME_S="0", POSE_THREADS=str(THREADS)) as it:
        it.add("front", "serve", **FRONT)
        it.add("worker1", "worker")
        it.add("worker2", "worker")
        it.ready()
        yield it


def test_a_few_clips_through_two_workers_leave_no_descriptor_thread_or_file(
    machines: Cluster, clips: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    soaked(machines, clips, 3, capfd)


@pytest.mark.slow
def test_two_hundred_clips_through_two_workers_leave_memory_and_all_else_as_it_was(
    machines: Cluster, clips: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    # a leak of 0.06 MB a clip would show as 4.5 MB in a worker that does half of 150 clips
    soaked(machines, clips, 25, capfd, most_mb=4)


def soaked(
    it: Cluster,
    clips: list[Path],
    clips_a_round: int,
    capfd: pytest.CaptureFixture[str],
    most_mb: float = 12,
) -> None:
    """All is done, none twice, and nothing has grown by more than what comes and goes by itself."""
    began_s, ids = time.monotonic(), warmed_up(it, clips)
    used: dict[str, list[Use]] = {name: [] for name in NAMES}
    for _ in range(ROUNDS):
        ids += sent(it, clips, clips_a_round)
        for name, uses in used.items():
            uses.append(Use.of(it.processes[name].pid))
    count = Count.of(it, ids, began_s)
    grown = {name: growth(uses) for name, uses in used.items()}
    told(capfd.disabled, f"soak, grown from the first quarter to the last: {grown}", count)
    assert count.completed == count.submitted == WARM_UP + ROUNDS * clips_a_round
    assert (count.failed, count.lost, count.duplicated, count.interrupted) == (0, 0, 0, 0)
    for name, more in grown.items():
        assert more.megabytes <= most_mb, (name, used[name])
        assert more.descriptors <= 4 and more.threads <= 1, (name, used[name])
    wait_for(lambda: all(follow_and_leave(it, ids[0]) for _ in range(THREADS // 2)))
    assert_only_results_are_left(it, ids)


def warmed_up(it: Cluster, clips: list[Path]) -> list[str]:
    """Clips of many callers at once: every thread that answers is there and has opened one."""
    with ThreadPoolExecutor(2 * THREADS) as callers:
        ids = list(callers.map(lambda number: it.submit(clips[number % 4]), range(WARM_UP)))
    it.all_done()
    return ids


def sent(it: Cluster, clips: list[Path], count: int) -> list[str]:
    """Clips by path and as uploads, every third of them followed and left; done when it returns."""
    ids = []
    for number in range(count):
        clip = clips[number % len(clips)]
        ids.append(it.upload(clip) if number % 2 else it.submit(clip))
        if number % 3 == 0:
            follow_and_leave(it, ids[-1])
    it.all_done()
    return ids


def follow_and_leave(it: Cluster, job_id: str) -> bool:
    """Whether the follower was let in: half of the threads are for followers."""
    with socket.create_connection(("127.0.0.1", it.port)) as line:
        line.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = line.recv(100)
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), answer
    return answer.startswith(b"HTTP/1.1 200")


def assert_only_results_are_left(it: Cluster, ids: list[str]) -> None:
    """A job has its result and, if it was sent, its clip; without jobs there is nothing."""
    storage = storage_of(it)
    assert sorted(os.listdir(storage)) == sorted(ids)
    for job_id in ids:
        claims = [path for path in (storage / job_id).iterdir() if path.is_dir()]
        assert [claim.name for claim in claims] == ["1"], job_id
    # the work folder goes a moment after the job is complete
    wait_for(lambda: scratch_of(it) == [])
    for job_id in ids:
        it.patiently("DELETE", f"/jobs/{job_id}?remove=true")
    assert os.listdir(storage) == []
    assert scratch_of(it) == []


def storage_of(it: Cluster) -> Path:
    if "POSE_STORAGE_URL" in it.settings:
        return Path(it.settings["POSE_STORAGE_URL"].removeprefix("file://"))
    return Path(it.settings["POSE_STATE_DIR"]) / "jobs"


def scratch_of(it: Cluster) -> list[Path]:
    """What lies in the folders of files that come and go."""
    homes = {Path(it.settings.get("POSE_STATE_DIR", it.folder / name)) for name in NAMES}
    return [path for home in homes for room in ("work", "uploads", "cache")
            for path in (home / room).iterdir()]  # fmt: skip
