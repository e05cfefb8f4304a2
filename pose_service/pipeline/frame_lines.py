"""Frames on disk, a line of JSON each, and a head that says that all of them are there."""

import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import IO, Literal, Protocol

import numpy as np

from pose_service.core.errors import NotFoundError

FRAMES_NAME = "frames.ndjson"
HEAD_NAME = "result.json"
STARTS_NAME = "frames.starts"
"""Eight bytes per frame, little-endian: where its line begins. A slice need not be sought."""

_START_BYTES = 8


class ResultFile(Protocol):
    """What is read of a file: a `Path` has it, and so has an object of a store."""

    def open(self, mode: Literal["rb"]) -> AbstractContextManager[IO[bytes]]: ...

    def read_bytes(self) -> bytes: ...


class ResultFolder(Protocol):
    """What is read of a folder: a `Path` has it, and so has a prefix of a store."""

    def __truediv__(self, name: str) -> ResultFile: ...


def write_lines(folder: Path, lines: Iterable[bytes]) -> None:
    """`lines`, each with its line end, one at a time, and where each begins."""
    starts = array("Q")
    with (folder / FRAMES_NAME).open("wb") as file:
        for line in lines:
            starts.append(file.tell())
            file.write(line)
    (folder / STARTS_NAME).write_bytes(np.asarray(starts, "<u8").tobytes())


def write_head(folder: Path, head: bytes) -> None:
    """Last, and in one step: a folder that has a head is whole."""
    part = folder / f"{HEAD_NAME}.part"
    part.write_bytes(head)
    os.replace(part, folder / HEAD_NAME)


def read_head(folder: ResultFolder) -> bytes:
    """`NotFoundError` if no complete result lies in `folder`."""
    try:
        return (folder / HEAD_NAME).read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("the result of this clip is not there") from error


def read_lines(folder: ResultFolder, start: int, stop: int | None) -> Iterator[bytes]:
    """The lines `start` up to, not including, `stop`, in order."""
    offset = _start_of(folder, start) if start else 0
    with (folder / FRAMES_NAME).open("rb") as file:
        if offset is not None:
            file.seek(offset)
            stop = None if stop is None else stop - start
            start = 0
        yield from islice(file, start, stop)


def _start_of(folder: ResultFolder, frame: int) -> int | None:
    """Where the line of `frame` begins; None in a result that is older than the list of it."""
    try:
        with (folder / STARTS_NAME).open("rb") as file:
            file.seek(_START_BYTES * frame)
            return int.from_bytes(file.read(_START_BYTES), "little")
    except (FileNotFoundError, NotFoundError):
        return None
