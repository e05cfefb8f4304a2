"""Seconds of a frame and of a crop, and the backbones' rate beside a plain matrix product's."""

from collections.abc import Iterator
from statistics import mean

from benchmarks.figures import Figure, Measure
from benchmarks.official import flop
from benchmarks.official.goals import CROP, FRAME, MATMUL_PERCENT, ON_CARD
from benchmarks.official.nets import NetRuns, NetTimes, Times
from pose_service.fourdhumans.sizes import Sizes

# the goals are for one frame, and for so many crops
_GOAL_BATCH = {FRAME: 1, CROP: 16}


def net_figures(runs: NetRuns) -> list[Figure]:
    """Seconds of one picture; milliseconds on a card."""
    return [
        figure
        for what in (FRAME, CROP)
        for run in runs.timed
        for times in run.times
        for figure in _times(what, times, runs.bench.on_card)
    ]


def backbone_figures(runs: NetRuns) -> list[Figure]:
    """Of nets that are not compiled, whose backbones can be timed apart."""
    return [
        figure
        for run in runs.timed
        for times in run.times
        if times.detect.backbone_s
        for figure in _rates(times, runs.bench.sizes)
    ]


def _times(what: str, times: Times, on_card: bool) -> Iterator[Figure]:
    net = times.detect if what == FRAME else times.regress
    unit, factor = ("ms", 1000.0) if on_card else ("s", 1.0)
    for batch, seconds in net.by_batch.items():
        goal = ON_CARD[what][1] if on_card and batch == _GOAL_BATCH[what] else None
        size = f", {batch} together" if batch > 1 else ""
        name = f"{what}{size}: {times.variant.words}"
        yield Figure(name, unit, [factor * s for s in seconds], goal)


def _rates(times: Times, sizes: Sizes) -> Iterator[Figure]:
    """The rate of the plain product, and each backbone's in per cent of it."""
    words = times.variant.words
    rates = [rate / 1e9 for rate in times.matmul_rates]
    yield Figure(f"plain matrix product: {words}", "GFLOP/s", rates)
    for name, work, net in (
        ("ViTDet-H", flop.vitdet_backbone(sizes.detector.backbone), times.detect),
        ("HMR 2.0", flop.hmr2_backbone(sizes.regressor), times.regress),
    ):
        percent = [work / seconds / 1e7 / mean(rates) for seconds in net.backbone_s]
        title = f"backbone of {name}, of the product's rate: {words}"
        yield Figure(title, "%", percent, MATMUL_PERCENT, _bound(net))


def _bound(net: NetTimes) -> str:
    *_, whole_s = net.by_batch.values()
    share = sum(net.backbone_s) / sum(whole_s)
    return f"norms, GELU, attention's softmax; {share:.0%} of the net's time is the backbone's"


NETS = Measure(
    "4dhumans: the networks",
    "Nets of the official sizes with stand-in weights. *Detect* is a picture of 1280 x 720 pixels "
    "to its boxes, resizing included, with a threshold of 0.05 (stand-in scores are low), so that "
    "all 1000 proposals go through all three stages; *regress* is HMR 2.0 on finished crops. "
    "Where several pictures go together, the time is that of one.",
    net_figures,
)
BACKBONES = Measure(
    "4dhumans: the backbones beside a plain matrix product",
    "Operations counted from the shapes (matrix products only, a multiply-add is two: 5.66 TFLOP "
    "per frame, 0.248 per crop) over the time of the transformer's blocks, in the largest batch "
    "above. The yardstick is a product of 4096 x 1280 and 1280 x 5120 in the same numbers with as "
    "many threads, taken before, between and after the nets; the percentage is of its mean.",
    backbone_figures,
)
