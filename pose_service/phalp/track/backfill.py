"""People of each frame, with the first sights of those who are believed only later."""

from collections import deque
from collections.abc import Iterable, Iterator

from pose_service.phalp.track.frames import TrackedFrame, TrackedPerson


def confirmed_people(
    frames: Iterable[TrackedFrame], n_init: int = 5
) -> Iterator[tuple[int, list[TrackedPerson]]]:
    """(frame index, people) of each of `frames`, `n_init` - 1 late: nobody can be added any more.

    The sight that confirms a track confirms its sights in the frames before, which stand last
    there. A track that ends unconfirmed is in no frame. Source: phalp/trackers/PHALP.py. Holds
    `n_init` frames.
    """
    waiting: deque[_Frame] = deque()
    for frame in frames:
        for person in frame.people:
            if person.began:
                for earlier in reversed(waiting):
                    earlier.confirm(person.track_id)
        waiting.append(_Frame(frame))
        if len(waiting) == n_init:
            yield waiting.popleft().result
    yield from (frame.result for frame in waiting)


class _Frame:
    """A frame whose people may still grow."""

    def __init__(self, frame: TrackedFrame) -> None:
        self.result = (frame.frame_index, [who for who in frame.people if who.confirmed])
        self._tentative = {who.track_id: who for who in frame.people if not who.confirmed}

    def confirm(self, track_id: int) -> None:
        if track_id in self._tentative:
            self.result[1].append(self._tentative[track_id])
