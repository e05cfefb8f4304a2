"""Scripted scenes of coloured rectangles, and a toy engine that knows people by their colour.

Its tracker gives up after `GIVE_UP_FRAMES`, as trackers do with people who are hidden for long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from makers import clip_file
from toy_engine import ToyTracker, toy_engine

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Observation
from pose_service.engines.seam import Engine

GIVE_UP_FRAMES = 10
SIZE = (320, 240)
YELLOW, CYAN, MAGENTA = (255, 255, 0), (0, 255, 255), (255, 0, 255)


@dataclass(frozen=True)
class Actor:
    """Somebody who is seen in `frames` at `box_at(frame)`, xyxy pixels."""

    colour: tuple[int, int, int]
    frames: Sequence[int]
    box_at: Callable[[int], tuple[int, int, int, int]]


def standing(x: int, *, height: int = 160) -> Callable[[int], tuple[int, int, int, int]]:
    """A box of this height that stays at x."""
    return lambda frame: (x, 40, x + 60, 40 + height)


def without(count: int, *hidden: range) -> list[int]:
    """The frames of a clip of `count` that are in none of `hidden`."""
    return [frame for frame in range(count) if not any(frame in gap for gap in hidden)]


def scene(path: Path, count: int, *actors: Actor) -> Path:
    """A clip of `count` frames at 30 a second."""
    return clip_file(path, [_picture(frame, actors) for frame in range(count)])


def _picture(frame: int, actors: Sequence[Actor]) -> ImageArray:
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for actor in actors:
        if frame in actor.frames:
            x1, y1, x2, y2 = actor.box_at(frame)
            image[y1:y2, x1:x2] = actor.colour
    return image


class ColourTracker(ToyTracker):
    """The toy tracker, which tells people's colours and forgets whom it does not see."""

    lookahead = 1

    def __init__(self) -> None:
        super().__init__()
        self._seen_at: dict[int, int] = {}

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        for track_id, seen_at in self._seen_at.items():
            if frame_index - seen_at > GIVE_UP_FRAMES:
                self._boxes[track_id] = np.full(4, -1.0)
        tracked = super().update(frame_index, image, observations)
        self._seen_at |= {seen.track_id: frame_index for seen in tracked}
        return [replace(seen, appearance=colours(image, seen.box_xyxy_px)) for seen in tracked]


def colours(image: ImageArray, box_xyxy_px: FloatArray) -> FloatArray:
    """(27,) histogram over red, green and blue inside a box; its sum is 1."""
    x1, y1, x2, y2 = box_xyxy_px.astype(int)
    counts, _ = np.histogramdd(image[y1:y2, x1:x2].reshape(-1, 3), bins=3, range=((0, 256),) * 3)
    histogram: FloatArray = counts.ravel() / counts.sum()
    return histogram


def colour_engine() -> Engine:
    """The toy engine with a `ColourTracker`."""
    return replace(toy_engine(), new_tracker=lambda fps: ColourTracker(), frames_together=1)


class Nets:
    """Lends an engine without a thread."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine or toy_engine()

    def wait(self, timeout_s: float) -> Engine:
        return self._engine

    def run_clip(self, work: Callable[[Engine], Any]) -> Any:
        return work(self._engine)
