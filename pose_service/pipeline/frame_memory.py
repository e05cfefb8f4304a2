"""What one session remembers: where everybody was in the last frames, to fill the next ones."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import Frame, Observation, Person
from pose_service.engines.seam import Engine
from pose_service.pipeline.gaps import KnownTrack, fill
from pose_service.pipeline.image import box_area_px, observed_people

# The clip's rate is not known from single pictures: times are as at this usual rate.
ASSUMED_FPS = 30.0
# So long a missing person is foretold, in frames since (or before) the last sight.
REACH_FRAMES = 30
SIGHTS_KEPT = 24
NUMBERS_KEPT = 256


@dataclass
class _Memory:
    """The last sights of one person by frame number; bounded."""

    sights: dict[int, Person] = field(default_factory=dict)

    def add(self, index: int, person: Person) -> None:
        self.sights[index] = person
        while len(self.sights) > SIGHTS_KEPT:
            del self.sights[min(self.sights)]

    def known(self) -> KnownTrack:
        frames = np.array(sorted(self.sights))
        return KnownTrack(frames, frames / ASSUMED_FPS, [self.sights[i] for i in frames.tolist()])

    def distance(self, index: int) -> int:
        return min(abs(index - known) for known in self.sights)


class FrameMemory:
    """The state of one session: its tracker and the last sights of everybody in it."""

    def __init__(self, engine: Engine, first: Frame) -> None:
        self.size_px = (first.width_px, first.height_px)
        self.tracker = engine.new_tracker(ASSUMED_FPS)
        self._first = first.index
        self._engine = engine
        self.camera = engine.camera(*self.size_px)
        self._people: dict[int, _Memory] = {}
        self._numbers: deque[int] = deque(maxlen=NUMBERS_KEPT)
        self._primary_id: int | None = None
        self._thumbnail = _thumbnail(first)

    @property
    def newest(self) -> int:
        """The highest of the last frame numbers, or the first before it was seen."""
        return max(self._numbers, default=self._first)

    def has_seen(self, index: int) -> bool:
        return index in self._numbers

    def expect(self, index: int) -> None:
        """Frame `index` will be seen next; `cancel` takes that back if it could not be."""
        self._numbers.append(index)

    def cancel(self, index: int) -> None:
        self._numbers.remove(index)

    def difference(self, frame: Frame) -> float:
        """How much `frame` differs from the last picture of the session, in gray levels."""
        return float(np.mean(np.abs(_thumbnail(frame) - self._thumbnail)))

    def take(self, frame: Frame, seen: Sequence[Observation]) -> tuple[Person, ...]:
        """The people of `frame`: `seen` in it by the tracker, or foretold from frames around it."""
        poses = self._engine.regressor.solve(seen, self.camera)
        observed = observed_people(seen, poses, [one.track_id for one in seen])
        missing = self._foretell(frame.index, {person.track_id for person in observed})
        self._remember(frame.index, observed)
        if observed:
            self._thumbnail = _thumbnail(frame)
        return self._primary_first([*observed, *missing])

    def _foretell(self, index: int, present: set[int]) -> list[Person]:
        """Who was seen around this frame and not in it, unless they have left the picture."""
        absent = [
            memory.known()
            for track_id, memory in self._people.items()
            if track_id not in present and memory.distance(index) <= REACH_FRAMES
        ]
        frames = np.array([index])
        times_s = frames / ASSUMED_FPS
        filled = [fill(known, frames, times_s, self._engine.live, self.camera) for known in absent]
        return [person for (person,) in filled if self._is_in_picture(person)]

    def _is_in_picture(self, person: Person) -> bool:
        left, top, right, bottom = person.box_xyxy_px
        width, height = self.size_px
        return bool(right > 0 and bottom > 0 and left < width and top < height)

    def _remember(self, index: int, observed: tuple[Person, ...]) -> None:
        for person in observed:
            self._people.setdefault(person.track_id, _Memory()).add(index, person)
        self._people = {
            track_id: memory
            for track_id, memory in self._people.items()
            if memory.distance(self.newest) <= 2 * REACH_FRAMES
        }

    def _primary_first(self, people: list[Person]) -> tuple[Person, ...]:
        """The primary stays the same while it is remembered; else the largest takes its place."""
        by_size = sorted(people, key=box_area_px, reverse=True)
        if self._primary_id not in self._people:
            self._primary_id = by_size[0].track_id if by_size else None
        return tuple(sorted(by_size, key=lambda person: person.track_id != self._primary_id))


def _thumbnail(frame: Frame) -> FloatArray:
    """(8, 8) mean gray levels."""
    small = cv2.resize(frame.image, (8, 8), interpolation=cv2.INTER_AREA)
    gray: FloatArray = small.mean(axis=2)
    return gray
