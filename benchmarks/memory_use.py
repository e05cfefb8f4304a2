"""Memory and open files of a process and of everything it started, as Linux counts them."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import BenchmarkError

KB_PER_MB = 1024


def rss_mb(pid: int) -> float:
    """Megabytes (2**20) held now, summed over the processes; shared pages count in each."""
    return _sum_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most that each of the processes ever held, summed; the kernel misses no peak."""
    return _sum_mb(pid, "VmHWM")


def open_files(pid: int) -> int:
    """Descriptors that are open now, summed over the processes."""
    return sum(len(list(Path(f"/proc/{process}/fd").iterdir())) for process in _family(pid))


def _sum_mb(pid: int, field: str) -> float:
    return sum(_status_kb(process, field) for process in _family(pid)) / KB_PER_MB


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _status_kb(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        raise BenchmarkError(f"{status} is not there: memory is measured on Linux only")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines[field].split()[0])
