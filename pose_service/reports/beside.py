"""Two clips of the same movement side by side, the second one in step with the first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import cv2
import numpy as np

from pose_service.biomechanics.comparison import Comparison
from pose_service.core.arrays import FloatArray, ImageArray, expect_shape
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.reports.picture import AnnotatedClip, Annotator

T = TypeVar("T")

_GAP_PX = 4
"""Between the two pictures, black."""


@dataclass(frozen=True)
class StepTimes:
    """Which time of the second clip belongs to each time of the first; both (n,), not falling."""

    times_s: FloatArray
    other_times_s: FloatArray

    def __post_init__(self) -> None:
        expect_shape("times_s", self.times_s, ("n",))
        expect_shape("other_times_s", self.other_times_s, (len(self.times_s),))

    @classmethod
    def of(cls, comparison: Comparison) -> "StepTimes":
        """As `biomechanics.comparison.compare` put them in step."""
        return cls(comparison.times_s, comparison.other_times_s)

    def other_s(self, time_s: float) -> float:
        """Between two known times a straight line; before the first and after the last, theirs."""
        return float(np.interp(time_s, self.times_s, self.other_times_s))


@dataclass(frozen=True)
class SecondClip:
    """The clip on the right, and which of its times belongs to which of the first clip."""

    clip: AnnotatedClip
    step: StepTimes


def beside(first: AnnotatedClip, second: SecondClip) -> Iterator[tuple[float, ImageArray]]:
    """Time and picture of every frame of the first clip, the second's that belongs to it at right.

    Both are as high as the first, each has its own clock. Neither clip is held; where the second
    has no frame at all there is nothing.
    """
    others = Nearest((seen.time_s, (frame, seen)) for frame, seen in second.clip.pairs())
    on_left = Annotator(first.measures, first.style)
    on_right = Annotator(second.clip.measures, second.clip.style)
    for frame, seen in first.pairs():
        other = others.at(second.step.other_s(seen.time_s))
        if other is None:
            return
        image, other_seen = as_high(other[0].image, other[1], frame.height_px)
        left, right = on_left.picture(frame.image, seen), on_right.picture(image, other_seen)
        gap = np.zeros((frame.height_px, _GAP_PX, 3), np.uint8)
        yield seen.time_s, np.hstack([left, gap, right])


class Nearest(Generic[T]):
    """Of timed items, in time, the nearest to each time that is asked for; holds two of them."""

    def __init__(self, timed: Iterable[tuple[float, T]]) -> None:
        self._items = iter(timed)
        self._now = next(self._items, None)
        self._after = next(self._items, None)

    def at(self, time_s: float) -> T | None:
        """Times must not fall. None where there are no items."""
        if self._now is None:
            return None
        while self._after is not None and self._after[0] - time_s <= time_s - self._now[0]:
            self._now, self._after = self._after, next(self._items, None)
        return self._now[1]


def as_high(
    image: ImageArray, seen: KeypointFrame, height_px: int
) -> tuple[ImageArray, KeypointFrame]:
    """The picture and what was seen in it at another height, in proportion."""
    height, width = image.shape[:2]
    size = (max(1, round(width * height_px / height)), height_px)
    if size == (width, height):
        return image, seen
    way = cv2.INTER_AREA if height_px < height else cv2.INTER_LINEAR
    scale = np.array(size) / (width, height)
    people = tuple(_scaled(person, scale) for person in seen.people)
    resized = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    return resized, replace(seen, people=people)


def _scaled(person: KeypointPerson, scale: FloatArray) -> KeypointPerson:
    box = person.box_xyxy_px * np.tile(scale, 2)
    return replace(person, points_px=person.points_px * scale, box_xyxy_px=box)
