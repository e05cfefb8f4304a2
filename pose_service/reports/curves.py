"""Angles through time, left and right: events shaded, repetitions marked, gaps left open."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pose_service.biomechanics.angles import PAIRS
from pose_service.biomechanics.curves import Extremes
from pose_service.biomechanics.events import AngleEvent
from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.summary import ClipSummary
from pose_service.reports.curve_axes import PENS, plot_curve, say_unknown, time_axis
from pose_service.reports.paper import (
    EVENT,
    FONT,
    GRID,
    INK,
    PALE_INK,
    Paper,
    Pen,
    Type,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEANING = {
    "elbow": "180° is a straight arm",
    "shoulder": "0° is an arm along the trunk",
    "hip": "180° is a thigh in line with the trunk",
    "knee": "180° is a straight leg",
}

LABELLED_EVENTS = 5
"""So many events have a number in the curves and a line in the table."""

_SHADE = 0.45
_LEAST_RANGE_DEG = 20.0
_WHOLE_LINES = 40
_THIN, _ROOM = 0.0015, 0.025  # of the panel's width: the thinnest shade seen, a number's own room
_GAP_MM, _TITLE_MM, _TICKS_MM, _AXIS_MM = 9.0, 3.6, 4.5, 6.0


def angle_curves(movement: Movement, summary: ClipSummary, *, dots_per_inch: int = 144) -> bytes:
    """A PNG of four panels: elbow, shoulder, hip, knee; degrees over seconds."""
    paper = Paper((190.0, 104.0))
    draw_legend(paper, 8.0, 7.0)
    draw_panels(paper, (8.0, 11.0, 176.0, 88.0), movement, summary)
    return paper.png(dots_per_inch)


def draw_legend(paper: Paper, left: float, base: float) -> None:
    """Which line is which; 100 mm wide."""
    middle = base - 0.9
    for number, (side, pen) in enumerate(PENS.items()):
        start = left + 17 * number
        paper.line([(start, middle), (start + 6, middle)], replace(pen, width_pt=1.4))
        paper.text(start + 7.5, base, side, Type(7, pen.colour, bold=True))
    paper.line([(left + 36, middle), (left + 40, middle)], Pen(EVENT, 7, alpha=_SHADE))
    paper.text(left + 41.5, base, "outside the limits", Type(7, PALE_INK))
    paper.line([(left + 70, base - 2.4), (left + 70, base + 0.6)], Pen(INK, 0.9, "dotted"))
    paper.text(left + 72, base, "repetition, at its lowest", Type(7, PALE_INK))


def draw_panels(
    paper: Paper,
    area_mm: tuple[float, float, float, float],
    movement: Movement,
    summary: ClipSummary,
) -> dict[str, "Axes"]:
    """Two by two panels into `area_mm` (left, top, width, height); the axes by joint."""
    left, top, width, height = area_mm
    wide, high = (width - _GAP_MM) / 2, height / 2
    panels = {}
    for place, joint in enumerate(PAIRS):
        x = left + (place % 2) * (wide + _GAP_MM)
        y = top + (place // 2) * high
        paper.text(x, y + 2.4, joint.capitalize(), Type(8, bold=True))
        paper.text(x + wide, y + 2.4, MEANING[joint], Type(6.5, PALE_INK, align="right"))
        axes = paper.axes(
            x + _AXIS_MM, y + _TITLE_MM, wide - _AXIS_MM, high - _TITLE_MM - _TICKS_MM
        )
        _draw_joint(axes, joint, movement, summary)
        panels[joint] = axes
    return panels


def _draw_joint(axes: "Axes", joint: str, movement: Movement, summary: ClipSummary) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    names = [f"{side}_{joint}" for side in PENS]
    time_axis(axes, movement.times_s)
    ranges = [one for one in map(summary.angles_deg.get, names) if one is not None]
    if not ranges:
        say_unknown(axes)
        return
    axes.grid(axis="y", color=GRID, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_ylim(*_limits(ranges))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda angle_deg, _: f"{angle_deg:.0f}°"))
    _shade_events(axes, joint, movement, summary.events)
    _mark_repetitions(axes, joint, summary)
    for (side, pen), name in zip(PENS.items(), names, strict=True):
        plot_curve(axes, movement.times_s, movement.angle_deg(name), pen, side)
        _mark_peaks(axes, summary.angles_deg[name], side)


def _limits(ranges: list[Extremes]) -> tuple[float, float]:
    low, high = min(one.least for one in ranges), max(one.greatest for one in ranges)
    room = max(0.08 * (high - low), (_LEAST_RANGE_DEG - (high - low)) / 2)
    return low - room, high + 1.5 * room


def _mark_peaks(axes: "Axes", peaks: Extremes | None, side: str) -> None:
    """Rings at the least and the greatest value."""
    if peaks is not None:
        axes.plot(
            [peaks.least_time_s, peaks.greatest_time_s], [peaks.least, peaks.greatest],
            color=PENS[side].colour, linestyle="none", marker="o", markersize=3.2,
            markerfacecolor="white", markeredgewidth=0.8, zorder=3, label=f"{side} peaks",
        )  # fmt: skip


def _shade_events(
    axes: "Axes", joint: str, movement: Movement, events: tuple[AngleEvent, ...]
) -> None:
    """Each with the number that it has in the table, if it is there and there is room for it."""
    span_s = float(movement.times_s[-1] - movement.times_s[0])
    here = [(number, event) for number, event in enumerate(events, start=1)
            if event.limit.angle.endswith(joint)]  # fmt: skip
    spans = [(one.start_s, max(one.end_s - one.start_s, _THIN * span_s)) for _, one in here]
    whole = axes.get_xaxis_transform()
    axes.broken_barh(
        spans, (0, 1), transform=whole, color=EVENT, alpha=_SHADE, linewidth=0, label="events"
    )
    last_s = -np.inf
    for (number, _), (start_s, for_s) in zip(here, spans, strict=True):
        middle_s = start_s + for_s / 2
        if number <= LABELLED_EVENTS and middle_s - last_s > _ROOM * span_s:
            last_s = middle_s
            axes.text(
                middle_s, 0.99, str(number), fontsize=6, ha="center", va="top", transform=whole,
                color=INK, family=FONT, weight="bold",
            )  # fmt: skip


def _mark_repetitions(axes: "Axes", joint: str, summary: ClipSummary) -> None:
    """From bottom to top; where so many would hide the curve, at the top only."""
    repeated, angle = summary.repetitions, summary.repeated_angle
    if repeated is None or angle is None or not angle.endswith(joint):
        return
    axes.vlines(
        repeated.times_s, 0.0 if len(repeated) <= _WHOLE_LINES else 0.94, 1.0, color=INK,
        linestyle="dotted", linewidth=0.7, alpha=0.7, label="repetitions",
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
