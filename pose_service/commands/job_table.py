"""Jobs as a table: with bars on a terminal, as plain aligned text elsewhere."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pose_service.commands.job_list import JobLine

HEADINGS = ("state", "place", "stage", "progress", "rate", "left", "job", "clip", "error")
_COLOURS = {"processing": "cyan", "complete": "green", "error": "red", "cancelled": "yellow"}
_BAR_CELLS = 20
_WIDE_ENOUGH = 130
"""Columns of a terminal that has room for whole job ids."""


def table_of(jobs: Sequence[JobLine], width: int) -> Table:
    """For a terminal of `width` columns. Where there is no room, ids are cut to 8 letters."""
    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        last = heading in ("clip", "error")
        table.add_column(heading, no_wrap=not last, overflow="ellipsis" if not last else "fold")
    for job in jobs:
        cells: list[Text | ProgressBar] = [Text(word) for word in words_of(job)]
        cells[0].style = _COLOURS.get(job.state, "")
        if job.state == "processing":
            cells[3] = _bar(job)
        if width < _WIDE_ENOUGH:
            cells[6] = Text(job.job_id[:8])
        table.add_row(*cells)
    return table


def plain_lines(jobs: Sequence[JobLine]) -> list[str]:
    """A heading and a line for each job, in columns that stand below each other."""
    rows = [HEADINGS, *map(words_of, jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def counted(jobs: Sequence[JobLine]) -> str:
    """How many are in which state.

    >>> counted([JobLine("a", "queued", "a.mp4"), JobLine("b", "queued", "b.mp4")])
    '2 queued'
    """
    counts = Counter(job.state for job in jobs)
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "no jobs"


def words_of(job: JobLine) -> tuple[str, ...]:
    """One word or none for each of `HEADINGS`."""
    runs = job.state == "processing"
    return (
        job.state,
        str(job.place or ""),
        job.stage if runs else "",
        _progress(job) if runs else "",
        f"{job.rate_fps:.1f}/s" if runs and job.rate_fps is not None else "",
        _clock(job.seconds_left) if runs and job.seconds_left is not None else "",
        job.job_id,
        job.clip.replace("\\", "/").rpartition("/")[2],
        job.error,
    )


def _progress(job: JobLine) -> str:
    if not job.total:
        return str(job.done)
    return f"{job.done}/{job.total} {100 * job.done // job.total}%"


def _bar(job: JobLine) -> ProgressBar:
    """Full of movement where it is not known how much there is."""
    return ProgressBar(
        total=job.total or None, completed=job.done, width=_BAR_CELLS, pulse=not job.total
    )


def _clock(seconds: float) -> str:
    """As people say it: 0:00:07."""
    return str(timedelta(seconds=round(seconds)))
