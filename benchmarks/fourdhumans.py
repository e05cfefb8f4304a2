"""Measure the 4dhumans engine with stand-in weights of the official sizes, and write it down.

python benchmarks/fourdhumans.py [--device cpu|cuda] [--threads 1,2] [--compile off,compile,graphs]
    [--weights FOLDER] [--out FILE.json] [--only NAME]
"""

import argparse
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from benchmarks.figures import BenchmarkError
from benchmarks.machine import NET_PACKAGES, describe
from benchmarks.official.bench import Bench
from benchmarks.official.chapters import BY_DEVICE, ON_CARD, WITHOUT_CARD
from benchmarks.official.nets import NetRuns
from benchmarks.official.weights import write_stand_ins
from benchmarks.report import chapter_text
from benchmarks.results import OFFICIAL, measured, read, with_part, write
from benchmarks.service import ROOT
from pose_service.core.errors import PoseError
from pose_service.engines.fourdhumans import NAME
from pose_service.fourdhumans.sizes import OFFICIAL as SIZES

LIMIT_S = {"cpu": 1500, "cuda": 1500}
TITLES = {"cpu": "The 4dhumans engine on the CPU", "cuda": "The 4dhumans engine on a card"}


def main() -> None:
    given = _arguments()
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _give_up)
    try:
        if given.device == "cuda" and not torch.cuda.is_available():
            raise BenchmarkError("--device cuda: PyTorch sees no CUDA device here")
        with TemporaryDirectory(prefix="pose-benchmark-") as scratch:
            _report(given, Path(scratch))
    except (BenchmarkError, PoseError) as error:
        sys.exit(f"error: {error}")


def _report(given: argparse.Namespace, scratch: Path) -> None:
    data_dir = write_stand_ins(given.weights or scratch / "weights")
    # writing the weights is not part of the measurement
    signal.alarm(LIMIT_S[given.device])
    bench = Bench(data_dir, scratch, torch.device(given.device), given.threads, given.compile)
    runs, measures = NetRuns(bench), BY_DEVICE[given.device]
    if given.only:
        (chapter,) = measured(measures, [given.only], runs)
        print(chapter_text(chapter))
        return
    machine = describe(f"{NAME}/{SIZES.word}, stand-in weights", NET_PACKAGES, _card(given.device))
    chapters = measured(measures, measures, runs)
    part = {"title": TITLES[given.device], "machine": machine, "chapters": chapters}
    write(given.out, with_part(read(given.out), given.device, part, without_card()))


def without_card() -> dict[str, Any]:
    """The part of a card where there is none."""
    chapters = measured(WITHOUT_CARD, WITHOUT_CARD, None)
    return {"title": TITLES["cuda"], "machine": None, "chapters": chapters}


def _card(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else ""


def _give_up(number: int, frame: FrameType | None) -> None:
    """Ends what was started on the way out."""
    sys.exit(f"given up: {signal.Signals(number).name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the 4dhumans engine on this machine.")
    parser.add_argument("--device", choices=tuple(BY_DEVICE), default="cpu")
    parser.add_argument("--threads", type=_counts, default=(1, 2), metavar="N,N")
    parser.add_argument("--compile", type=_words, default=("off", "compile"), metavar="HOW,HOW")
    parser.add_argument("--weights", type=Path, metavar="FOLDER", help="takes 5.5 GB; kept")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / OFFICIAL)
    parser.add_argument("--only", choices=tuple(ON_CARD), metavar="NAME", help=", ".join(ON_CARD))
    return parser.parse_args()


def _counts(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


if __name__ == "__main__":
    main()
