"""Both nets in every variant: how long they take, what they find, what they read meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import standin_hmr2
import standin_vitdet
import torch
from torch import Tensor, nn

from benchmarks.official.bench import DTYPES, FRAME_PX, Bench, Variant, cpu_threads, let_go, nets_of
from benchmarks.official.clock import Laps, matmul_rate, repeated, watched
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Regions
from pose_service.engines.seam import Engine
from pose_service.fourdhumans.regressor import Hmr2Regressor
from pose_service.hmr2.config import CROP_PX
from pose_service.vitdet.detector import Detections, detect
from pose_service.vitdet.model import VitDet

SCORE_OVER = 0.05
"""Below what the service asks for: no stand-in scores that high, and nothing would be compared."""

_MB = 2**20


@dataclass(frozen=True)
class Rounds:
    """For which sizes of batch a net is timed, and how often each."""

    batches: tuple[int, ...]
    count: int


# a frame takes a minute on a CPU
_FRAMES = {"cpu": Rounds((1,), 1), "cuda": Rounds((1, 8), 10)}
_CROPS = {"cpu": Rounds((1, 4), 2), "cuda": Rounds((1, 16), 20)}


@dataclass(frozen=True)
class NetTimes:
    """Seconds of one picture by the size of its batch; `backbone_s` those within the backbone.

    The backbone is timed in the largest batch; that of a compiled net cannot be timed apart.
    """

    by_batch: Mapping[int, Sequence[float]]
    backbone_s: Sequence[float]


@dataclass(frozen=True)
class Times:
    """Of one variant; `matmul_rates`: FLOP/s of a plain product before, between, after the nets."""

    variant: Variant
    detect: NetTimes
    regress: NetTimes
    matmul_rates: Sequence[float]


@dataclass(frozen=True)
class Sights:
    """What the nets gave: one picture's detections and features, and the bodies of seven people.

    `features`: of the detector's backbone. `vertices_m`: (people, vertices, 3) around each body's
    own origin.
    """

    found: Detections
    features: Tensor | None
    vertices_m: FloatArray


@dataclass(frozen=True)
class NetRun:
    """One engine: its times, what it saw, and the megabytes of files read since it was ready."""

    times: Sequence[Times]
    sights: Sights
    read_mb: float


class NetRuns:
    """The runs of a bench, each done when it is first wanted and then kept."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._done: dict[tuple[str, str], NetRun] = {}

    def run(self, precision: str, how: str = "off") -> NetRun:
        """`how`: a value of `POSE_COMPILE`."""
        key = precision, how
        if key not in self._done:
            self._done[key] = _run(self.bench, precision, how)
            let_go()
        return self._done[key]

    @cached_property
    def timed(self) -> list[NetRun]:
        """Those whose speed counts: both kinds of numbers on the CPU, bf16 on a card."""
        if self.bench.on_card:
            return [self.run("bf16", how) for how in self.bench.compiles]
        return [self.run(precision) for precision in ("fp32", "bf16")]


def _run(bench: Bench, precision: str, how: str) -> NetRun:
    engine = bench.build(bench.settings(precision=precision, compile=how))
    looker = _Looker(engine, bench.device, followed=how == "off")
    ready_mb = read_mb()
    threads = (0,) if bench.on_card else bench.threads
    times = [looker.times(Variant(precision, how, count)) for count in threads]
    return NetRun(times, looker.sights(), read_mb() - ready_mb)


class _Looker:
    """One engine at work; `followed`: its backbones are timed, and features kept."""

    def __init__(self, engine: Engine, device: torch.device, followed: bool) -> None:
        self._engine, self._device, self._followed = engine, device, followed
        self._found: list[Detections] = []
        self._features: Tensor | None = None

    def times(self, variant: Variant) -> Times:
        detector, regressor = nets_of(self._engine)
        rate = partial(matmul_rate, DTYPES[variant.precision], self._device)
        with cpu_threads(variant.threads), torch.inference_mode():
            before = rate()
            frames = self._frames(detector.net)
            between = rate()
            crops = self._crops(regressor)
            return Times(variant, frames, crops, [before, between, rate()])

    def sights(self) -> Sights:
        """Of the frame timed last, and of all people of a picture by their boxes."""
        regions = Regions.of_boxes(standin_hmr2.BOXES_XYXY_PX.astype(float))
        (seen,) = self._engine.regressor.observe([standin_hmr2.picture()], [regions])
        poses = BodyPoses.join([one.pose for one in seen if one.pose is not None])
        vertices_m = self._engine.body.pose(poses).vertices_m
        assert vertices_m is not None
        return Sights(self._found[0], self._features, vertices_m)

    def _frames(self, net: VitDet) -> NetTimes:
        picture = standin_vitdet.picture_rgb(*FRAME_PX)

        def look(count: int) -> None:
            self._found = detect(net, [picture] * count, score_over=SCORE_OVER)

        with self._laps(net.backbone.net) as laps:
            times = self._timed(look, laps, _FRAMES[self._device.type])
        self._features = laps.last
        return times

    def _crops(self, regressor: Hmr2Regressor) -> NetTimes:
        rounds = _CROPS[self._device.type]
        crops = torch.rand(rounds.batches[-1], 3, CROP_PX, CROP_PX, device=self._device)
        with self._laps(regressor.net.backbone) as laps:
            return self._timed(lambda count: regressor.forward(crops[:count]), laps, rounds)

    def _laps(self, backbone: nn.Module) -> AbstractContextManager[Laps]:
        return watched(backbone, self._device) if self._followed else nullcontext(Laps())

    def _timed(self, work: Callable[[int], object], laps: Laps, rounds: Rounds) -> NetTimes:
        by_batch = {
            size: [s / size for s in repeated(partial(work, size), self._device, rounds.count)]
            for size in rounds.batches
        }
        in_largest = laps.seconds[-rounds.count :]
        return NetTimes(by_batch, [s / rounds.batches[-1] for s in in_largest])


def read_mb() -> float:
    """Megabytes that this process has read so far, from files and as pages of files."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    counts = {name: int(count) for name, count in (line.split(":") for line in lines)}
    return (counts["rchar"] + counts["read_bytes"]) / _MB
