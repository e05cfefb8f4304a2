"""A clip with what was measured written over it: skeletons, arcs of angles, scores, the time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import ANGLES, corner_points
from pose_service.biomechanics.joints import LEAST_CONFIDENCE, observed
from pose_service.biomechanics.movement import FrameMeasures
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Frame
from pose_service.core.skeletons import COCO17
from pose_service.rendering.arcs import Arc, arc_between, draw_arc, fill_arc
from pose_service.rendering.keypoints import KeypointPaint, draw_keypoints, opacity_of
from pose_service.rendering.layers import empty_layer, ink, lay_over
from pose_service.rendering.shading import Colour, colour_of
from pose_service.rendering.strokes import side_colour, stroke_px
from pose_service.rendering.words import Page, Place, letters_px, word_layer
from pose_service.reports.panel import draw_clock, draw_scores

Measures = Mapping[int, Sequence[FrameMeasures]]
"""By track id, what was measured in each frame of the clip, from frame 0 on."""

_WHITE: Colour = (255, 255, 255)
_SECTOR_OPACITY = 0.35
_LIMB_SHARE = 0.3  # an arc's radius by the shorter of its two limbs
_SMALLEST_RADIUS, _LARGEST_RADIUS = 3.5, 13.0  # in line widths; below the first none is drawn
_AWAY = (1.0, 1.5, 2.1)  # how far out a word is tried, in letters from the arc
_ASIDE_DEG = (0.0, 35.0, -35.0, 70.0, -70.0)


@dataclass(frozen=True)
class AnnotationStyle:
    """What is written over the picture.

    Keypoints below `least_confidence` are not drawn. `angles`: of which of `ANGLES` arcs are drawn.
    `scores` shows those of `primary_id`, of the first person in each frame where it is None.
    """

    least_confidence: float = LEAST_CONFIDENCE
    angles: tuple[str, ...] = ANGLES
    ids: bool = True
    clock: bool = True
    scores: bool = True
    primary_id: int | None = None


DEFAULT_STYLE = AnnotationStyle()


@dataclass(frozen=True)
class AngleMark:
    """The arc of one of `ANGLES` in the picture, and the angle that was measured, degrees."""

    name: str
    arc: Arc
    angle_deg: float

    @property
    def text(self) -> str:
        return f"{self.angle_deg:.0f}°"


def annotate(
    frames: Iterable[Frame],
    keypoints: Iterable[KeypointFrame],
    measures: Measures,
    style: AnnotationStyle = DEFAULT_STYLE,
) -> Iterator[ImageArray]:
    """Pictures (height, width, 3) RGB, one for each frame of both; nothing is held."""
    for frame, seen in zip(frames, keypoints, strict=False):
        yield annotated_picture(frame.image, seen, measures, style)


def annotated_picture(
    image: ImageArray,
    seen: KeypointFrame,
    measures: Measures,
    style: AnnotationStyle = DEFAULT_STYLE,
) -> ImageArray:
    """A copy of `image` (height, width, 3) RGB; the frame's first person lies on top."""
    picture = image.copy()
    page = Page(picture)
    if style.clock:
        draw_clock(page, seen.time_s, seen.index)
    if style.scores:
        draw_scores(page, _primary_measures(seen, measures, style), style.least_confidence)
    marks = {
        person.track_id: angle_marks(person, _of_frame(measures, person.track_id, seen.index),
                                     style, stroke_px(image))
        for person in seen.people
    }  # fmt: skip
    _draw_strokes(picture, seen.people, marks, style)
    for person in seen.people:
        if style.ids:
            _write_id(page, person)
        _write_angles(page, marks[person.track_id])
    return picture


def angle_marks(
    person: KeypointPerson, measured: FrameMeasures | None, style: AnnotationStyle, stroke: int
) -> list[AngleMark]:
    """The arcs of the angles that were measured and whose keypoints are all there.

    None of limbs too short in the picture for an arc of `stroke` px line width.
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
        arc = arc_between(first, corner, last, _radius_px(corners[name], stroke))
        if angle_deg is not None and arc is not None and arc.radius_px >= _SMALLEST_RADIUS * stroke:
            marks.append(AngleMark(name, arc, angle_deg))
    return marks


def _radius_px(points_px: FloatArray, stroke: int) -> float:
    """`points_px`: (3, 2) first, corner and last."""
    sides_px = np.linalg.norm(points_px[[0, 2]] - points_px[1], axis=1)
    return min(_LIMB_SHARE * float(sides_px.min()), _LARGEST_RADIUS * stroke)


def _draw_strokes(
    picture: ImageArray,
    people: Sequence[KeypointPerson],
    marks: Mapping[int, list[AngleMark]],
    style: AnnotationStyle,
) -> None:
    if not people:
        return
    layer, stroke = empty_layer(picture), stroke_px(picture)
    paint = KeypointPaint(style.least_confidence, stroke)
    for person in reversed(people):
        opacity = opacity_of(person)
        for mark in marks[person.track_id]:
            colour = side_colour(mark.name)
            fill_arc(layer, mark.arc, ink(colour, _SECTOR_OPACITY * opacity))
            draw_arc(layer, mark.arc, ink(_WHITE, opacity), max(1, stroke - 1))
        draw_keypoints(layer, person, paint)
    lay_over(picture, layer)


def _write_id(page: Page, person: KeypointPerson) -> None:
    word = word_layer(f"#{person.track_id}", colour_of(person.track_id), letters_px(page.image))
    height, width = word.shape[:2]
    left, top, right, _ = person.box_xyxy_px
    if not np.isfinite(person.box_xyxy_px).all():
        return
    across = round(float(left + right - width) / 2)
    page.write(word, [(across, round(float(top)) - height - away) for away in (2, height, -height)])


def _write_angles(page: Page, marks: Iterable[AngleMark]) -> None:
    """Where no place near the arc is free, nothing is written: the arc alone says enough."""
    size_px = letters_px(page.image)
    for mark in marks:
        word = word_layer(mark.text, _WHITE, size_px)
        page.write(word, _places(mark.arc, word, size_px))


def _places(arc: Arc, word: ImageArray, size_px: int) -> Iterator[Place]:
    """Just outside the arc first, then farther out and to its sides, then behind the corner."""
    height, width = word.shape[:2]
    for inwards in (1, -1):
        for away in _AWAY:
            for aside_deg in _ASIDE_DEG:
                x, y = inwards * _turned(arc.middle_direction(), aside_deg)
                # half of the word in this direction, so that its edge and not its middle is outside
                reach_px = abs(x) * width / 2 + abs(y) * height / 2
                distance_px = (arc.radius_px if inwards > 0 else 0) + reach_px
                distance_px += (away - 0.6) * size_px
                centre = arc.centre_px + distance_px * np.array([x, y])
                yield round(float(centre[0] - width / 2)), round(float(centre[1] - height / 2))


def _turned(direction: FloatArray, by_deg: float) -> FloatArray:
    sine, cosine = np.sin(np.radians(by_deg)), np.cos(np.radians(by_deg))
    turned: FloatArray = np.array([[cosine, -sine], [sine, cosine]]) @ direction
    return turned


def _primary_measures(
    seen: KeypointFrame, measures: Measures, style: AnnotationStyle
) -> FrameMeasures | None:
    first = seen.people[0].track_id if seen.people else None
    whose = first if style.primary_id is None else style.primary_id
    return None if whose is None else _of_frame(measures, whose, seen.index)


def _of_frame(measures: Measures, track_id: int, index: int) -> FrameMeasures | None:
    of_track = measures.get(track_id, ())
    return of_track[index] if index < len(of_track) else None
