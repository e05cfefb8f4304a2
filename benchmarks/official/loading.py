"""Loading both nets: time, memory, and how often their files are read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import BenchmarkError, Figure, Goal, Measure
from benchmarks.official.bench import Bench
from benchmarks.official.nets import NetRuns
from benchmarks.service import ROOT

MODULE = "benchmarks.official.load_nets"
LIMIT_S = 180.0
_MEMORY_GOAL = Goal(1.3)
# the directory and the process's own libraries are read, too
_READ_GOAL = Goal(1.02)

Took = dict[str, Any]


def figures(runs: NetRuns) -> list[Figure]:
    precisions = ("bf16",) if runs.bench.on_card else ("fp32", "bf16")
    loaded = [
        figure
        for precision in precisions
        for figure in of_both(precision, load(runs.bench, precision))
    ]
    name = "read from files by all requests after the engine was ready"
    served_mb = [run.read_mb for run in runs.timed]
    return [*loaded, Figure(name, "MB", served_mb, Goal(1), "nothing is left to be loaded")]


def of_both(precision: str, took: Took) -> Iterator[Figure]:
    """`took`: what `load_nets` prints."""
    for net, first_s in took["first_s"].items():
        words, again_s = f"{net}, {precision}", took["again_s"][net]
        yield Figure(
            f"{words}: its file read plainly", "s", [took["read_s"][net]], bound="the disk"
        )
        yield Figure(f"{words}: loaded", "s", [first_s], bound="reading the file, once")
        yield Figure(f"{words}: loaded again, its file in memory", "s", [again_s])
    size = took["file_bytes"]
    disk, peak, own = (took[name] / size for name in ("disk_bytes", "peak_bytes", "own_bytes"))
    share = f"of it {own:.2f} are its own, the rest pages of the files"
    yield Figure(
        f"read from the disk, to both files' size: {precision}", "times", [disk], _READ_GOAL
    )
    yield Figure(
        f"most memory, to both files' size: {precision}", "times", [peak], _MEMORY_GOAL, share
    )


def load(bench: Bench, precision: str) -> Took:
    """In a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", MODULE, bench.data_dir, precision, bench.device.type],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode:
        raise BenchmarkError(f"{bench.data_dir}: nets cannot be loaded: {done.stderr[-500:]}")
    took: Took = json.loads(done.stdout)
    return took


LOADING = Measure(
    "4dhumans: loading",
    "Both nets one after the other by the service's own functions in a fresh process, after the "
    "kernel was asked to drop their files from memory (a disk's or host's own cache may still hold "
    "them, so the second reading can be the faster one). Memory is the process's high-water mark "
    "less that before loading. The last row counts what the process of the measurements above read "
    "from files while it answered.",
    figures,
)
