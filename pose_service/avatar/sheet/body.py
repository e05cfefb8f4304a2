"""The body on the measurement sheet: front and side, with the nine lines drawn on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pose_service.avatar.sheet.data import SheetData
from pose_service.avatar.sheet.labels import draw_labels, draw_names
from pose_service.avatar.sheet.style import (
    BODY_DPI,
    INK,
    LABEL_PT,
    LEFT_MM,
    LENGTH,
    NAMES,
    QUIET,
    RIGHT_MM,
    SMALL_PT,
    colour_of,
    range_words,
    write,
)
from pose_service.avatar.sheet.views import FRONT, LEFT_SIDE, View
from pose_service.core.arrays import FloatArray
from pose_service.measurement.records import MEASURES, Measure, Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FLOOR_MM, _TOP_MM = 116.0, 250.0
# between both views there is room for the line of the height, and for the names of the side view
_BETWEEN_MM, _HEIGHT_LINE_MM = 30.0, 7.0
_LABEL_MM = 40.0  # how wide labels are, at most, that stand beside hips or legs
_TICK_MM = 1.6
_BAR_M = 0.2


def draw_body(paper: "Axes", data: SheetData) -> None:
    """Both views at one scale on one floor, lines, labels and a bar of 20 cm."""
    plan = _Plan.of(data)
    mesh = data.fitted.rest
    front, side = (View.of(mesh, turn, plan.mm_per_m, BODY_DPI) for turn in (FRONT, LEFT_SIDE))
    front_mm = np.array([plan.middle_mm - front.size_mm[0] / 2, _FLOOR_MM - front.floor_mm])
    side_mm = np.array([RIGHT_MM - side.size_mm[0], _FLOOR_MM - side.floor_mm])
    paper.plot([LEFT_MM, RIGHT_MM], [_FLOOR_MM] * 2, color=QUIET, linewidth=0.5)
    _draw_view(paper, front, front_mm, data.measurements)
    _draw_view(paper, side, side_mm, data.measurements)
    draw_labels(paper, data, lambda points_m: front.on_paper_mm(points_m) + front_mm, plan.reach_mm)
    draw_names(paper, data.measurements, lambda points_m: side.on_paper_mm(points_m) + side_mm)
    x_mm = plan.middle_mm + plan.half_mm + _HEIGHT_LINE_MM
    (path_m,) = data.measurements.height.paths_m
    tops_mm = [
        view.on_paper_mm(path_m)[0] + corner
        for view, corner in ((front, front_mm), (side, side_mm))
    ]
    _draw_height(paper, data, x_mm, tops_mm)
    _draw_bar(paper, plan.mm_per_m)


@dataclass(frozen=True)
class _Plan:
    """How large the body is drawn, and where: millimetres of the page.

    `middle_mm`: of the front view, across the page. `half_mm`: from there to the end of arms or
    labels. `reach_mm`: how far arms or legs go out below the chest.
    """

    mm_per_m: float
    middle_mm: float
    half_mm: float
    reach_mm: float

    @classmethod
    def of(cls, data: SheetData) -> "_Plan":
        """The largest scale at which both views, and the labels of the front one, have room."""
        vertices_m = data.fitted.rest.vertices_m
        wide_m, tall_m, deep_m = np.ptp(vertices_m, axis=0)
        out_m = np.abs(vertices_m[:, 0] - (vertices_m[:, 0].min() + wide_m / 2))
        low = vertices_m[:, 1] < data.measurements.chest.paths_m[0][:, 1].min()
        reach_m = out_m[low].max()
        room_mm = RIGHT_MM - LEFT_MM - _BETWEEN_MM
        mm_per_m = float(
            min(
                (_TOP_MM - _FLOOR_MM) / tall_m,
                room_mm / (wide_m + deep_m),
                (room_mm - 2 * _LABEL_MM) / (2 * reach_m + deep_m),
            )
        )
        half_mm = float(max(mm_per_m * wide_m / 2, mm_per_m * reach_m + _LABEL_MM))
        return cls(mm_per_m, LEFT_MM + half_mm, half_mm, float(mm_per_m * reach_m))


def _draw_view(paper: "Axes", view: View, corner_mm: FloatArray, measured: Measurements) -> None:
    left, bottom = corner_mm
    width, height = view.size_mm
    paper.imshow(view.image, extent=(left, left + width, bottom, bottom + height))
    for name in MEASURES:
        if name != "height":
            measure: Measure = getattr(measured, name)
            _draw_measure(paper, view, corner_mm, measure)


def _draw_measure(paper: "Axes", view: View, corner_mm: FloatArray, measure: Measure) -> None:
    colour = colour_of(closed=measure.closed)
    for path_m in measure.paths_m:
        for stretch in view.stretches(path_m, closed=measure.closed):
            points_mm = stretch.points_mm + corner_mm
            _draw_line(paper, points_mm, colour, hidden=stretch.hidden)
        if not measure.closed:
            ends = (view.on_paper_mm(path_m) + corner_mm).T
            paper.plot(*ends, color=colour, linestyle="", marker="o", markersize=2.6)


def _draw_line(paper: "Axes", points_mm: FloatArray, colour: str, *, hidden: bool) -> None:
    dashes = {"linestyle": (0, (2.2, 1.4)), "linewidth": 1.0} if hidden else {"linewidth": 1.5}
    paper.plot(*points_mm.T, color=colour, solid_capstyle="round", **dashes)


def _draw_height(
    paper: "Axes", data: SheetData, x_mm: float, tops_mm: Sequence[FloatArray]
) -> None:
    """A line between the views from top to floor. `tops_mm`: the top of the head in both."""
    (start_mm, y_mm), (end_mm, _) = tops_mm
    paper.plot([start_mm, end_mm], [y_mm] * 2, color=QUIET, linewidth=0.5)
    paper.plot([x_mm] * 2, [_FLOOR_MM, y_mm], color=LENGTH, linewidth=1.5)
    for end in (_FLOOR_MM, y_mm):
        paper.plot([x_mm - _TICK_MM, x_mm + _TICK_MM], [end] * 2, color=LENGTH, linewidth=1.5)
    bound, middle_mm = data.bounds["height"], (_FLOOR_MM + y_mm) / 2
    upright = {"rotation": 90.0, "ha": "left", "va": "center"}
    words = f"{NAMES['height']} {bound.value_cm:.1f}"
    bold = {"fontsize": LABEL_PT, "color": LENGTH, "fontweight": "bold"}
    write(paper, x_mm + _TICK_MM, middle_mm, words, **upright, **bold)
    words = f"{range_words(bound.low_cm, bound.high_cm)} cm"
    quiet = {"fontsize": SMALL_PT, "color": QUIET}
    write(paper, x_mm + _TICK_MM + 4.2, middle_mm, words, **upright, **quiet)


def _draw_bar(paper: "Axes", mm_per_m: float) -> None:
    left, right, y_mm = LEFT_MM, LEFT_MM + _BAR_M * mm_per_m, _FLOOR_MM - 5.0
    paper.plot([left, right], [y_mm] * 2, color=INK, linewidth=1.2)
    for x_mm in (left, right):
        paper.plot([x_mm] * 2, [y_mm - 0.9, y_mm + 0.9], color=INK, linewidth=1.2)
    words = f"{100 * _BAR_M:.0f} cm, 1 : {1000 / mm_per_m:.1f} on A4"
    write(paper, right + 2.0, y_mm - 0.9, words, fontsize=SMALL_PT, color=QUIET)
