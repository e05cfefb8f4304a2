"""Angles through time, left and right: events shaded, repetitions marked, gaps left open."""

from typing import TYPE_CHECKING

import numpy as np

from pose_service.biomechanics.angles import PAIRS
from pose_service.biomechanics.curves import Extremes
from pose_service.biomechanics.events import AngleEvent
from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.summary import ClipSummary
from pose_service.core.arrays import FloatArray
from pose_service.reports.paper import EVENT, FONT, GRID, INK, LEFT, PALE_INK, RIGHT, Paper, Type
from pose_service.reports.thinning import alone, thinned
from pose_service.reports.wording import spoken

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

_LINES = {"left": (LEFT, "solid"), "right": (RIGHT, (0, (5, 1.2)))}
_LEAST_RANGE_DEG = 20.0
_GAP_MM, _TITLE_MM, _TICKS_MM, _AXIS_MM = 9.0, 3.6, 4.5, 6.0


def angle_curves(movement: Movement, summary: ClipSummary, *, dots_per_inch: int = 144) -> bytes:
    """A PNG of four panels: elbow, shoulder, hip, knee; degrees over seconds."""
    paper = Paper((190.0, 104.0))
    draw_legend(paper, 8.0, 7.0)
    draw_panels(paper, (8.0, 11.0, 176.0, 88.0), movement, summary)
    return paper.png(dots_per_inch)


def draw_legend(paper: Paper, left: float, base: float) -> None:
    """Which line is which; 100 mm wide."""
    for number, (side, (colour, dashes)) in enumerate(_LINES.items()):
        start = left + 17 * number
        axes = paper.axes(start, base - 1.8, 6, 2)
        axes.set_axis_off()
        axes.plot([0, 1], [0, 0], color=colour, linestyle=dashes, linewidth=1.4)
        paper.text(start + 7, base, side, Type(7, colour, bold=True))
    swatch = paper.axes(left + 36, base - 2.2, 4, 2.8)
    swatch.set_axis_off()
    swatch.axvspan(0, 1, color=EVENT, alpha=0.45)
    paper.text(left + 41.5, base, "outside the limits", Type(7, PALE_INK))
    mark = paper.axes(left + 68, base - 2.4, 4, 3)
    mark.set_axis_off()
    mark.axvline(0.5, color=INK, linestyle=":", linewidth=0.9)
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


def time_axis(axes: "Axes", times_s: FloatArray, ticks: int = 6) -> None:
    """From the first to the last time; minutes where there are many."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, last = float(times_s[0]), float(times_s[-1])
    axes.set_xlim(first, max(last, first + 1e-3))
    steps = [1, 1.5, 2, 2.5, 3, 5, 6, 10] if last - first > 120 else [1, 2, 2.5, 5, 10]
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=steps))
    if last - first > 120:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: _minutes(time_s)))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: f"{time_s:g} s"))


def plot_curve(axes: "Axes", times_s: FloatArray, values: FloatArray, side: str) -> None:
    """A line that stays open where `values` are not known; single values are dots."""
    colour, dashes = _LINES[side]
    x, y = thinned(times_s, values)
    axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1.0, label=side)
    single = alone(values)
    if np.isfinite(single).any():
        axes.plot(times_s, single, color=colour, linestyle="none", marker=".", markersize=2.5)


def say_unknown(axes: "Axes", words: str = "not seen") -> None:
    """In the middle of empty axes."""
    axes.set_yticks([])
    axes.text(
        0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=7.5,
        color=PALE_INK, family=FONT,
    )  # fmt: skip


def _draw_joint(axes: "Axes", joint: str, movement: Movement, summary: ClipSummary) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    names = [f"{side}_{joint}" for side in _LINES]
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
    for side, name in zip(_LINES, names, strict=True):
        plot_curve(axes, movement.times_s, movement.angle_deg(name), side)
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
            color=_LINES[side][0], linestyle="none", marker="o", markersize=3.2,
            markerfacecolor="white", markeredgewidth=0.8, zorder=3, label=f"{side} peaks",
        )  # fmt: skip


def _shade_events(
    axes: "Axes", joint: str, movement: Movement, events: tuple[AngleEvent, ...]
) -> None:
    """Each with the number that it has in the table, if it is there."""
    least_s = 0.004 * float(movement.times_s[-1] - movement.times_s[0])
    for number, event in enumerate(events, start=1):
        if not event.limit.angle.endswith(joint):
            continue
        end_s = max(event.end_s, event.start_s + least_s)
        axes.axvspan(event.start_s, end_s, color=EVENT, alpha=0.45, linewidth=0, label="event")
        if number <= LABELLED_EVENTS:
            axes.text(
                (event.start_s + end_s) / 2, 0.99, str(number), fontsize=6, ha="center", va="top",
                transform=axes.get_xaxis_transform(), color=INK, family=FONT, weight="bold",
            )  # fmt: skip


def _mark_repetitions(axes: "Axes", joint: str, summary: ClipSummary) -> None:
    repeated, angle = summary.repetitions, summary.repeated_angle
    if repeated is None or angle is None or not angle.endswith(joint):
        return
    for time_s in repeated.times_s:
        axes.axvline(time_s, color=INK, linestyle=":", linewidth=0.7, alpha=0.7, label="repetition")


def _minutes(time_s: float) -> str:
    """
    >>> _minutes(90.0)
    '1:30'
    """
    minutes, rest = divmod(round(time_s), 60)
    return f"{minutes}:{rest:02d}"


def repeated_words(summary: ClipSummary) -> str:
    """What was found to be repeated, in a sentence."""
    found = summary.repetitions
    if found is None or summary.repeated_angle is None:
        return "No movement was found to repeat."
    count = f"{len(found)} repetition{'' if len(found) == 1 else 's'}"
    return f"{count} of the {spoken(summary.repeated_angle)}, one each {found.period_s:.2f} s"
