"""One page about two clips of the same movement, in step: both curves, and their difference."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pose_service.biomechanics.comparison import Comparison
from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.reports.curve_axes import DASHED, plot_curve, time_axis
from pose_service.reports.notes import notes_of
from pose_service.reports.page import clip_facts, draw_head, draw_notes, model_facts
from pose_service.reports.paper import (
    ACCENT,
    GRID,
    INK,
    MARGIN_MM,
    PALE_INK,
    Paper,
    Pen,
    Type,
    fitted,
)
from pose_service.reports.records import MovementReport
from pose_service.reports.table import Column, Table, draw_table
from pose_service.reports.thinning import thinned
from pose_service.reports.wording import degrees, number, seconds, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FIRST, _SECOND = Pen(INK, 1.0), Pen("#aa4499", 1.0, DASHED)
_APART = Pen(ACCENT, 0.8)
_GAP_MM, _CELL_MM, _AXIS_MM = 9.0, 39.0, 7.0


def comparison_pdf(report: MovementReport) -> bytes:
    """One A4 page of vectors. `BadRequestError` where the report has no comparison."""
    title = f"{report.title} and {report.other_title}"
    return comparison_page(report).pdf(title, report.made_at)


def comparison_page(report: MovementReport) -> Paper:
    """The page before it is a file."""
    comparison = _comparison_of(report)
    paper = Paper()
    width = paper.width_mm - 2 * MARGIN_MM
    draw_head(paper, report, clip_facts(report), model_facts(report))
    _draw_legend(paper, 35, report)
    bottom = _draw_angles(paper, 38, report, comparison)
    draw_table(paper, MARGIN_MM, bottom + 3, difference_table(comparison))
    left = MARGIN_MM + 112
    paper.text(left, bottom + 6, "How far the second clip is ahead", Type(8, bold=True))
    _draw_pace(paper.axes(left + _AXIS_MM, bottom + 9, width - 112 - _AXIS_MM, 26), report)
    draw_notes(paper, 262, list(notes_of(report)))
    return paper


def comparison_curves(report: MovementReport, *, dots_per_inch: int = 144) -> bytes:
    """A PNG of the page's curves alone."""
    comparison = _comparison_of(report)
    rows = -(-len(comparison.angles) // 2)
    paper = Paper((210.0, 12.0 + _CELL_MM * rows))
    _draw_legend(paper, 7, report)
    _draw_angles(paper, 10, report, comparison)
    return paper.png(dots_per_inch)


def difference_table(comparison: Comparison) -> Table:
    """Of each angle the first clip's less the second's."""
    columns = (
        Column("angle", 28, "left"), Column("mean", 14), Column("absolute", 16),
        Column("largest", 16), Column("at", 16), Column("second at", 16),
    )  # fmt: skip
    rows = []
    for name, curve in zip(comparison.angles, comparison.differences_deg.T, strict=True):
        most = int(np.abs(curve).argmax())
        rows.append((
            spoken(name), degrees(float(curve.mean()), sign=True),
            degrees(float(np.abs(curve).mean())), degrees(float(curve[most]), sign=True),
            seconds(float(comparison.times_s[most])),
            seconds(float(comparison.other_times_s[most])),
        ))  # fmt: skip
    return Table("First less second", columns, tuple(rows))


def both_curves(report: MovementReport, name: str) -> tuple[FloatArray, FloatArray]:
    """(n,) of all frames of the first clip: its angle, and that of the second in step with it.

    NaN where the comparison had no frame.
    """
    comparison = _comparison_of(report)
    places = np.searchsorted(report.movement.times_s, comparison.times_s)
    first = np.full(len(report.movement), np.nan)
    second = first.copy()
    first[places] = report.movement.angle_deg(name)[places]
    difference = comparison.differences_deg[:, comparison.angles.index(name)]
    second[places] = first[places] - difference
    return first, second


def _comparison_of(report: MovementReport) -> Comparison:
    if report.comparison is None:
        raise BadRequestError(
            "this report compares nothing", hint="Name a second clip of the same movement."
        )
    return report.comparison


def _draw_legend(paper: Paper, base: float, report: MovementReport) -> None:
    width = (paper.width_mm - 2 * MARGIN_MM) / 2
    both = ((report.title, _FIRST), (report.other_title, _SECOND))
    for place, (title, pen) in enumerate(both):
        left = MARGIN_MM + place * width
        paper.line([(left, base - 0.9), (left + 6, base - 0.9)], replace(pen, width_pt=1.4))
        letters = Type(7, pen.colour, bold=True)
        paper.text(left + 8, base, fitted(title, width - 12, letters), letters)


def _draw_angles(paper: Paper, top: float, report: MovementReport, comparison: Comparison) -> float:
    """Two columns of panels, left and right beside each other; returns where they end, mm."""
    wide = (paper.width_mm - 2 * MARGIN_MM - _GAP_MM) / 2
    for place, name in enumerate(comparison.angles):
        left = MARGIN_MM + (place % 2) * (wide + _GAP_MM)
        down = top + (place // 2) * _CELL_MM
        paper.text(left, down + 2.4, spoken(name).capitalize(), Type(8, bold=True))
        upper = paper.axes(left + _AXIS_MM, down + 4, wide - _AXIS_MM, 17)
        lower = paper.axes(left + _AXIS_MM, down + 23, wide - _AXIS_MM, 10)
        _draw_both(upper, lower, report, name)
    return top + -(-len(comparison.angles) // 2) * _CELL_MM


def _draw_both(upper: "Axes", lower: "Axes", report: MovementReport, name: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    times_s = report.movement.times_s
    first, second = both_curves(report, name)
    plot_curve(upper, times_s, first, _FIRST)
    plot_curve(upper, times_s, second, _SECOND)
    lower.axhline(0, color=PALE_INK, linewidth=0.5)
    plot_curve(lower, times_s, first - second, _APART)
    lower.fill_between(*thinned(times_s, first - second), color=ACCENT, alpha=0.35, linewidth=0)
    for axes, form in ((upper, degrees), (lower, partial(degrees, sign=True))):
        time_axis(axes, times_s)
        axes.grid(axis="y", color=GRID, linewidth=0.4)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _, form=form: form(value)))
    upper.tick_params(labelbottom=False)


def _draw_pace(axes: "Axes", report: MovementReport) -> None:
    """The second clip's time less that of an even pace from its first to its last frame."""
    from matplotlib.ticker import FuncFormatter

    comparison = _comparison_of(report)
    times_s, other_s = comparison.times_s, comparison.other_times_s
    time_axis(axes, report.movement.times_s)
    even_s = np.interp(times_s, times_s[[0, -1]], other_s[[0, -1]])
    axes.axhline(0, color=PALE_INK, linewidth=0.5)
    axes.grid(axis="y", color=GRID, linewidth=0.4)
    plot_curve(axes, times_s, other_s - even_s, _SECOND)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ahead, _: f"{number(ahead, 2)} s"))
