"""The table of the measurement sheet: nine rows of value, band, reliability and definition."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from pose_service.avatar.sheet.data import SheetData
from pose_service.avatar.sheet.style import (
    FAINT,
    INK,
    LEFT_MM,
    NAMES,
    QUIET,
    RELIABILITIES,
    RIGHT_MM,
    SMALL_PT,
    colour_of,
    range_words,
    write,
)
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import MEASURES, Measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOP_MM, _ROW_MM = 103.0, 6.2
_SWATCH_MM = 5.0
# left ends of the columns, the numbers' right ends
_NAME_X, _VALUE_X, _RANGE_X, _BAND_X, _WORD_X, _HOW_X = 21.0, 62.0, 89.0, 103.0, 116.0, 140.0
_BAND_MM = 10.0
_RULE_MM, _MIDDLE_MM = 2.1, 1.0  # of a row: how far below and above its baseline
_HEAD_PT = 7.0

HOW: Mapping[str, str] = MappingProxyType(
    {
        "height": "top of the head to the floor",
        "chest": "widest level tape below the armpits",
        "waist": "narrowest level tape of the trunk",
        "hip": "widest level tape above the crotch",
        "inseam": "crotch straight down to the ankle joints",
        "shoulder_width": "straight between the shoulder joints",
        "arm_length": "shoulder, elbow, wrist joint; mean of both",
        "thigh": "tape square to it below the crotch; mean",
        "neck": "narrowest tape square to the neck",
    }
)


def draw_table(paper: "Axes", data: SheetData) -> None:
    """A row for each measure, in the order of `MEASURES`."""
    rows_mm = {name: _TOP_MM - (row + 1) * _ROW_MM for row, name in enumerate(MEASURES)}
    _draw_head(paper)
    _draw_swatches(paper, rows_mm, data)
    _draw_bands(paper, rows_mm, data)
    for name, y_mm in rows_mm.items():
        _draw_row(paper, y_mm, name, data.bounds[name])
    rules_mm = [y_mm - _RULE_MM for y_mm in rows_mm.values()]
    paper.hlines(rules_mm, LEFT_MM, RIGHT_MM, color=FAINT, linewidth=0.4)


def _draw_head(paper: "Axes") -> None:
    style = {"fontsize": _HEAD_PT, "color": QUIET}
    for x_mm, words, side in (
        (_NAME_X, "Measure", "left"),
        (_VALUE_X, "cm", "right"),
        (_RANGE_X, "low – high", "right"),
        (_BAND_X, "band", "center"),
        (_WORD_X, "reliability", "left"),
        (_HOW_X, "how it is taken", "left"),
    ):
        write(paper, x_mm, _TOP_MM, words, ha=side, **style)
    paper.hlines(_TOP_MM - _RULE_MM, LEFT_MM, RIGHT_MM, color=QUIET, linewidth=0.8)


def _draw_swatches(paper: "Axes", rows_mm: Mapping[str, float], data: SheetData) -> None:
    """The colours of the measures' lines."""
    measures: list[Measure] = [getattr(data.measurements, name) for name in rows_mm]
    colours = [colour_of(closed=measure.closed) for measure in measures]
    middles_mm = [y_mm + _MIDDLE_MM for y_mm in rows_mm.values()]
    paper.hlines(middles_mm, LEFT_MM, LEFT_MM + _SWATCH_MM, colors=colours, linewidth=1.6)


def _draw_row(paper: "Axes", y_mm: float, name: str, bound: Bound) -> None:
    write(paper, _NAME_X, y_mm, NAMES[name])
    write(paper, _VALUE_X, y_mm, f"{bound.value_cm:.1f}", ha="right", fontweight="bold")
    write(paper, _RANGE_X, y_mm, range_words(bound.low_cm, bound.high_cm), ha="right")
    write(paper, _WORD_X, y_mm, RELIABILITIES[bound.reliability])
    write(paper, _HOW_X, y_mm, HOW[name], fontsize=SMALL_PT, color=QUIET)


def _draw_bands(paper: "Axes", rows_mm: Mapping[str, float], data: SheetData) -> None:
    """Each band as a share of its value, by the widest of all, around the value's dot."""
    bounds = [data.bounds[name] for name in rows_mm]
    widest = max(map(_width, bounds)) or 1.0
    middles_mm = [y_mm + _MIDDLE_MM for y_mm in rows_mm.values()]
    lows_mm = [_BAND_X - (1 - b.low_cm / b.value_cm) * 2 / widest * _BAND_MM for b in bounds]
    highs_mm = [_BAND_X + (b.high_cm / b.value_cm - 1) * 2 / widest * _BAND_MM for b in bounds]
    paper.hlines(middles_mm, lows_mm, highs_mm, color=FAINT, linewidth=3.0)
    values_mm = [_BAND_X] * len(bounds)
    paper.plot(values_mm, middles_mm, color=INK, linestyle="", marker="o", markersize=2.4)


def _width(bound: Bound) -> float:
    return (bound.high_cm - bound.low_cm) / bound.value_cm
