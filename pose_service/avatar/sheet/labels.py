"""Names and values beside the front view, each joined to its line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pose_service.avatar.sheet.data import SheetData
from pose_service.avatar.sheet.style import (
    LABEL_PT,
    NAMES,
    QUIET,
    SMALL_PT,
    colour_of,
    range_words,
    write,
)
from pose_service.core.arrays import FloatArray
from pose_service.measurement.records import Measure, Measurements

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OnPaper = Callable[[FloatArray], FloatArray]
"""(n, 3) places of the body to (n, 2) millimetres of the page."""

LEFT, RIGHT = -1, 1
_BESIDE_HEAD_MM = 17.0  # from the body's middle: there is room above the arms
_CLEAR_MM = 9.0  # between what goes out farthest below the chest and the labels there
_APART_MM = 9.0  # from label to label, baselines
_SECOND_LINE_MM = 3.5
_LEADER_GAP_MM, _LETTER_MIDDLE_MM = 1.2, 1.1

_SIDE_NAMES = ("neck", "chest", "waist", "hip", "thigh")
_NAMES_APART_MM, _NAME_MIDDLE_MM = 2.9, 0.8


@dataclass(frozen=True)
class Spot:
    """Where a measure's label goes: `side` of the body as it is seen, how far above its line.

    `out_mm`: from the body's middle to the label's inner end; None for clear of arms and legs.
    """

    side: int
    up_mm: float = 0.0
    out_mm: float | None = None


_SPOTS: Mapping[str, Spot] = MappingProxyType(
    {
        "neck": Spot(RIGHT, 5.0, _BESIDE_HEAD_MM),
        "shoulder_width": Spot(LEFT, 14.0, _BESIDE_HEAD_MM),
        "arm_length": Spot(LEFT, -13.0),
        "chest": Spot(RIGHT, -8.0),
        "waist": Spot(LEFT),
        "hip": Spot(RIGHT),
        "inseam": Spot(RIGHT),
        "thigh": Spot(LEFT),
    }
)


@dataclass(frozen=True)
class Label:
    """`anchor_mm`: (2,) where its line is touched. `end_mm`: (2,) its inner end, on the page."""

    name: str
    side: int
    anchor_mm: FloatArray
    end_mm: FloatArray


def draw_labels(paper: "Axes", data: SheetData, on_paper: OnPaper, reach_mm: float) -> None:
    """All but the height's; `reach_mm`: how far arms or legs go out below the chest."""
    for label in labels(data.measurements, on_paper, reach_mm):
        _draw_label(paper, label, data)


def draw_names(paper: "Axes", measured: Measurements, on_paper: OnPaper) -> None:
    """The tapes' names left of the side view, each at its own tape's height or just below."""
    ceiling_mm = np.inf
    tapes_mm = {name: on_paper(getattr(measured, name).paths_m[0]) for name in _SIDE_NAMES}
    for name, tape_mm in sorted(tapes_mm.items(), key=lambda item: -float(item[1][:, 1].max())):
        x_mm, y_mm = tape_mm[np.argmin(tape_mm[:, 0])]
        y_mm = min(float(y_mm) - _NAME_MIDDLE_MM, ceiling_mm)
        ceiling_mm = y_mm - _NAMES_APART_MM
        style = {"fontsize": SMALL_PT, "color": colour_of(closed=True), "ha": "right"}
        write(paper, float(x_mm) - _LEADER_GAP_MM, y_mm, NAMES[name].lower(), **style)


def labels(measured: Measurements, on_paper: OnPaper, reach_mm: float) -> list[Label]:
    """Labels of the front view that do not cover each other, nor arms or legs."""
    middle_mm = float(on_paper(measured.chest.paths_m[0])[:, 0].mean())
    found = []
    for name, spot in _SPOTS.items():
        anchor_mm = _anchor(name, getattr(measured, name), spot.side, on_paper)
        out_mm = reach_mm + _CLEAR_MM if spot.out_mm is None else spot.out_mm
        end_mm = np.array([middle_mm + spot.side * out_mm, anchor_mm[1] + spot.up_mm])
        found.append(Label(name, spot.side, anchor_mm, end_mm))
    return [
        label
        for side in (LEFT, RIGHT)
        for label in _apart([label for label in found if label.side == side])
    ]


def _anchor(name: str, measure: Measure, side: int, on_paper: OnPaper) -> FloatArray:
    """(2,) the outermost point of a tape or of the shoulders, the middle point of other lines."""
    paths_mm = [on_paper(path_m) for path_m in measure.paths_m]
    outermost = max(paths_mm, key=lambda path_mm: side * float(path_mm[:, 0].mean()))
    if name == "inseam":
        middle: FloatArray = outermost.mean(axis=0)
        return middle
    if name == "arm_length":
        elbow: FloatArray = outermost[len(outermost) // 2]
        return elbow
    farthest: FloatArray = outermost[np.argmax(side * outermost[:, 0])]
    return farthest


def _apart(own: Sequence[Label]) -> Iterator[Label]:
    """`own`, of one side, from the top down, moved down where two would be too close.

    Their order is that of their leaders' middles, so that few leaders cross another label.
    """
    ceiling_mm = np.inf
    for label in sorted(own, key=lambda label: -(label.anchor_mm + label.end_mm)[1]):
        y_mm = min(float(label.end_mm[1]), ceiling_mm)
        ceiling_mm = y_mm - _APART_MM
        yield replace(label, end_mm=np.array([label.end_mm[0], y_mm]))


def _draw_label(paper: "Axes", label: Label, data: SheetData) -> None:
    measure: Measure = getattr(data.measurements, label.name)
    bound = data.bounds[label.name]
    colour = colour_of(closed=measure.closed)
    x_mm, y_mm = label.end_mm
    side = "left" if label.side == RIGHT else "right"
    _draw_leader(paper, label, colour)
    words = f"{NAMES[label.name]} {bound.value_cm:.1f}"
    write(paper, x_mm, y_mm, words, fontsize=LABEL_PT, ha=side, color=colour, fontweight="bold")
    words = f"{range_words(bound.low_cm, bound.high_cm)} cm"
    write(paper, x_mm, y_mm - _SECOND_LINE_MM, words, fontsize=SMALL_PT, ha=side, color=QUIET)


def _draw_leader(paper: "Axes", label: Label, colour: str) -> None:
    """A thin line from the label to its line, clear of the letters."""
    start_x = label.end_mm[0] - label.side * _LEADER_GAP_MM
    start_y = label.end_mm[1] + _LETTER_MIDDLE_MM
    ends = [[start_x, label.anchor_mm[0]], [start_y, label.anchor_mm[1]]]
    paper.plot(*ends, color=colour, linewidth=0.6)
