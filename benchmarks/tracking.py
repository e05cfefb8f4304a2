"""Measure PHALP's tracker, upstream's order of work beside ours, and write it down.

python benchmarks/tracking.py [--device cpu|cuda] [--people 1,4,10,40] [--out FILE.json]
    [--only NAME]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from benchmarks.figures import BenchmarkError
from benchmarks.limits import limit_to
from benchmarks.machine import NET_PACKAGES, describe
from benchmarks.phalp.chapters import MEASURES, WITHOUT_CARD
from benchmarks.phalp.runs import Bed
from benchmarks.report import chapter_text
from benchmarks.results import TRACKING, measured, read, with_part, write
from benchmarks.service import ROOT

LIMIT_S = 600
TITLES = {"cpu": "PHALP's tracker on the CPU", "cuda": "PHALP's tracker on a card"}
# the largest crowd on which upstream's order of work ends in a minute
COMPARED = {"cpu": 10, "cuda": 40}


def main() -> None:
    given = _arguments()
    limit_to(LIMIT_S)
    try:
        if given.device == "cuda" and not torch.cuda.is_available():
            raise BenchmarkError("--device cuda: PyTorch sees no CUDA device here")
        _report(given)
    except BenchmarkError as error:
        sys.exit(f"error: {error}")


def _report(given: argparse.Namespace) -> None:
    bed = Bed(torch.device(given.device), given.people, COMPARED[given.device])
    if given.only:
        (chapter,) = measured(MEASURES, [given.only], bed)
        print(chapter_text(chapter))
        return
    card = torch.cuda.get_device_name() if given.device == "cuda" else ""
    machine = describe("PHALP, stand-in weights", NET_PACKAGES, card)
    chapters = measured(MEASURES, MEASURES, bed)
    part = {"title": TITLES[given.device], "machine": machine, "chapters": chapters}
    write(given.out, with_part(read(given.out), given.device, part, without_card()))


def without_card() -> dict[str, Any]:
    """The part of a card where there is none."""
    chapters = measured(WITHOUT_CARD, WITHOUT_CARD, None)
    return {"title": TITLES["cuda"], "machine": None, "chapters": chapters}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure PHALP's tracker on this machine.")
    parser.add_argument("--device", choices=tuple(TITLES), default="cpu")
    parser.add_argument("--people", type=_counts, default=(1, 4, 10, 40), metavar="N,N")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / TRACKING)
    parser.add_argument("--only", choices=tuple(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    return parser.parse_args()


def _counts(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


if __name__ == "__main__":
    main()
