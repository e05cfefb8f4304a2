"""Axes of time, and lines on them that hide nothing: gaps stay open, single values are dots."""

from typing import TYPE_CHECKING

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.reports.paper import FONT, LEFT, PALE_INK, RIGHT, Pen
from pose_service.reports.thinning import alone, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHED = (0.0, (5.0, 1.2))
PENS = {"left": Pen(LEFT, 1.0), "right": Pen(RIGHT, 1.0, DASHED)}
"""Sides are told apart by colour and, where there is none, by dashes."""

_DENSE = 0.6
_MINUTES_FROM_S = 120.0


def time_axis(axes: "Axes", times_s: FloatArray, ticks: int = 6) -> None:
    """From the first to the last time; minutes where there are many."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, last = float(times_s[0]), float(times_s[-1])
    axes.set_xlim(first, max(last, first + 1e-3))
    if last - first > _MINUTES_FROM_S:
        steps, words = [1, 1.5, 2, 2.5, 3, 5, 6, 10], _minutes
    else:
        steps, words = [1, 2, 2.5, 5, 10], "{:g} s".format
    axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: words(time_s)))


def plot_curve(
    axes: "Axes", times_s: FloatArray, values: FloatArray, pen: Pen, name: str = ""
) -> None:
    """A line that stays open where `values` are not known; single values are dots.

    One so long that it fills an area lets the other shine through.
    """
    x, y = thinned(times_s, values)
    alpha = pen.alpha if len(x) == len(times_s) else _DENSE
    axes.plot(
        x, y, color=pen.colour, linestyle=pen.dashes, linewidth=pen.width_pt, alpha=alpha,
        label=name,
    )  # fmt: skip
    single = alone(values)
    if np.isfinite(single).any():
        axes.plot(times_s, single, ".", color=pen.colour, markersize=2.5)


def say_unknown(axes: "Axes", words: str = "not seen") -> None:
    """In the middle of empty axes."""
    axes.set_yticks([])
    axes.text(
        0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=7.5,
        color=PALE_INK, family=FONT,
    )  # fmt: skip


def _minutes(time_s: float) -> str:
    """
    >>> _minutes(90.0)
    '1:30'
    """
    minutes, rest = divmod(round(time_s), 60)
    return f"{minutes}:{rest:02d}"
