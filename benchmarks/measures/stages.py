"""Where the time of a clip goes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, Measure, Setup
from benchmarks.measures.clip import CLIP, count_frames
from benchmarks.stopwatch import SECONDS_TO_MS, Stopwatch
from pose_service.core.config import Settings
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import Engine
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.frame import Maker
from pose_service.legacy.options import AnswerOptions
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub

LOAD_WAIT_S = 60.0
# Spent inside a stage that is listed, and what of that stage is then left.
PARTS = {
    "first pass": {"detect": "detector, every tenth frame", "observe": "landmarks"},
    "second pass": {"solve": "body fit", "smooth": "smoothing"},
    "answer": {"pose": "meshes"},
}
RESTS = {
    "first pass": "waiting for pictures, tracking, log",
    "second pass": "log, gaps, storing",
    "answer": "JSON",
}


def run(setup: Setup) -> list[Figure]:
    clip = setup.medium(CLIP)
    watch = Stopwatch()
    watch.timed("decode", count_frames)(clip)
    with watched_nets(setup.settings, watch) as hub:
        _process(clip, hub, watch)
    frames = count_frames(clip)
    return figures({name: SECONDS_TO_MS * s / frames for name, s in watch.seconds.items()})


def figures(spent_ms: Mapping[str, float]) -> list[Figure]:
    """Each stage, its parts, and what is left of it."""
    rows = [("decoding alone; in a clip it runs beside the nets", spent_ms["decode"])]
    for stage, parts in PARTS.items():
        rows.append((stage, spent_ms[stage]))
        rows += [(f"– {words}", spent_ms[part]) for part, words in parts.items()]
        rows.append((f"– {RESTS[stage]}", spent_ms[stage] - sum(spent_ms[part] for part in parts)))
    rows.append(("the three passes together", sum(spent_ms[stage] for stage in PARTS)))
    return [Figure(name, "ms", [ms]) for name, ms in rows]


def _process(clip: Path, hub: ModelHub, watch: Stopwatch) -> None:
    """One clip as a job does it, its answer thrown away."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        first_pass, second_pass = watch.timed("first pass", process_clip), write_result
        clip_run = first_pass(clip, hub, ClipOptions(), scratch, ClipWatch())
        watch.timed("second pass", second_pass)(scratch, clip_run)
        maker, options = Maker.of(hub.wait(0)), AnswerOptions()
        answer = ClipAnswer.whole(StoredClip.open(scratch), maker, options, {})
        watch.timed("answer", lambda: sum(map(len, answer.write())))()


@contextmanager
def watched_nets(settings: Settings, watch: Stopwatch) -> Iterator[ModelHub]:
    """The hub with an engine whose parts are timed."""

    def build(settings: Settings) -> tuple[Engine, str]:
        engine, reason = build_engine(settings)
        return watch.watched(engine), reason

    with running(ModelHub(settings, build)) as hub:
        yield hub


@contextmanager
def running(hub: ModelHub) -> Iterator[ModelHub]:
    """`hub` with its engine loaded."""
    hub.start()
    try:
        hub.wait(LOAD_WAIT_S)
        yield hub
    finally:
        hub.stop()


MEASURE = Measure(
    "Where the time of a clip goes",
    "The same clip in one process without HTTP, per frame. The first pass decodes, detects and "
    "tracks frame by frame; the second one fits and smooths bodies in batches; then the answer is "
    "written. Decoding runs ahead in a thread of its own, so it costs only what the processor has "
    "not left over: on few cores it takes time from the networks.",
    run,
)
