"""A clip of one person through all of the service but HTTP and the answer, on a card."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.figures import Figure, Measure
from benchmarks.official.bench import Bench, Variant, let_go
from benchmarks.official.goals import EVERY_FIFTH, EVERY_FRAME, GPU_MEMORY, ON_CARD
from benchmarks.official.nets import NetRuns
from benchmarks.official.parts import PERSON_XYXY_PX, moving_clip
from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Look, Provenance, Regions
from pose_service.engines.seam import Detector, Engine
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub

FRAMES = 240
ROUNDS = 2
LOAD_WAIT_S = 500.0
_DETECT_EVERY = {EVERY_FRAME: 1, EVERY_FIFTH: 5}
_BOUND = {EVERY_FRAME: "the detector", EVERY_FIFTH: "a crop at a time: regions follow each other"}


@dataclass(frozen=True)
class OneFind:
    """Lets `detector` do its work, and answers one standing person whatever it found.

    Stand-in weights find nobody, or a hundred; what a clip costs depends on how many there are.
    """

    detector: Detector

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.detector.detect(images, look)
        person = Regions.of_boxes(np.array([PERSON_XYXY_PX]))
        return [replace(person, track_ids=np.array([NEW_TRACK]))] * len(images)


@dataclass(frozen=True)
class ClipTimes:
    """Frames a second of each round, the most GPU memory, and people observed in a frame."""

    frames_per_s: list[float]
    gpu_gb: float
    people: float


def figures(runs: NetRuns) -> list[Figure]:
    clip = moving_clip(runs.bench.scratch / "clip.mp4", FRAMES)
    return [
        figure
        for how in runs.bench.compiles
        for name, every in _DETECT_EVERY.items()
        for figure in _figures(name, how, clip_times(runs.bench, clip, how, every))
    ]


def _figures(name: str, how: str, times: ClipTimes) -> Iterator[Figure]:
    words = f"{name}: {Variant('bf16', how).words}"
    unit, goal = ON_CARD[name]
    yield Figure(words, unit, times.frames_per_s, goal, _BOUND[name])
    unit, goal = ON_CARD[GPU_MEMORY]
    yield Figure(f"{GPU_MEMORY}, {words}", unit, [times.gpu_gb], goal)
    yield Figure(f"people seen per frame, {words}", "", [times.people])


def clip_times(bench: Bench, clip: Path, how: str, every: int) -> ClipTimes:
    """Of a fresh engine; the first run of the clip is not counted."""
    let_go()
    with _hub(bench, how, every) as hub:
        _seconds(clip, hub)
        taken = [_seconds(clip, hub) for _ in range(ROUNDS)]
        return ClipTimes(
            [frames / seconds for frames, _, seconds in taken],
            _gpu_gb(bench.device),
            taken[-1][1] / taken[-1][0],
        )


def _seconds(clip: Path, hub: ModelHub) -> tuple[int, int, float]:
    """Frames, people observed in all of them, and seconds until the result is stored."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        started = time.perf_counter()
        write_result(scratch, process_clip(clip, hub, ClipOptions(), scratch, ClipWatch()))
        seconds = time.perf_counter() - started
        frames = list(StoredClip.open(scratch).frames())
    people = [person for frame in frames for person in frame.people]
    seen = sum(person.provenance is Provenance.OBSERVED for person in people)
    return len(frames), seen, seconds


@contextmanager
def _hub(bench: Bench, how: str, every: int) -> Iterator[ModelHub]:
    """As in the service: built on the thread that then runs it, as CUDA graphs want it."""
    precision = "bf16" if bench.on_card else "fp32"
    settings = bench.settings(precision=precision, compile=how, detect_every=every)
    hub = ModelHub(settings, lambda asked: (_with_one_find(bench.build(asked)), "measured"))
    hub.start()
    try:
        hub.wait(LOAD_WAIT_S)
        yield hub
    finally:
        hub.stop()


def _with_one_find(engine: Engine) -> Engine:
    return replace(engine, detector=OneFind(engine.detector))


def _gpu_gb(device: torch.device) -> float:
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0


CLIPS = Measure(
    "4dhumans: clips on a card",
    f"A clip of {FRAMES} frames of 1280 x 720 pixels from its file to the stored result: decoding, "
    "both nets, tracking, smoothing. The detector does all its work, but what it answers is one "
    "and the same standing person, for with stand-in weights it finds none. Memory is what torch "
    "has handed out at most, loading and trying the nets included.",
    figures,
)
