"""Measure our part of a call of the 2D nets beside the net's own, and write it down.

python benchmarks/pose2d.py [--threads N] [--out FILE.json] [--only NAME]
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.figures import BenchmarkError
from benchmarks.limits import limit_to
from benchmarks.machine import describe
from benchmarks.nets2d.chapters import MEASURES, Bed
from benchmarks.nets2d.stand_in import save_stand_in
from benchmarks.report import chapter_text
from benchmarks.results import POSE2D, measured, write
from benchmarks.service import ROOT

LIMIT_S = 300
TITLE = "The 2D nets on the CPU"
PACKAGES = {"onnxruntime": "onnxruntime", "numpy": "numpy", "opencv": "opencv-python-headless"}


def main() -> None:
    given = _arguments()
    limit_to(LIMIT_S)
    try:
        with TemporaryDirectory(prefix="pose-benchmark-") as scratch:
            path = Path(scratch) / "stand-in.onnx"
            millions, products = save_stand_in(path)
            _report(Bed(path, given.threads), given, f"{millions:.2f} M, {products:.2f} G")
    except BenchmarkError as error:
        sys.exit(f"error: {error}")


def _report(bed: Bed, given: argparse.Namespace, size: str) -> None:
    if given.only:
        (chapter,) = measured(MEASURES, [given.only], bed)
        print(chapter_text(chapter))
        return
    model = f"stand-in of RTMPose-m, {size}; {bed.threads} threads"
    machine = describe(model, PACKAGES)
    chapters = measured(MEASURES, MEASURES, bed)
    write(given.out, {"title": TITLE, "machine": machine, "chapters": chapters})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the 2D nets on this machine.")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / POSE2D)
    parser.add_argument("--only", choices=tuple(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
