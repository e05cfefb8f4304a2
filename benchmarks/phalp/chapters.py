"""The chapters on PHALP's tracker, with their goals."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.figures import BenchmarkError, Figure, Goal, Measure
from benchmarks.official.clock import repeated
from benchmarks.phalp.runs import Bed, Run
from pose_service.phalp.checkpoint import ready
from pose_service.phalp.pose.config import PredictorSizes
from pose_service.phalp.pose.network import PosePredictorNet
from pose_service.phalp.pose.predictor import TransformerPredictor
from pose_service.phalp.records import HISTORY, POSE_NUMBERS

FOUR = "4 people"
TEN_TIMES = "10 people: ours is faster by"
GOALS = {FOUR: ("ms", Goal(3)), TEN_TIMES: ("times", Goal(5, at_least=True))}

# what its tensors are known to be, docs/phalp.md; only the split into heads is a guess
_SIZES = PredictorSizes(
    frames=125, width=256, pose_width=229, blocks=16, heads=16, inner_dim=1024, mlp_dim=512,
    kernel=7, stride=5, padding=1, body_width=1024,
)  # fmt: skip
_ROUNDS = 5
_ONE_BATCH = "one batch for all tracks"


def light_figures(bed: Bed) -> list[Figure]:
    """What tracking costs when no net runs."""
    return [
        *(_figure(_people(n), bed.without_looks(n)) for n in bed.people),
        *(_figure(f"{_people(n)}, textures cut and mixed", bed.with_textures(n), "memory traffic")
          for n in bed.people),
    ]  # fmt: skip


def order_figures(bed: Bed) -> list[Figure]:
    """`BenchmarkError` where the two decide differently."""
    return [figure for people in bed.people for figure in _in_both_orders(bed, people)]


def predictor_figures(bed: Bed) -> list[Figure]:
    """The weights are drawn: what is foretold means nothing."""
    torch.manual_seed(0)
    network = PosePredictorNet(_SIZES)
    ready(network, bed.device)
    predict = TransformerPredictor(network)
    return [
        Figure(_people(n), "ms", _predicting_ms(predict, n, bed.device), bound=_ONE_BATCH)
        for n in bed.people
    ]


def not_measured() -> list[Figure]:
    """Every goal, where there is no card."""
    return [Figure(name, unit, [], goal, "no CUDA device") for name, (unit, goal) in GOALS.items()]


def _in_both_orders(bed: Bed, people: int) -> Iterator[Figure]:
    ours, who = bed.with_looks(people), _people(people)
    yield _figure(f"{who}: ours", ours, f"{ours.encoded / len(ours.ms):.0f} textures encoded")
    if people > bed.compared:
        yield Figure(f"{who}: upstream's order", "ms", [], bound=f"{2 * people**2} passes a frame")
        return
    theirs = bed.in_upstreams_order(people)
    if theirs.track_ids != ours.track_ids:
        raise BenchmarkError(f"{who}: the two orders of work put somebody on different tracks")
    passes = f"{theirs.encoded / len(theirs.ms):.0f} single passes"
    yield _figure(f"{who}: upstream's order", theirs, passes)
    faster = [slow / fast for slow, fast in zip(theirs.ms, ours.ms, strict=True)]
    name = f"{who}: ours is faster by"
    yield Figure(name, "times", faster, GOALS[TEN_TIMES][1] if name == TEN_TIMES else None)


def _figure(name: str, run: Run, bound: str = "") -> Figure:
    goal = GOALS[FOUR][1] if name == FOUR else None
    return Figure(name, "ms", run.ms, goal, bound)


def _predicting_ms(predict: TransformerPredictor, people: int, device: torch.device) -> list[float]:
    poses = np.zeros((people, HISTORY, POSE_NUMBERS), np.float32)
    times = np.tile(np.arange(HISTORY), (people, 1))
    missed = np.zeros(people, np.int64)
    _, *taken_s = repeated(lambda: predict(poses, times, missed), device, 1 + _ROUNDS)
    return [1000 * taken for taken in taken_s]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


LIGHT = Measure(
    "PHALP: the tracker apart from its nets",
    "A frame of a crowd that mills about, from detections to tracks: locations foretold, costs, "
    "assignment, tracks. The second lines add what is done to textures (256 x 256, four channels) "
    "around the encoder: cut to what two show both, for each pair that may be one person, and "
    "mixed into what is remembered.",
    light_figures,
)
ORDERS = Measure(
    "PHALP: upstream's order of work and ours",
    "The same crowd with the appearance encoder (stand-in weights of full size, float32), after "
    "eight frames of warm-up. Upstream compares every track with every detection, in two passes "
    "of one texture each, with copies of both, and fits three lines per track one by one; here "
    "pairs that place and pose rule out are not compared, the others go through the encoder in "
    "batches and each texture once for all pairs that see the same of it, lines are fitted for all "
    "tracks at once. Both run in turn on the same frames and must put everybody on the same track. "
    "scikit-learn, which upstream fits its lines with, is left out, in favour of upstream's times.",
    order_figures,
)
PREDICTOR = Measure(
    "PHALP: the pose predictor",
    "The next poses of so many tracks, with drawn weights of about the official size (25 million "
    "numbers; the official file tells its own size).",
    predictor_figures,
)
MEASURES: dict[str, Measure[Bed]] = {"light": LIGHT, "orders": ORDERS, "predictor": PREDICTOR}
WITHOUT_CARD: dict[str, Measure[object]] = {
    "goals": Measure(
        "PHALP: on a card",
        "Not measured: the machine has no CUDA device. `python benchmarks/tracking.py --device "
        "cuda` on one that has fills this in.",
        lambda _: not_measured(),
    )
}
