"""Measure the service here, write the results, and make `docs/performance.md` from them.

python benchmarks/run.py [--media DIR] [--mediapipe-python PATH] [--out FILE.json] [--only NAME]
"""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

# as the service starts itself: threads of BLAS that wait for each other cost more than they give
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import yardstick
from benchmarks.figures import BenchmarkError, Setup
from benchmarks.limits import limit_to
from benchmarks.machine import describe
from benchmarks.measures import MEASURES
from benchmarks.report import chapter_text
from benchmarks.results import SERVICE, measured, write
from benchmarks.service import ROOT
from pose_service.core.config import read_settings
from pose_service.core.errors import PoseError
from pose_service.engines.registry import build_engine

ENGINE = "embedded"
TITLE = "The service with the embedded engine"
LIMIT_S = 600


def main() -> None:
    given = _arguments()
    limit_to(LIMIT_S)
    try:
        with TemporaryDirectory(prefix="pose-benchmark-") as scratch:
            settings = read_settings().model_copy(update={"engine": ENGINE})
            media = given.media.resolve()
            _report(Setup(settings, media, Path(scratch), given.mediapipe_python), given)
    except (BenchmarkError, PoseError) as error:
        sys.exit(f"error: {error}")


def _report(setup: Setup, given: argparse.Namespace) -> None:
    if given.only:
        (chapter,) = measured(MEASURES, [given.only], setup)
        print(chapter_text(chapter))
        return
    engine, _ = build_engine(setup.settings)
    machine = describe(engine.model_version)
    if setup.mediapipe_python is not None:
        machine["packages"]["mediapipe"] = yardstick.version(setup.mediapipe_python)
    chapters = measured(MEASURES, MEASURES, setup)
    write(given.out, {"title": TITLE, "machine": machine, "chapters": chapters})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the service on this machine.")
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--mediapipe-python", type=Path, metavar="PATH")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / SERVICE)
    parser.add_argument("--only", choices=tuple(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
