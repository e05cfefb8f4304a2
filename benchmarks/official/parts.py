"""What stands around the nets: decoding, crops, the body, the answer."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import standin_vitdet

from benchmarks.figures import Figure, Measure
from benchmarks.measures.encode import standing
from benchmarks.official.bench import FRAME_PX, Bench, cpu_threads
from benchmarks.official.clock import repeated
from benchmarks.official.nets import NetRuns
from benchmarks.stopwatch import time_ms, times_ms
from pose_service.bodies.smpl import SmplBody
from pose_service.bodies.smpl_file import SHAPE_COUNT, read_extra_joints, read_smpl
from pose_service.bodies.smpl_files import NEUTRAL_BODY
from pose_service.core.records import BodyPoses
from pose_service.engines.fourdhumans import NAME
from pose_service.hmr2.crops import person_crops
from pose_service.hmr2.files import EXTRA_JOINTS
from pose_service.hmr2.squares import squares_around
from pose_service.legacy.encode import encode
from pose_service.legacy.frame import Maker, frame_answer
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import view_frames
from pose_service.media.decode import open_clip
from pose_service.media.encode import ClipWriter

PERSON_XYXY_PX = 520.0, 90.0, 760.0, 690.0
"""One standing person in a frame; shown to the net 3.3 times smaller."""

_DECODED_FRAMES = 60
_FPS = 30.0
_ROUNDS = 20
_BODIES = 30


def figures(runs: NetRuns) -> list[Figure]:
    bench = runs.bench
    body = _body(bench)
    return [
        Figure("decode: a frame", "ms", list(_decoding_ms(bench.scratch)), bound="H.264"),
        *_by_threads(bench, "crop: one person", _cropping(bench, anti_alias=False)),
        *_by_threads(bench, "crop: one person, blurred", _cropping(bench, anti_alias=True)),
        *_by_threads(bench, "body: one, 44 joints", partial(_pose, body, 1, vertices=False)),
        *_by_threads(bench, "body: one, with its mesh", partial(_pose, body, 1, vertices=True)),
        *_by_threads(
            bench,
            f"body: {_BODIES} together with meshes",
            partial(_pose, body, _BODIES, vertices=True),
        ),
        Figure("encode: answer with mesh and triangles", "ms", _answering_ms(body)),
    ]


def moving_clip(path: Path, frames: int) -> Path:
    """`frames` frames of the stand-in picture, each a little further to the right, 30 a second."""
    picture = standin_vitdet.picture_rgb(*FRAME_PX)
    height_px, width_px = FRAME_PX
    with ClipWriter(path, width_px, height_px, _FPS) as clip:
        for frame in range(frames):
            clip.write(np.roll(picture, 2 * frame, 1), frame / _FPS)
    return path


def _by_threads(bench: Bench, what: str, work: Callable[[], object]) -> Iterator[Figure]:
    for count in (0,) if bench.on_card else bench.threads:
        words = {0: "", 1: ", 1 thread"}.get(count, f", {count} threads")
        with cpu_threads(count):
            work()
            yield Figure(what + words, "ms", _ms(work, bench))


def _ms(work: Callable[[], object], bench: Bench) -> list[float]:
    return [1000 * s for s in repeated(work, bench.device, _ROUNDS)]


def _decoding_ms(scratch: Path) -> Iterator[float]:
    clip = moving_clip(scratch / "decoded.mp4", _DECODED_FRAMES)
    for _ in range(3):
        yield time_ms(lambda: sum(1 for _ in open_clip(clip).frames())) / _DECODED_FRAMES


def _cropping(bench: Bench, anti_alias: bool) -> Callable[[], object]:
    pictures = [standin_vitdet.picture_rgb(*FRAME_PX)]
    squares = [squares_around(np.array([PERSON_XYXY_PX]))]
    return partial(person_crops, pictures, squares, anti_alias=anti_alias, device=bench.device)


def _body(bench: Bench) -> SmplBody:
    files = [bench.data_dir / file.folder / file.name for file in (NEUTRAL_BODY, EXTRA_JOINTS)]
    return SmplBody(read_smpl(files[0]), read_extra_joints(files[1]))


def _pose(body: SmplBody, count: int, vertices: bool) -> None:
    (person,) = standing(body, SHAPE_COUNT).people
    body.pose(BodyPoses.join([person.pose] * count), vertices=vertices)


def _answering_ms(body: SmplBody) -> list[float]:
    """The body is posed before, as it is listed apart."""
    maker = Maker(body, orjson.Fragment(encode(body.faces)), NAME, True, False)
    frame, options = standing(body, SHAPE_COUNT), AnswerOptions()
    (views,) = view_frames(body, [frame], everybody=False, mesh=True)
    return times_ms(lambda: encode(frame_answer(maker, frame, views, options)), _ROUNDS)


PARTS = Measure(
    "4dhumans: around the networks",
    "The other stages of a frame of 1280 x 720 pixels with one person: decoding H.264 (in a clip "
    "it runs beside the nets), her crop (the blurred one is that of single pictures), SMPL on the "
    "CPU, and the JSON of an answer with its mesh.",
    figures,
)
