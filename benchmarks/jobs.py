"""Measure the clip jobs: the front, two workers beside one, overlays, what grows; write it down.

python benchmarks/jobs.py [--media DIR] [--out FILE.json] [--only NAME]
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.clip_jobs.bed import Bed, backends
from benchmarks.clip_jobs.chapters import MEASURES
from benchmarks.figures import BenchmarkError, Setup
from benchmarks.limits import limit_to
from benchmarks.machine import SERVICE_PACKAGES, describe
from benchmarks.report import chapter_text
from benchmarks.results import JOBS, measured, write
from benchmarks.service import ROOT
from pose_service.core.config import read_settings
from pose_service.core.errors import PoseError
from pose_service.engines.registry import build_engine

TITLE = "Clip jobs"
LIMIT_S = 400
PACKAGES = {**SERVICE_PACKAGES, "huey": "huey", "sqlalchemy": "SQLAlchemy"}


def main() -> None:
    given = _arguments()
    limit_to(LIMIT_S)
    try:
        with TemporaryDirectory(prefix="pose-benchmark-") as folder, backends(Path(folder)) as all_:
            settings = read_settings().model_copy(update={"engine": "embedded"})
            _report(Bed(Setup(settings, given.media.resolve(), Path(folder)), all_), given)
    except (BenchmarkError, PoseError) as error:
        sys.exit(f"error: {error}")


def _report(bed: Bed, given: argparse.Namespace) -> None:
    if given.only:
        (chapter,) = measured(MEASURES, [given.only], bed)
        print(chapter_text(chapter))
        return
    engine, _ = build_engine(bed.setup.settings)
    machine = describe(engine.model_version, PACKAGES)
    chapters = measured(MEASURES, MEASURES, bed)
    write(given.out, {"title": TITLE, "machine": machine, "chapters": chapters})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the clip jobs on this machine.")
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / JOBS)
    parser.add_argument("--only", choices=tuple(MEASURES), metavar="NAME", help=", ".join(MEASURES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
