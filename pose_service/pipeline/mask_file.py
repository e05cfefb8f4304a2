"""Masks of a clip on disk, one after the other: they differ in length."""

from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from pose_service.core.masks import Mask

_RUN: Final = np.dtype(np.uint32)


class MaskPlace(NamedTuple):
    """Where a mask lies, counted in runs, and the picture's size; no runs for no mask."""

    start: int
    runs: int
    height_px: int
    width_px: int


_NOWHERE: Final = MaskPlace(0, 0, 0, 0)


class MaskFile:
    """Append all masks, then read any of them; the file is removed by `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._runs = 0

    def append(self, mask: Mask | None) -> MaskPlace:
        """Where `mask` lies from now on."""
        if mask is None:
            return _NOWHERE
        place = MaskPlace(self._runs, len(mask.runs), mask.height_px, mask.width_px)
        self._file.write(mask.runs.astype(_RUN).tobytes())
        self._runs += place.runs
        return place

    def read(self, place: MaskPlace) -> Mask | None:
        """The mask that `append` put there."""
        if not place.runs:
            return None
        self._file.seek(place.start * _RUN.itemsize)
        data = self._file.read(place.runs * _RUN.itemsize)
        return Mask(place.height_px, place.width_px, np.frombuffer(data, _RUN).astype(np.int64))

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)
