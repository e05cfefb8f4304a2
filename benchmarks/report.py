"""The results in words: `docs/performance.md` is made here and never written by hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

INTRO = """\
# Performance

This page is written by `python benchmarks/run.py`, `python benchmarks/jobs.py`,
`python benchmarks/pose2d.py`, `python benchmarks/fourdhumans.py` and
`python benchmarks/tracking.py` from the results files beside it; no number in it is typed by hand.
The machine is shared with other work: absolute times move with what else it does, so **ratios
within one run are what counts**. Figures measured several times are medians, with the 10th and 90th
percentile of the repeats as spread; single ones have no spread.
"""

AGAIN = """\
## Measuring again

    python benchmarks/run.py --media FOLDER --mediapipe-python PYTHON

measures the service with the embedded engine in some minutes, on Linux, and writes
`performance.json` and this page. `FOLDER` holds the pictures and clips named above, `PYTHON` is one
that has mediapipe (without it the comparisons are left out). `--only NAME`, or
`python -m pose_service bench NAME`, prints one chapter and writes nothing. What is started is ended
again, also when the run is interrupted.

    python benchmarks/jobs.py --media FOLDER

measures the clip jobs in three minutes on two cores, in the same manner, into
`performance-jobs.json`: on SQLite, and with Redis and PostgreSQL where they are installed.

    python benchmarks/pose2d.py

measures our part of a call of the 2D nets in half a minute, in the same manner, into
`performance-pose2d.json`; the stand-in of RTMPose-m is written into a temporary folder.

    python benchmarks/fourdhumans.py --device cpu --weights FOLDER
    python benchmarks/fourdhumans.py --device cuda --weights FOLDER

measure the 4dhumans engine, each on its device, and write that device's part of
`performance-4dhumans.json` and this page. Stand-in weights of full size, 5.5 GB, are written into
`FOLDER` unless they are there (without `--weights` into a temporary folder): numbers made from
names, with which speed and memory are those of the official files and what is seen means nothing.
The CPU takes ten minutes and 12 GB of memory; `--only NAME` prints one chapter and writes nothing.

    python benchmarks/tracking.py --device cpu
    python benchmarks/tracking.py --device cuda

measure PHALP's tracker in two or three minutes, in the same manner, into
`performance-tracking.json`; its stand-in weights are made in memory.
"""

NOT_MEASURED = "not measured"

Fields = Mapping[str, Any]


def render(parts: Sequence[Fields]) -> str:
    """The page as Markdown: the results of one engine on one device after the other."""
    chapters = [chapter for part in parts for chapter in part["chapters"]]
    pieces = [INTRO, "## Goals\n\n" + _goals(chapters), *map(_part, parts), AGAIN]
    return "\n".join(pieces)


def _part(part: Fields) -> str:
    """Where it was measured, and its chapters."""
    machine = [_machine(part["machine"])] if part["machine"] else []
    heads = [f"## {part['title']}\n", *machine]
    return "\n".join([*heads, *(chapter_text(chapter) for chapter in part["chapters"])])


def chapter_text(chapter: Fields) -> str:
    """One chapter: how it was measured, and its table."""
    rows = [_row(figure) for figure in chapter["figures"]]
    header = ("", "median", "p10 – p90", "goal", "bounded by")
    return f"### {chapter['title']}\n\n{chapter['about']}\n\n{_table(header, rows)}"


def _machine(machine: Fields) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    parts = (machine["processor"], f"{machine['cores']} cores", machine["system"], machine["card"])
    rows = [
        ("machine", ", ".join(part for part in parts if part)),
        ("load average at the start", str(machine["load_average_at_start"])),
        ("engine", f"`{machine['model_version']}`"),
        ("versions", f"Python {machine['python']}, {packages}"),
        ("measured", f"{machine['date']}, commit {machine['commit']}"),
    ]
    return _table(("", ""), rows)


def _goals(chapters: Sequence[Fields]) -> str:
    rows = [
        (chapter["title"], figure["name"], _goal(figure), _value(figure), _verdict(figure))
        for chapter in chapters
        for figure in chapter["figures"]
        if figure["goal"]
    ]
    return _table(("", "measured", "goal", "median", ""), rows)


def _row(figure: Fields) -> tuple[str, ...]:
    goal = f"{_goal(figure)}: {_verdict(figure)}" if figure["goal"] else ""
    return figure["name"], _value(figure), _spread(figure), goal, figure["bound"]


def _goal(figure: Fields) -> str:
    goal = figure["goal"]
    sign = "≥" if goal["at_least"] else "≤"
    return f"{sign} {goal['limit']:g} {figure['unit']}".rstrip()


def _verdict(figure: Fields) -> str:
    reached = figure["goal"]["reached"]
    return NOT_MEASURED if reached is None else "reached" if reached else "**missed**"


def _value(figure: Fields) -> str:
    if not figure["count"]:
        return NOT_MEASURED
    return f"{_number(figure['median'])} {figure['unit']}".rstrip()


def _spread(figure: Fields) -> str:
    if figure["count"] < 2:
        return ""
    return f"{_number(figure['p10'])} – {_number(figure['p90'])}"


def _number(value: float) -> str:
    """Three digits that mean something.

    >>> [_number(value) for value in (0.0312, 2.5, 14.0, 58.73, 431.2)]
    ['0.03', '2.50', '14', '58.7', '431']
    """
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines(header, rows)) + "\n"


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
