"""The chapters on the 2D nets, with their goals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.figures import Figure, Goal, Measure
from benchmarks.stopwatch import time_ms, times_ms
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.pose2d.crops import crops_around, cut
from pose_service.pose2d.detectors import YOLOX_COLOURS, grid_boxes, letterbox
from pose_service.pose2d.files import MODES
from pose_service.pose2d.heatmaps import decode_heatmaps
from pose_service.pose2d.keypoint_nets import TopDownNet
from pose_service.pose2d.nms import keep_best
from pose_service.pose2d.session import Seat
from pose_service.pose2d.simcc import decode_simcc

PEOPLE = (1, 4)
MOST_OVER = Goal(15)
_ROUNDS = 30
_WIDTH_PX, _HEIGHT_PX, _JOINTS = 192, 256, 17
_SIDE_PX = 640


@dataclass(frozen=True)
class Bed:
    """The stand-in's file, and on how many threads it runs."""

    path: Path
    threads: int

    @property
    def picture(self) -> ImageArray:
        """1920 by 1080, of no meaning."""
        return np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)

    def boxes(self, people: int) -> FloatArray:
        """People side by side, 900 pixels tall."""
        return np.array([[100.0 + 400 * i, 90, 420 + 400 * i, 990] for i in range(people)])


def call_figures(bed: Bed) -> list[Figure]:
    """Our whole call beside the bare session, in turns."""
    seat = Seat(card=None, threads=bed.threads, batch=8)
    net = TopDownNet(*MODES["balanced"].rtmpose.opened_as.open(bed.path, seat))
    bare = _bare_session(bed)
    picture = bed.picture
    figures: list[Figure] = []
    for people in PEOPLE:
        inputs = {"input": np.zeros((people, 3, _HEIGHT_PX, _WIDTH_PX), np.float32)}
        session = partial(bare.run, None, inputs)
        ours = partial(net.keypoints, picture, bed.boxes(people))
        figures.extend(_beside(_people(people), session, ours))
    return figures


def part_figures(bed: Bed) -> list[Figure]:
    """What is done around the nets, each by itself."""
    picture, rng = bed.picture, np.random.default_rng(0)
    figures = []
    for people in PEOPLE:
        boxes, who = bed.boxes(people), _people(people)
        crops = crops_around(boxes, _WIDTH_PX, _HEIGHT_PX)
        out = np.empty((people, 3, _HEIGHT_PX, _WIDTH_PX), np.float32)
        curves = [
            rng.random((people, _JOINTS, 2 * side), np.float32) for side in (_WIDTH_PX, _HEIGHT_PX)
        ]
        maps = rng.random((people, _JOINTS, _HEIGHT_PX // 4, _WIDTH_PX // 4), np.float32)
        works: dict[str, Callable[[], object]] = {
            "crops cut and normalised": partial(cut, picture, crops, out),
            "SimCC read": partial(decode_simcc, *curves),
            "heat maps read, DARK": partial(decode_heatmaps, maps),
        }
        figures += [
            Figure(f"{who}: {name}", "ms", times_ms(work, _ROUNDS)) for name, work in works.items()
        ]
    return [*figures, *_detector_figures(picture, rng)]


def _bare_session(bed: Bed) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = bed.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(bed.path, options, providers=["CPUExecutionProvider"])


def _beside(
    who: str, session: Callable[[], object], ours: Callable[[], object]
) -> Iterator[Figure]:
    session(), ours()
    pairs = [(time_ms(session), time_ms(ours)) for _ in range(_ROUNDS)]
    bare_ms, whole_ms = zip(*pairs, strict=True)
    over = [100 * (whole / bare - 1) for bare, whole in pairs]
    yield Figure(f"{who}: bare session", "ms", bare_ms, bound="the net's products")
    yield Figure(f"{who}: whole call", "ms", whole_ms)
    yield Figure(f"{who}: whole call, over the bare session", "%", over, MOST_OVER)


def _detector_figures(picture: ImageArray, rng: np.random.Generator) -> list[Figure]:
    size_px = (_SIDE_PX, _SIDE_PX)
    cells = sum((_SIDE_PX // stride) ** 2 for stride in (8, 16, 32))
    grid = rng.random((cells, 85), np.float32)
    grid[200:, 4] = 0.01

    def sort_out() -> None:
        boxes, scores = grid_boxes(grid, size_px)
        keep_best(boxes, scores, 0.5)

    letter = partial(letterbox, picture, size_px, YOLOX_COLOURS)
    return [
        Figure("detector: picture into its square", "ms", times_ms(letter, _ROUNDS)),
        Figure("detector: boxes of 8,400 cells sorted out", "ms", times_ms(sort_out, _ROUNDS)),
    ]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


CALL = Measure(
    "2D nets: the whole call beside the bare session",
    "A stand-in of RTMPose-m's build and size (13.6 million weights, 1.9 thousand million products "
    "for each person; the weights are drawn, so that what it sees means nothing) on ONNX Runtime. "
    "The whole call takes a picture of 1920 x 1080 and boxes, cuts and normalises crops, runs the "
    "net on all people at once, reads the curves and turns the points back. The bare session gets "
    "crops that are ready, has the same threads, and runs in turns with the whole call.",
    call_figures,
)
PARTS = Measure(
    "2D nets: what is done around them",
    "Each step by itself, on the same picture; without any net.",
    part_figures,
)
MEASURES: dict[str, Measure[Bed]] = {"call": CALL, "parts": PARTS}
