"""One page of paper about one movement: what a coach hangs on the wall."""

from dataclasses import fields

import numpy as np

from pose_service.biomechanics.scores import Scores
from pose_service.biomechanics.summary import ClipSummary
from pose_service.reports.curve_axes import plot_curve, time_axis
from pose_service.reports.curves import draw_legend, draw_panels
from pose_service.reports.notes import notes_of
from pose_service.reports.page_tables import (
    angle_table,
    asymmetry_table,
    drift_table,
    event_table,
)
from pose_service.reports.panel import SCORES
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
    wrapped,
)
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import draw_strip, people_of
from pose_service.reports.table import draw_table
from pose_service.reports.wording import number, repeated_words, seconds

_TITLE, _HEADING = Type(15, bold=True), Type(8, bold=True)
_SMALL = Type(7, PALE_INK)
_MOST_NOTES = 6  # lines of them
_TABLES_MM, _GAP_MM = 177.0, 5.0
_FOOT = (
    "Degrees are inner angles, °/s their change. Scores are this service's own definitions, no"
    " validated scales; every formula: docs/biomechanics.md."
)


def report_pdf(report: MovementReport, *, least_confidence: float = 0.3) -> bytes:
    """One A4 page of vectors. Equal reports give equal bytes."""
    return report_page(report, least_confidence).pdf(report.title, report.made_at)


def report_page(report: MovementReport, least_confidence: float = 0.3) -> Paper:
    """The page before it is a file."""
    paper = Paper()
    width = paper.width_mm - 2 * MARGIN_MM
    draw_head(paper, report, clip_facts(report), model_facts(report))
    draw_strip(paper, (MARGIN_MM, 31, width, 34), people_of(report.chosen, report.track_id),
               least_confidence)  # fmt: skip
    draw_legend(paper, MARGIN_MM, 71)
    paper.text(paper.width_mm - MARGIN_MM, 71, repeated_words(report.summary),
               Type(7, INK, align="right"))  # fmt: skip
    draw_panels(paper, (MARGIN_MM, 74, width, 74), report.movement, report.summary)
    _draw_scores(paper, (MARGIN_MM, 151, width, 23), report)
    _draw_tables(paper, report.summary)
    draw_notes(paper, 262, list(notes_of(report)))
    return paper


def draw_head(paper: Paper, report: MovementReport, *lines: str) -> None:
    """The title, and lines of facts under it."""
    width = paper.width_mm - 2 * MARGIN_MM
    paper.text(MARGIN_MM, 17, fitted(report.title, width, _TITLE), _TITLE)
    for place, line in enumerate(lines):
        paper.text(MARGIN_MM, 22.5 + 4 * place, fitted(line, width, _SMALL), _SMALL)
    paper.rule(MARGIN_MM, 29.5, width)


def clip_facts(report: MovementReport) -> str:
    clip = report.clip
    return (
        f"{seconds(clip.duration_s)}, {clip.frame_count} frames at {clip.fps:.4g} a second, "
        f"{clip.width_px} × {clip.height_px} px  ·  person #{report.track_id}"
    )


def model_facts(report: MovementReport) -> str:
    model = report.model
    where = "in space (3D)" if model.axes == 3 else "in the picture's plane (2D)"
    return f"keypoints by {model.name} {model.version} ({model.precision})  ·  angles {where}"


def draw_notes(paper: Paper, top: float, notes: list[str]) -> None:
    """What lowers trust, and at the foot of the page where the definitions are."""
    width = paper.width_mm - 2 * MARGIN_MM
    paper.text(MARGIN_MM, top + 3, "What to bear in mind", _HEADING)
    lines = [line for note in notes for line in wrapped(f"·  {note}", width, _SMALL)]
    if len(lines) > _MOST_NOTES:
        lines = [*lines[: _MOST_NOTES - 1], "·  and more: see the answer in JSON."]
    for place, line in enumerate(lines):
        paper.text(MARGIN_MM, top + 7 + 3.3 * place, line, _SMALL)
    paper.rule(MARGIN_MM, 287, width)
    paper.text(MARGIN_MM, 290.3, _FOOT, Type(6, PALE_INK))
    paper.text(paper.width_mm - MARGIN_MM, 290.3, "pose-service", Type(6, PALE_INK, align="right"))


def _draw_scores(
    paper: Paper, area_mm: tuple[float, float, float, float], report: MovementReport
) -> None:
    """The four scores over time, side by side, each with its mean."""
    left, top, width, height = area_mm
    cell, times_s = (width + _GAP_MM) / len(SCORES), report.movement.times_s
    for place, score in enumerate(fields(Scores)):
        name, full = SCORES[score.name]
        values = getattr(report.movement.scores, score.name)
        known = values[np.isfinite(values)]
        x, wide = left + place * cell, cell - _GAP_MM
        mean = number(float(known.mean()) if len(known) else None, 2 if full == 1 else 0)
        paper.text(x, top + 2.4, name.capitalize(), _HEADING)
        paper.text(x + wide, top + 2.4, f"mean {mean}", Type(6.5, PALE_INK, align="right"))
        axes = paper.axes(x + 6, top + 4.4, wide - 6, height - 8.9)
        time_axis(axes, times_s, ticks=3)
        axes.set_ylim(0, full)
        axes.set_yticks([0, full / 2, full])
        axes.grid(axis="y", color=GRID, linewidth=0.4)
        plot_curve(axes, times_s, values, Pen(ACCENT, 0.9))


def _draw_tables(paper: Paper, summary: ClipSummary) -> None:
    angles, sides, drifts = angle_table(summary), asymmetry_table(summary), drift_table(summary)
    right = paper.width_mm - MARGIN_MM - max(sides.width_mm, drifts.width_mm)
    bottom = draw_table(paper, MARGIN_MM, _TABLES_MM, angles)
    draw_table(paper, MARGIN_MM, bottom + 2.5, event_table(summary.events))
    bottom = draw_table(paper, right, _TABLES_MM, sides)
    draw_table(paper, right, bottom + 2.5, drifts)
