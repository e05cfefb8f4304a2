"""One picture with what was measured written over it: skeletons, arcs of angles, scores, time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.joints import LEAST_CONFIDENCE
from pose_service.biomechanics.movement import FrameMeasures
from pose_service.core.arrays import ImageArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Frame, Provenance
from pose_service.rendering.keypoints import (
    KeypointPaint,
    draw_keypoints,
    opacity_of,
    skeleton_marks_px,
)
from pose_service.rendering.layers import empty_layer, lay_over
from pose_service.rendering.shading import colour_of
from pose_service.rendering.strokes import stroke_px
from pose_service.rendering.words import Page, letters_px, word_layer
from pose_service.reports.marks import AngleMark, MarkStyle, angle_marks, draw_arcs, write_angles
from pose_service.reports.panel import draw_clock, draw_scores

Measures = Mapping[int, Sequence[FrameMeasures]]
"""By track id, what was measured in each frame of the clip, from frame 0 on."""


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


_MARGIN = 16
"""Line widths around keypoints within which all is that is drawn of them."""

DEFAULT_STYLE = AnnotationStyle()


@dataclass(frozen=True)
class AnnotatedClip:
    """A clip's frames, what was seen and measured in them, and how that is to be shown."""

    frames: Iterable[Frame]
    keypoints: Iterable[KeypointFrame]
    measures: Measures
    style: AnnotationStyle = DEFAULT_STYLE

    def pairs(self) -> Iterator[tuple[Frame, KeypointFrame]]:
        """Of every frame that has both."""
        return zip(self.frames, self.keypoints, strict=False)


class Annotator:
    """Writes over the frames of a clip, in their order: words stay where they were if they can."""

    def __init__(self, measures: Measures, style: AnnotationStyle = DEFAULT_STYLE) -> None:
        self._measures, self._style = measures, style
        self._places: dict[int, dict[str, int]] = {}

    def picture(self, image: ImageArray, seen: KeypointFrame) -> ImageArray:
        """A copy of `image` (height, width, 3) RGB; the frame's first person lies on top."""
        picture, style = image.copy(), self._style
        marked = [skeleton_marks_px(person, style.least_confidence) for person in seen.people]
        page = Page(picture, np.concatenate([np.zeros((0, 2)), *marked]))
        if style.clock:
            draw_clock(page, seen.time_s, seen.index)
        if style.scores:
            draw_scores(
                page, _primary_measures(seen, self._measures, style), style.least_confidence
            )
        shown = [(person, self._marks(person, seen.index, picture)) for person in seen.people]
        for person, marks in reversed(shown):
            _draw_person(picture, person, marks, style)
        for person, marks in shown:
            if style.ids:
                _write_id(page, person)
            write_angles(page, marks, self._places.setdefault(person.track_id, {}))
        return picture

    def _marks(self, person: KeypointPerson, index: int, picture: ImageArray) -> list[AngleMark]:
        style = MarkStyle(self._style.angles, self._style.least_confidence, stroke_px(picture))
        return angle_marks(person, measures_at(self._measures, person.track_id, index), style)


def measures_at(measures: Measures, track_id: int, index: int) -> FrameMeasures | None:
    """Of this track in this frame; None where nothing was measured."""
    of_track = measures.get(track_id, ())
    return of_track[index] if index < len(of_track) else None


def _draw_person(
    picture: ImageArray,
    person: KeypointPerson,
    marks: Sequence[AngleMark],
    style: AnnotationStyle,
) -> None:
    stroke = stroke_px(picture)
    rows, columns = _region(person, picture.shape, _MARGIN * stroke)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    layer = empty_layer(picture)
    draw_arcs(layer, marks, opacity_of(person), stroke)
    draw_keypoints(layer, person, KeypointPaint(style.least_confidence, stroke))
    lay_over(picture[rows, columns], layer[rows, columns])


def _region(person: KeypointPerson, shape: tuple[int, ...], margin_px: int) -> tuple[slice, slice]:
    """Rows and columns in which anything is drawn of this person: the rest is not looked at."""
    known = person.points_px[np.isfinite(person.points_px).all(axis=1)]
    if not len(known):
        return slice(0, 0), slice(0, 0)
    ends = np.stack([known.min(axis=0) - margin_px, known.max(axis=0) + margin_px])
    (left, top), (right, bottom) = np.clip(ends, 0, shape[1::-1]).astype(int).tolist()
    return slice(top, bottom), slice(left, right)


def _write_id(page: Page, person: KeypointPerson) -> None:
    """Above the head, or where there is room about the top of the box; says who was not seen."""
    if not np.isfinite(person.box_xyxy_px).all():
        return
    unseen = person.provenance is not Provenance.OBSERVED
    text = f"#{person.track_id} {person.provenance}" if unseen else f"#{person.track_id}"
    word = word_layer(text, colour_of(person.track_id), letters_px(page.image))
    height, width = word.shape[:2]
    left, top, right, _ = person.box_xyxy_px.tolist()
    across = round((left + right - width) / 2)
    downs = (-2 - height, -2 * height, height)
    page.write(word, np.array([(across, round(top) + down) for down in downs]))


def _primary_measures(
    seen: KeypointFrame, measures: Measures, style: AnnotationStyle
) -> FrameMeasures | None:
    first = seen.people[0].track_id if seen.people else None
    whose = first if style.primary_id is None else style.primary_id
    return None if whose is None else measures_at(measures, whose, seen.index)
