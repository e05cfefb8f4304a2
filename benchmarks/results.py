"""From measurements to the results files, and from both of these to the page."""

import json
import sys
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.figures import Measure
from benchmarks.report import render

PAGE = "performance.md"
SERVICE, OFFICIAL, TRACKING, JOBS, POSE2D = (
    "performance.json", "performance-4dhumans.json", "performance-tracking.json",
    "performance-jobs.json", "performance-pose2d.json",
)  # fmt: skip

Bed = TypeVar("Bed")
Fields = dict[str, Any]


def measured(measures: Mapping[str, Measure[Bed]], names: Iterable[str], bed: Bed) -> list[Fields]:
    """The chapters of these names, ready for JSON."""
    chapters = []
    for name in names:
        print(f"measuring: {name}", file=sys.stderr)
        what = measures[name]
        figures = [figure.fields() for figure in what.run(bed)]
        chapters.append(
            {"name": name, "title": what.title, "about": what.about, "figures": figures}
        )
    return chapters


def read(path: Path) -> Fields:
    """The results in `path`; nothing where there is no such file."""
    results: Fields = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return results


def write(path: Path, results: Fields) -> None:
    """Keep `results`; if `path` has its usual name, make the page beside it anew."""
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {path}")
    if path.name in (SERVICE, OFFICIAL, TRACKING, JOBS, POSE2D):
        page = path.with_name(PAGE)
        page.write_text(page_of(path.parent), encoding="utf-8")
        print(f"written: {page}")


def page_of(folder: Path) -> str:
    """The page that the results files in `folder` make; a missing one leaves its chapters out."""
    by_device = (read(folder / name).values() for name in (OFFICIAL, TRACKING))
    parts = [
        *map(read, (folder / SERVICE, folder / JOBS, folder / POSE2D)),
        *chain.from_iterable(by_device),
    ]
    return render([part for part in parts if part])


def with_part(results: Fields, device: str, part: Fields, without_card: Fields) -> Fields:
    """`results` with the part of `device` new, the CPU's first.

    A card's part is there in any case: where none was measured it is `without_card`.
    """
    parts = {"cuda": without_card, **results, device: part}
    return {name: parts[name] for name in ("cpu", "cuda") if name in parts}
