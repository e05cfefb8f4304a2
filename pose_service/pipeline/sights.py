"""What the nets answered of each frame of a clip, kept on disk in chunks.

A clip that is taken up again, after whatever ended the process, asks no net a second time for a
frame whose chunk is there: the tracker walks through the same answers and comes to the same tracks.
So may chunks be made elsewhere.
"""

import os
from pathlib import Path
from typing import Protocol

from pose_service.pipeline.sight_chunks import Sights, read_chunk, write_chunk

CHUNK_FRAMES = 60


class Elsewhere(Protocol):
    """Others who make chunks of a clip, or made them. What fails there is not told here."""

    def offer(self, made_by: str, count: int) -> None:
        """The first so many chunks may be made by others; 0 for none."""
        ...

    def bring(self, number: int, target: Path) -> None:
        """Lay a chunk to `target` if somebody has made it; who asks makes it otherwise."""
        ...

    def made(self, number: int, path: Path) -> None:
        """A chunk was made here."""
        ...

    def finish(self) -> None:
        """No chunk is wanted any more."""
        ...


class SightStore:
    """The chunks of one clip in a folder, each there whole or not at all.

    `made_by` says what looked, at what and how; chunks that were made by another are removed.
    A chunk that is not there is asked for `elsewhere`. Used by one thread; memory holds two chunks
    at most.
    """

    def __init__(self, folder: Path, made_by: str, elsewhere: Elsewhere | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._note = folder / "sights.made-by"
        self._made_by = made_by
        self._elsewhere = elsewhere
        self._own(made_by)
        self._opened: tuple[int, list[Sights]] = (-1, [])
        self._waiting: list[Sights] = []

    def offer(self, count: int) -> None:
        """Let others make the first so many chunks."""
        if self._elsewhere is not None:
            self._elsewhere.offer(self._made_by, count)

    def finish(self) -> None:
        """All frames were asked for."""
        if self._elsewhere is not None:
            self._elsewhere.finish()

    def get(self, frame_index: int) -> Sights | None:
        """What is known of a frame; None where its chunk is not there."""
        number, place = divmod(frame_index, CHUNK_FRAMES)
        if self._opened[0] != number:
            path = self.chunk_path(number)
            if self._elsewhere is not None and not path.is_file():
                self._elsewhere.bring(number, path)
            self._opened = (number, read_chunk(path))
        chunk = self._opened[1]
        return chunk[place] if place < len(chunk) else None

    def keep(self, frame_index: int, sights: Sights) -> None:
        """Keep what the nets answered of a frame that `get` does not know, in the frames' order.

        A chunk is written with its last frame: what does not fill one is asked for again.
        """
        number, place = divmod(frame_index, CHUNK_FRAMES)
        if place != len(self._waiting):
            raise ValueError(f"frame {frame_index}: expected place {len(self._waiting)} of a chunk")
        self._waiting.append(sights)
        if len(self._waiting) == CHUNK_FRAMES:
            path = self.chunk_path(number)
            write_chunk(path, self._waiting)
            self._waiting = []
            if self._elsewhere is not None:
                self._elsewhere.made(number, path)

    def chunk_path(self, number: int) -> Path:
        """Where the frames from `number` times `CHUNK_FRAMES` on lie."""
        return self._folder / f"sights-{number:06d}.npz"

    def _remove(self) -> None:
        for path in self._folder.glob("sights*"):
            path.unlink(missing_ok=True)

    def _own(self, made_by: str) -> None:
        if self._note.is_file() and self._note.read_text(encoding="utf-8") == made_by:
            return
        self._remove()
        part = self._note.with_suffix(".part")
        part.write_text(made_by, encoding="utf-8")
        os.replace(part, self._note)
