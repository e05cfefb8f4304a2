"""`.npz` archives: plain arrays only, and only those that are asked for."""

import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.runtime.opening.content import Content, WantedFile, require


def open_npz(path: Path, wanted: WantedFile, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Those of `names` that the archive `path` has; nothing else in it is read.

    Raises `EngineError` if it is no such archive, is damaged, or one of `names` holds Python
    objects instead of numbers.
    """
    require(path, wanted, Content.NPZ)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names if name in archive.files}
    except (EOFError, KeyError, MemoryError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise wanted.error(
            path, f"it is damaged, or holds Python objects instead of numbers ({error})"
        ) from error
