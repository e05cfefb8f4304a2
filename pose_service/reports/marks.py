"""The arcs of one person's angles in the picture, and where their degrees are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from pose_service.biomechanics.angles import ANGLES, corner_points
from pose_service.biomechanics.joints import observed
from pose_service.biomechanics.movement import FrameMeasures
from pose_service.core.arrays import FloatArray, ImageArray, IntArray
from pose_service.core.keypoints import KeypointPerson
from pose_service.core.skeletons import COCO17
from pose_service.rendering.arcs import Arc, arc_between, draw_arc, fill_arc
from pose_service.rendering.layers import ink
from pose_service.rendering.shading import Colour
from pose_service.rendering.strokes import side_colour
from pose_service.rendering.words import Page, letters_px, word_layer

_WHITE: Colour = (255, 255, 255)
_SECTOR_OPACITY = 0.35
_LIMB_SHARE = 0.3  # an arc's radius by the shorter of its two limbs
_SMALLEST_RADIUS, _LARGEST_RADIUS = 3.5, 10.0  # in line widths; below the first none is drawn

# Where words are tried: outside of the arc or behind its corner, how far (letters), how far aside.
_OUTWARDS, _AWAY, _ASIDE_DEG = np.array(
    [
        (outwards, away, aside_deg + (0.0 if outwards else 180.0))
        for outwards, away, aside_deg in product(
            (1, 0), (0.4, 0.9, 1.5), (0.0, 35.0, -35.0, 70.0, -70.0)
        )
    ]
).T


@dataclass(frozen=True)
class AngleMark:
    """The arc of one of `ANGLES` in the picture, and the angle that was measured, degrees."""

    name: str
    arc: Arc
    angle_deg: float

    @property
    def text(self) -> str:
        return f"{self.angle_deg:.0f}°"


@dataclass(frozen=True)
class MarkStyle:
    """Of which of `ANGLES`, from which confidence on, and how wide lines are, px."""

    angles: tuple[str, ...]
    least_confidence: float
    stroke: int


def angle_marks(
    person: KeypointPerson, measured: FrameMeasures | None, style: MarkStyle
) -> list[AngleMark]:
    """The arcs of the angles that were measured and whose keypoints are all there.

    None of limbs too short in the picture for an arc of this line width.
    """
    if measured is None:
        return []
    series = observed(
        COCO17, np.zeros(1), person.points_px[None], person.point_confidence[None],
        least_confidence=style.least_confidence,
    )  # fmt: skip
    corners = dict(zip(ANGLES, np.moveaxis(corner_points(series)[:, 0], 1, 0), strict=True))
    marks = []
    for name in style.angles:
        angle_deg = measured.joint_angles_deg[name]
        first, corner, last = corners[name]
        arc = arc_between(first, corner, last, _radius_px(corners[name], style.stroke))
        if (
            angle_deg is not None
            and arc is not None
            and arc.radius_px >= _SMALLEST_RADIUS * style.stroke
        ):
            marks.append(AngleMark(name, arc, angle_deg))
    return marks


def _radius_px(points_px: FloatArray, stroke: int) -> float:
    """`points_px`: (3, 2) first, corner and last."""
    sides_px = np.linalg.norm(points_px[[0, 2]] - points_px[1], axis=1)
    return min(_LIMB_SHARE * float(sides_px.min()), _LARGEST_RADIUS * stroke)


def draw_arcs(layer: ImageArray, marks: Iterable[AngleMark], opacity: float, stroke: int) -> None:
    """Sectors in the colour of their side, and the arcs around them."""
    for mark in marks:
        fill_arc(layer, mark.arc, ink(side_colour(mark.name), _SECTOR_OPACITY * opacity))
        draw_arc(layer, mark.arc, ink(_WHITE, opacity), max(1, stroke - 1))


def write_angles(page: Page, marks: Iterable[AngleMark], places: dict[str, int]) -> None:
    """The degrees; where no place near an arc is free nothing is written, the arc says enough.

    `places`: which place each angle had in the frame before, and has after this.
    """
    size_px = letters_px(page.image)
    for mark in marks:
        word = word_layer(mark.text, _pale(side_colour(mark.name)), size_px)
        chosen = page.write(word, _places(mark.arc, word, size_px), places.get(mark.name))
        if chosen is not None:
            places[mark.name] = chosen


def _pale(colour: Colour) -> Colour:
    """Half-way to white: letters in it are read easily, and their side is still known."""
    red, green, blue = ((channel + 255) // 2 for channel in colour)
    return red, green, blue


def _places(arc: Arc, word: ImageArray, size_px: int) -> IntArray:
    """(n, 2) left and top: outside of the arc first, then farther and to its sides, then behind."""
    size = np.array(word.shape[1::-1])
    turned = np.radians(arc.middle_deg + _ASIDE_DEG)
    directions = np.stack([np.cos(turned), np.sin(turned)], axis=1)
    # half of the word in this direction, so that its edge and not its middle is outside
    reach_px = np.abs(directions) @ size / 2 + np.where(_OUTWARDS, arc.radius_px, 0)
    distances_px = reach_px + size_px * _AWAY
    centres = arc.centre_px + distances_px[:, None] * directions
    places: IntArray = np.rint(centres - size / 2).astype(np.int64)
    return places
