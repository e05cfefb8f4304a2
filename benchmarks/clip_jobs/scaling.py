"""Two workers on two cores beside one on one core."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.clip_jobs.bed import EMBEDDED, Backend, Bed, Machines, joined, machines
from benchmarks.clip_jobs.taking_in import MISSING
from benchmarks.figures import BenchmarkError, Figure, Goal, Measure
from benchmarks.measures.clip import CLIP
from benchmarks.service import ROOT

FRAMES, CLIPS, ROUNDS = 12, 8, 2
BARE_TIMES = CLIPS
GOAL = Goal(1.8, at_least=True)
S_PER_MIN = 60.0


def figures(bed: Bed) -> list[Figure]:
    if len(os.sched_getaffinity(0)) < 2:
        raise BenchmarkError("two workers on two cores need two cores")
    clip = bed.piece(CLIP, FRAMES)
    one, two = zip(*(_bare(clip) for _ in range(ROUNDS)), strict=True)
    return [
        Figure("without jobs: one bare process", "clips/min", one),
        Figure("without jobs: two bare processes to one", "times", ratios(two, one),
               bound="what two cores of this machine give, whatever the jobs do"),
        *(figure for backend in bed.backends for figure in _through_jobs(bed, backend, clip)),
    ]  # fmt: skip


def ratios(two: Sequence[float], one: Sequence[float]) -> list[float]:
    return [many / few for many, few in zip(two, one, strict=True)]


def _through_jobs(bed: Bed, backend: Backend, clip: Path) -> list[Figure]:
    names = [f"{what}, {backend.name}" for what in ("one worker", "two workers", "two to one")]
    if backend.empty is None:
        return [Figure(names[-1], "times", [], GOAL, MISSING)]
    with machines(bed, backend, 1, EMBEDDED) as it:
        one = [_rate(it, clip)]
        with joined(bed, it) as both:
            two = [_rate(both, clip) for _ in range(2)]
        one.append(_rate(it, clip))
    bound = "the same cores serve front, servers and the measuring, too; the last clip's end"
    return [
        Figure(names[0], "clips/min", one),
        Figure(names[1], "clips/min", two),
        Figure(names[2], "times", ratios(two, one), GOAL, bound),
    ]


def _rate(it: Machines, clip: Path) -> float:
    """Clips per minute, from the first one's start to the last one's end."""
    for worker, core in zip(it.workers, sorted(os.sched_getaffinity(0)), strict=False):
        pin(worker.process.pid, core)
    before = len(it.jobs()) + len(it.workers)
    for _ in it.workers:
        it.submit(clip)
    it.wait_done(before)
    for _ in range(CLIPS):
        it.submit(clip)
    counted = it.wait_done(before + CLIPS)[:CLIPS]
    began_s: float = min(job["started_at"] for job in counted)
    ended_s: float = max(job["completed_at"] for job in counted)
    return S_PER_MIN * CLIPS / (ended_s - began_s)


def pin(pid: int, core: int) -> None:
    """All threads of a process to one core; those that it starts later, too."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def _bare(clip: Path) -> tuple[float, float]:
    """Clips per minute of one pinned process without jobs, and of two at once."""
    return _bare_rate(clip, 1), _bare_rate(clip, 2)


def _bare_rate(clip: Path, processes: int) -> float:
    command = [sys.executable, "-m", "benchmarks.clip_jobs.bare", str(clip), str(BARE_TIMES)]
    environ = {**os.environ, **EMBEDDED, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=environ, text=True,
                                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(processes)
        ]  # fmt: skip
        for process, core in zip(started, sorted(os.sched_getaffinity(0)), strict=False):
            _line(process)
            pin(process.pid, core)
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        took_s = max(float(_line(process)) for process in started)
    return S_PER_MIN * processes * BARE_TIMES / took_s


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    if not (line := process.stdout.readline()):
        raise BenchmarkError("a bare process ended before it was done")
    return line


MEASURE = Measure(
    "Clip jobs: two workers beside one",
    f"{CLIPS} clips (the first {FRAMES} frames of `{CLIP}` at half its size, by path) through a "
    "front and workers on the embedded engine, each worker pinned to a core of its own and with "
    "one thread for NumPy; from the first clip's start to the last one's end by the jobs' own "
    "records, after a clip per worker that is not counted. One worker, twice two, one again. The "
    "yardstick is the same work in pinned processes without front, queue and records.",
    figures,
)
