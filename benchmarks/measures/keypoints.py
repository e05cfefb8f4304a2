"""Keypoints of a clip and what is measured in them, in processor time."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.measures.clip import CLIP
from benchmarks.measures.stages import running
from benchmarks.stopwatch import SECONDS_TO_MS
from pose_service.legacy.pose_clip import PoseAnswer
from pose_service.pipeline.keypoint_clip import MeasuredClip
from pose_service.pipeline.keypoint_results import StoredKeypoints, write_keypoints
from pose_service.pipeline.keypoint_run import KeypointJob, KeypointMaker
from pose_service.pipeline.keypoint_tracks import curves_of, measured
from pose_service.pipeline.keypoint_wish import Angles, KeypointWish
from pose_service.pipeline.video import ClipOptions, ClipWatch
from pose_service.pose2d.config import BiomechanicsConfig
from pose_service.pose2d.seam import NotChosen
from pose_service.runtime.hub import ModelHub

ROUNDS = 3
CLIP_GOAL_MS, MEASURES_GOAL_MS = 45.0, 0.3


def run(setup: Setup) -> list[Figure]:
    with running(ModelHub(setup.settings)) as hub, TemporaryDirectory() as scratch:
        return _figures(setup.medium(CLIP), hub, Path(scratch))


def _figures(clip: Path, hub: ModelHub, folder: Path) -> list[Figure]:
    maker = KeypointMaker(hub, NotChosen("not measured here", ""))
    job = KeypointJob(clip, Angles.AUTO, folder)
    seen = [
        cpu_ms(lambda: write_keypoints(folder, maker.run(job, ClipOptions(), ClipWatch())))
        for _ in range(ROUNDS)
    ]
    stored = StoredKeypoints.open(folder)
    count = stored.head.info.frame_count

    def figure(name: str, spent: list[float], goal: Goal | None = None, bound: str = "") -> Figure:
        return Figure(name, "ms", [ms / count for ms in spent], goal, bound)

    def repeated(step: Callable[[], object]) -> list[float]:
        return [cpu_ms(step) for _ in range(ROUNDS)]

    whose = f"`{CLIP}`, keypoints and bodies of one runner"
    return [
        figure(whose, seen, Goal(CLIP_GOAL_MS), "the landmark network"),
        figure(
            "biomechanics of one person", repeated(_measure_all(stored)), Goal(MEASURES_GOAL_MS)
        ),
        figure(
            "keypoints read from disk and measured",
            repeated(lambda: MeasuredClip.of(stored, KeypointWish())),
        ),
        figure("the whole answer from disk", repeated(lambda: _write_answer(stored))),
    ]


def cpu_ms(step: Callable[[], object]) -> float:
    """Of all cores together, so that other work of the machine is left out."""
    started = time.process_time()
    step()
    return SECONDS_TO_MS * (time.process_time() - started)


def _measure_all(stored: StoredKeypoints) -> Callable[[], None]:
    """Smoothing, measures and their records of everybody in every frame."""
    curves = curves_of(stored).tracks

    def step() -> None:
        for one in curves.values():
            for _ in measured(one, KeypointWish(), stored.head.model.axes).movement.frames():
                pass

    return step


def _write_answer(stored: StoredKeypoints) -> int:
    """Its length, in bytes."""
    answer = PoseAnswer(stored, KeypointWish(), BiomechanicsConfig(), {})
    return sum(map(len, answer.write()))


MEASURE = Measure(
    "Keypoints",
    "A clip sent to `/pose` as a job works on it, with the embedded engine: decoding, networks, "
    "body fit, smoothing, keypoints onto disk; then what is made of them when somebody asks. "
    "Processor time per frame, of all cores together: what else the machine does is left out, and "
    "by the clock it is less on two cores that are free.",
    run,
)
