"""Memory and open files of a front and two workers, from the first quarter to the last."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.clip_jobs.bed import EMBEDDED, Backend, Bed, Machines, machines
from benchmarks.clip_jobs.taking_in import MISSING
from benchmarks.figures import Figure, Goal, Measure
from benchmarks.measures.clip import CLIP
from benchmarks.memory_use import open_files, rss_mb

FRAMES, ROUNDS, CLIPS_A_ROUND, WARM_UP = 4, 8, 5, 12
GOAL_MB, GOAL_FILES = Goal(8), Goal(4)


def figures(bed: Bed) -> list[Figure]:
    return [figure for backend in bed.backends for figure in _of(bed, backend)]


def _of(bed: Bed, backend: Backend) -> Iterator[Figure]:
    if backend.empty is None:
        yield Figure(f"memory of any process, {backend.name}", "MB", [], GOAL_MB, MISSING)
        yield Figure(f"descriptors of any process, {backend.name}", "", [], GOAL_FILES, MISSING)
        return
    clip = bed.piece(CLIP, FRAMES)
    uses: dict[str, list[tuple[float, int]]] = {"front": [], "worker 1": [], "worker 2": []}
    with machines(bed, backend, 2, {**EMBEDDED, "POSE_THREADS": "4"}) as it:
        for number in range(1 + ROUNDS):
            for _ in range(CLIPS_A_ROUND if number else WARM_UP):
                it.submit(clip)
            it.wait_done(WARM_UP + number * CLIPS_A_ROUND)
            if number:
                _note(it, uses)
    yield from grown(uses, backend.name)


def _note(it: Machines, uses: Mapping[str, list[tuple[float, int]]]) -> None:
    for used, service in zip(uses.values(), (it.front, *it.workers), strict=True):
        used.append((rss_mb(service.process.pid), open_files(service.process.pid)))


def grown(uses: Mapping[str, Sequence[tuple[float, int]]], where: str) -> Iterator[Figure]:
    """Growth of each process, the quarters told by their middles."""
    for name, used in uses.items():
        quarter = len(used) // 4
        (first_mb, first_files), (last_mb, last_files) = (
            [median(column) for column in zip(*part, strict=True)]
            for part in (used[:quarter], used[-quarter:])
        )
        kept = f"the allocator; {last_mb:.0f} MB at the end"
        memory = f"memory of the {name}, {where}"
        yield Figure(memory, "MB", [last_mb - first_mb], GOAL_MB, kept)
        kept = f"connections that are kept; {last_files:.0f} at the end"
        files = f"descriptors of the {name}, {where}"
        yield Figure(files, "", [last_files - first_files], GOAL_FILES, kept)


MEASURE = Measure(
    "Clip jobs: what grows",
    f"{ROUNDS * CLIPS_A_ROUND} clips of {FRAMES} frames through a front and two workers on the "
    f"embedded engine, after {WARM_UP} that are not counted: growth from the first quarter to the "
    "last, read when all clips so far are done. `tests/faults/test_faults_soak.py` does it with "
    "200 clips, uploads and followers, and looks for files and threads that are left, too.",
    figures,
)
