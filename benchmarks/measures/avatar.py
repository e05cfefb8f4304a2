"""A photograph to a measured avatar: the whole way of a job, and its steps."""

import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.measures.stages import LOAD_WAIT_S, running
from benchmarks.stopwatch import SECONDS_TO_MS
from pose_service.avatar.free.rest import rest_mesh
from pose_service.avatar.make import make_avatar
from pose_service.avatar.pictures import pictures_of
from pose_service.avatar.records import Gender, Wish
from pose_service.avatar.steps import steps_of
from pose_service.bodies.anny import AnnyBody
from pose_service.measurement.extract import measure
from pose_service.measurement.surface import ClosedFaces, RestBody
from pose_service.pipeline.video import ClipWatch
from pose_service.runtime.hub import ModelHub

PHOTOGRAPH = "coco_000000000785.jpg"
WISH = Wish(Gender.FEMALE, height_cm=168.0)
ROUNDS = 7
GOAL_MS, MEASURE_GOAL_MS = 3000.0, 30.0


def run(setup: Setup) -> list[Figure]:
    with running(ModelHub(setup.settings)) as hub:
        return _figures(setup, hub)


def _figures(setup: Setup, hub: ModelHub) -> list[Figure]:
    first_ms, _ = _made(setup, hub)
    rounds = [_made(setup, hub) for _ in range(ROUNDS)]
    stages: dict[str, list[float]] = defaultdict(list)
    for _, by_stage in rounds:
        for stage, ms in by_stage.items():
            stages[stage].append(ms)
    whole = [ms for ms, _ in rounds]
    return [
        Figure(
            f"`{PHOTOGRAPH}` to its record and files", "ms", whole, Goal(GOAL_MS), "the two sheets"
        ),
        Figure("the first of a process", "ms", [first_ms], Goal(GOAL_MS), "loading matplotlib"),
        *(Figure(f"of it {stage}", "ms", samples) for stage, samples in stages.items()),
        Figure("nine measures of one mesh", "ms", _measured_ms(), Goal(MEASURE_GOAL_MS)),
    ]


def _made(setup: Setup, hub: ModelHub) -> tuple[float, dict[str, float]]:
    """Milliseconds of the whole, and of each stage."""
    marks: list[tuple[str, float]] = [("decoding", time.perf_counter())]
    watch = ClipWatch(lambda stage, _done, _total: marks.append((stage, time.perf_counter())))
    engine = hub.wait(LOAD_WAIT_S)
    with TemporaryDirectory(dir=setup.scratch) as folder:
        pictures = pictures_of(setup.medium(PHOTOGRAPH), setup.settings.max_pixels)
        steps = steps_of(setup.settings, engine, hub, WISH)
        make_avatar(pictures, engine, WISH, Path(folder), steps, watch)
        marks.append(("end", time.perf_counter()))
    ends = [at for _, at in marks[1:]]
    spent = [
        (stage, SECONDS_TO_MS * (end - at)) for (stage, at), end in zip(marks, ends, strict=False)
    ]
    return sum(ms for _, ms in spent), dict(spent)


def _measured_ms() -> list[float]:
    mesh = rest_mesh(AnnyBody.load())
    surface = ClosedFaces.of(mesh.faces)
    samples = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        measure(RestBody(mesh.vertices_m, surface, mesh.joints_m))
        samples.append(SECONDS_TO_MS * (time.perf_counter() - started))
    return samples


MEASURE = Measure(
    "Avatars",
    "A photograph of one person as a job works on it, with the embedded engine: decoding, "
    "networks, picture check, fit of the free body, nine measures with bands, and all files. "
    "Storing them and the queue are left out.",
    run,
)
