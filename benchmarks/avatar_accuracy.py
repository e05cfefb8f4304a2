"""How far an avatar's measures are from the truth, where the truth is known; calibrates the bands.

python benchmarks/avatar_accuracy.py [--photographs N] [--turns N] [--seed N] [--only CHAPTER]

Random free bodies are rendered, seen by the embedded engine, fitted and measured. Written into
`docs/avatar-accuracy.json` and, from it, `docs/avatar-accuracy.md`; `pose_service/avatar/
calibration.py` has the same error models. Takes about 15 minutes of one core.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.avatar.chapters import CHAPTERS, Size
from benchmarks.avatar.page import PAGE, RESULTS, page
from benchmarks.machine import describe
from benchmarks.results import read, write
from benchmarks.service import ROOT
from pose_service.engines.embedded import MODEL_VERSION


def main() -> None:
    given = _arguments()
    size = Size(given.photographs, given.turns, given.seed)
    results: dict[str, Any] = read(given.out)
    for name in [given.only] if given.only else CHAPTERS:
        print(f"measuring: {name}", file=sys.stderr)
        results[name] = CHAPTERS[name](size)
    results["machine"] = describe(MODEL_VERSION)
    write(given.out, results)
    if given.out.name == RESULTS and set(CHAPTERS) <= set(results):
        given.out.with_name(PAGE).write_text(page(results), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure and calibrate the avatars' accuracy.")
    parser.add_argument("--photographs", type=int, default=300, metavar="N")
    parser.add_argument("--turns", type=int, default=48, metavar="N")
    parser.add_argument("--seed", type=int, default=2025, metavar="N")
    parser.add_argument("--only", choices=tuple(CHAPTERS), metavar="CHAPTER")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
