"""Chunks of a clip looked at without its tracker, where the engine's frames stand apart."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from pose_service.core.records import Frame, Look
from pose_service.engines.seam import Engine
from pose_service.media.decode import Clip
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.first_pass import ClipNets, groups, tracker_of
from pose_service.pipeline.sight_chunks import Sights, write_chunk
from pose_service.pipeline.sights import CHUNK_FRAMES


class ChunkMaker:
    """Asks the nets for whole chunks, in the very groups of frames that the first pass has.

    A chunk that follows the one before is decoded on; any other is decoded to from the start.
    `go_on` is called all the time, also on another thread, and may raise to end the work.
    """

    def __init__(self, nets: ClipNets, clip: Clip, go_on: Callable[[], None]) -> None:
        self._nets = nets
        self._clip = clip
        self._go_on = go_on
        self._next = -1
        self._frames: Generator[Frame, None, None] | None = None
        _, self._together = nets.run_clip(partial(tracker_of, fps=clip.fps_hint))

    def make(self, number: int, path: Path) -> bool:
        """Write a chunk to `path`; False if the clip ends before it is full."""
        frames = self._frames_of(number)
        made: list[Sights] = []
        for group in groups(islice(frames, CHUNK_FRAMES), self._together):
            self._go_on()
            made += self._nets.run_clip(partial(_look_at, frames=group))
        if len(made) < CHUNK_FRAMES:
            return False
        write_chunk(path, made)
        self._next = number + 1
        return True

    def close(self) -> None:
        """Hold the clip open no longer."""
        if self._frames is not None:
            self._frames.close()

    def _frames_of(self, number: int) -> Generator[Frame, None, None]:
        if self._frames is None or number != self._next:
            self.close()
            self._next = -1
            first = number * CHUNK_FRAMES
            self._frames = prefetch(self._clip.frames_from(first, self._go_on))
        return self._frames


def _look_at(engine: Engine, frames: Sequence[Frame]) -> list[Sights]:
    """As `tracking.track_frames` does for a tracker whose regions are the finds."""
    images = [frame.image for frame in frames]
    found = engine.detector.detect(images, Look.CLIP)
    seen = engine.regressor.observe(images, found, Look.CLIP)
    return [Sights(*of_frame) for of_frame in zip(found, seen, strict=True)]
