"""Frames with memory: single pictures of one clip, sent one by one and out of order."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from pose_service.core.records import Frame, Look, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.pipeline.frame_memory import FrameMemory
from pose_service.pipeline.tracking import Step, track_frames

# A caller sends about four frames at a time, in no fixed order.
REORDER_FRAMES = 8
# Frames this far apart are not one movement any more: the session starts anew.
JUMP_FRAMES = 60
MAX_SESSIONS = 64
# One of two sessions is clearly meant if its picture differs by less than this part of the other.
CLEARLY = 0.5
# Pictures of one scene differ by less than this, in the mean over a few patches.
SAME_SCENE_GRAY_LEVELS = 12.0
IMPLIED_AGE_S = 5.0
EXPLICIT_AGE_S = 120.0


@dataclass(frozen=True)
class SessionKey:
    """Whose frame it is: a session named by the caller, or, with None, the caller's address."""

    session_id: str | None
    peer: str


@dataclass(frozen=True)
class SessionFrame:
    """One more frame of a session, which `sessions` keep; its index is the caller's number."""

    frame: Frame
    key: SessionKey
    sessions: "SessionStore"


# Whose session it is, and a serial number: a caller may have several implied ones.
_Place = tuple[SessionKey, int]


@dataclass
class _Session:
    memory: FrameMemory
    explicit: bool
    last_used_s: float

    def may_take(self, frame: Frame) -> bool:
        """Whether `frame` can be one more frame of the movement that is followed."""
        if self.memory.size_px != (frame.width_px, frame.height_px):
            return False
        ahead = frame.index - self.memory.newest
        if self.explicit:
            return abs(ahead) <= JUMP_FRAMES
        return abs(ahead) <= REORDER_FRAMES and not self.memory.has_seen(frame.index)


class SessionStore:
    """The sessions of all callers, bounded in number and age.

    An implied session goes on with frames of the same size from the same address whose numbers
    follow closely and are new to it. A frame that two implied sessions could claim goes to the one
    whose last picture it clearly resembles more. Where it resembles none it joins none and is
    answered from the picture alone, for a clip must never leak into another.

    Used by the owner of the nets only; it needs no lock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[_Place, _Session] = OrderedDict()
        self._serial = count()

    def __len__(self) -> int:
        return len(self._sessions)

    def step(self, engine: Engine, asked: Sequence[SessionFrame]) -> list[TrackedFrame]:
        """The people of each frame, the primary first. Runs nets: call it on their owner only.

        Frames of several sessions are looked at together, those of one in their order. Should the
        nets fail, no session has taken any of the frames.
        """
        self._forget_old()
        waiting = [self._expect(engine, one) for one in asked]
        tracked: dict[_Waiting, TrackedFrame] = {}
        try:
            while turn := _next_turn([one for one in waiting if one not in tracked]):
                tracked.update(zip(turn, _looked_at(engine, turn), strict=True))
        finally:
            for one in waiting:
                if one not in tracked:
                    one.memory.cancel(one.frame.index)
        return [tracked[one] for one in waiting]

    def _expect(self, engine: Engine, asked: SessionFrame) -> "_Waiting":
        """The session's memory, told at once that the frame comes: the next may follow on it."""
        memory = self._find(engine, asked.frame, asked.key).memory
        memory.expect(asked.frame.index)
        return _Waiting(memory, asked.frame)

    def _find(self, engine: Engine, frame: Frame, key: SessionKey) -> _Session:
        own = list(self._of(key))
        claims = [place for place in own if self._sessions[place].may_take(frame)]
        if (claim := self._clearest(claims, frame)) is not None:
            return self._used(claim)
        explicit = key.session_id is not None
        session = _Session(FrameMemory(engine, frame), explicit, self._clock())
        if len(claims) > 1:
            return session
        if explicit:
            for place in own:
                del self._sessions[place]
        self._sessions[key, next(self._serial)] = session
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def _clearest(self, claims: list[_Place], frame: Frame) -> _Place | None:
        """The only claim, or the one that stands out; None where there is none of either.

        Of sessions that show the same scene the latest goes on and the others end: a clip that is
        sent anew repeats the numbers of its first frames, not of the later ones.
        """
        if len(claims) < 2:
            return claims[0] if claims else None
        differences = {
            place: self._sessions[place].memory.difference(frame) for place in claims
        }  # fmt: skip
        first, second = sorted(claims, key=differences.__getitem__)[:2]
        if differences[first] < CLEARLY * differences[second]:
            return first
        if differences[second] > SAME_SCENE_GRAY_LEVELS:
            return None
        *ended, latest = sorted(claims, key=lambda place: place[1])
        for place in ended:
            del self._sessions[place]
        return latest

    def _of(self, key: SessionKey) -> Iterator[_Place]:
        return (place for place in self._sessions if place[0] == key)

    def _used(self, place: _Place) -> _Session:
        session = self._sessions[place]
        session.last_used_s = self._clock()
        self._sessions.move_to_end(place)
        return session

    def _forget_old(self) -> None:
        now = self._clock()
        for place, session in list(self._sessions.items()):
            age_s = EXPLICIT_AGE_S if session.explicit else IMPLIED_AGE_S
            if now - session.last_used_s > age_s:
                del self._sessions[place]


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A frame that is still to be looked at."""

    memory: FrameMemory
    frame: Frame


def _next_turn(waiting: Sequence[_Waiting]) -> list[_Waiting]:
    """Those that can be looked at together: of each session as many as its tracker can."""
    ahead: Counter[FrameMemory] = Counter()
    turn = []
    for one in waiting:
        ahead[one.memory] += 1
        if ahead[one.memory] <= one.memory.tracker.lookahead:
            turn.append(one)
    return turn


def _looked_at(engine: Engine, turn: Sequence[_Waiting]) -> list[TrackedFrame]:
    started = time.perf_counter()
    steps = [Step(one.memory.tracker, one.frame) for one in turn]
    tracked = track_frames(engine, steps, Look.SESSION)
    people = [
        one.memory.take(one.frame, of_frame.people)
        for one, of_frame in zip(turn, tracked, strict=True)
    ]
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return [
        TrackedFrame(one.frame.index, one.frame.time_s, one.memory.camera, of_frame, elapsed_ms)
        for one, of_frame in zip(turn, people, strict=True)
    ]
