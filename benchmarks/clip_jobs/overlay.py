"""Drawing and encoding a finished clip beside the engine that made it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.clip_jobs.bed import Bed
from benchmarks.clip_jobs.scaling import ratios
from benchmarks.figures import Figure, Goal, Measure
from benchmarks.measures.clip import CLIP
from benchmarks.measures.stages import LOAD_WAIT_S, watched_nets
from benchmarks.stopwatch import SECONDS_TO_MS, Stopwatch, time_ms
from pose_service.core.arrays import ImageArray
from pose_service.media.decode import open_clip
from pose_service.media.encode import ClipWriter
from pose_service.pipeline.drawing import Overlay
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub

CLIPS = (CLIP, "p2s_multi1.mp4")
FRAMES, ROUNDS = 20, 2
GOAL = Goal(1.0, at_least=True)


def figures(bed: Bed) -> list[Figure]:
    with watched_nets(bed.setup.settings, Stopwatch()) as hub:
        return [figure for name in CLIPS for figure in _of(bed.setup.medium(name), hub)]


def _of(clip: Path, hub: ModelHub) -> Iterator[Figure]:
    taken_ms = [in_turn_ms(clip, hub) for _ in range(ROUNDS)]
    engine, overlay, film = (
        [SECONDS_TO_MS * FRAMES / ms for ms in one] for one in zip(*taken_ms, strict=True)
    )
    name = f"`{clip.name}`"
    yield Figure(f"{name}: engine", "frames/s", engine)
    yield Figure(f"{name}: overlay", "frames/s", overlay)
    yield Figure(f"{name}: of it colours and encoding", "frames/s", film, bound="libx264")
    yield Figure(f"{name}: encoding to engine", "times", ratios(film, engine), GOAL, "libx264")
    bound = "both cores are full: libx264, then drawing bodies, then the decoder"
    yield Figure(f"{name}: overlay to engine", "times", ratios(overlay, engine), GOAL, bound)


def in_turn_ms(clip: Path, hub: ModelHub) -> tuple[float, float, float]:
    """Milliseconds of the engine's passes over a clip, of its overlay, of encoding that again."""
    with TemporaryDirectory() as folder:
        result = Path(folder)
        options = ClipOptions(max_frames=FRAMES)
        engine_ms = time_ms(
            lambda: write_result(result, process_clip(clip, hub, options, result, ClipWatch()))
        )
        drawn = Overlay(open_clip(clip), StoredClip.open(result), hub.wait(LOAD_WAIT_S).body)
        overlay_ms = time_ms(lambda: drawn.write(result / "overlay.mp4"))
        pictures = list(drawn.frames())
        return engine_ms, overlay_ms, time_ms(lambda: encode(pictures, result / "again.mp4"))


def encode(pictures: Sequence[tuple[float, ImageArray]], path: Path) -> None:
    """Times in seconds and pictures into an mp4."""
    height_px, width_px, _ = pictures[0][1].shape
    with ClipWriter(path, width_px, height_px, fps=30) as film:
        for time_s, image in pictures:
            film.write(image, time_s - pictures[0][0])


MEASURE = Measure(
    "Clip jobs: overlays",
    f"{FRAMES} frames of a clip through both passes of the embedded engine, then their overlay in "
    "the default style from the clip's file to an mp4 (decoding, posing, drawing, encoding), then "
    "the drawn pictures encoded alone. All in one process on all its cores, turn by turn.",
    figures,
)
