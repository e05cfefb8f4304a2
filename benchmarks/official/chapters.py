"""The measurements by name, for the CPU and for a card."""

from benchmarks.figures import Measure
from benchmarks.official.agreement import AGREEMENT
from benchmarks.official.clips import CLIPS
from benchmarks.official.goals import not_measured
from benchmarks.official.loading import LOADING
from benchmarks.official.nets import NetRuns
from benchmarks.official.parts import PARTS
from benchmarks.official.speed import BACKBONES, NETS

# loading comes last: it also tells what the runs before it have read
ON_CPU: dict[str, Measure[NetRuns]] = {
    "nets": NETS,
    "backbones": BACKBONES,
    "parts": PARTS,
    "agreement": AGREEMENT,
    "loading": LOADING,
}
ON_CARD: dict[str, Measure[NetRuns]] = {
    "nets": NETS,
    "backbones": BACKBONES,
    "parts": PARTS,
    "clips": CLIPS,
    "agreement": AGREEMENT,
    "loading": LOADING,
}
BY_DEVICE = {"cpu": ON_CPU, "cuda": ON_CARD}

WITHOUT_CARD: dict[str, Measure[object]] = {
    "goals": Measure(
        "4dhumans: on a card",
        "Not measured: the machine has no CUDA device. `python benchmarks/fourdhumans.py --device "
        "cuda` on one that has fills this in.",
        lambda _: not_measured(),
    )
}
