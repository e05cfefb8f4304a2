"""A joblib file as a stream that an unpickler reads: unpacked a piece at a time, never trusted."""

import zlib
from io import BufferedReader, RawIOBase
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE_BYTES = 64 * 1024
# numbers hardly pack, and masks and paths are a small part of a file: real ones are packed 2 to 10
# times. Small files may be all text.
_MOST_UNPACKED = 50
_ALWAYS_UNPACKED_BYTES = 16 * 1024**2

_ZLIB, _PICKLED = b"\x78", b"\x80"


class JoblibSource:
    """Reads as binary files do, from a file that is packed by zlib or not packed at all.

    It has no `peek`: an unpickler that could look ahead would swallow the numbers between its
    instructions. `is_known` tells whether the file begins as one of the two. `ValueError` where it
    is damaged, and for a small file that unpacks without end.
    """

    def __init__(self, path: Path) -> None:
        file = path.open("rb")
        start = file.peek(1)[:1]
        self.is_known = start in (_ZLIB, _PICKLED)
        self._unpacked: _Unpacked | None = None
        self._reader = file
        if start == _ZLIB:
            most = max(_ALWAYS_UNPACKED_BYTES, _MOST_UNPACKED * path.stat().st_size)
            self._unpacked = _Unpacked(file, most)
            self._reader = BufferedReader(self._unpacked, _PIECE_BYTES)
        self.read = self._reader.read
        self.readline = self._reader.readline

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def expect_end(self) -> None:
        """`ValueError` unless nothing follows and the file's checksum is right."""
        if self.read(1) or (self._unpacked is not None and not self._unpacked.is_whole):
            raise ValueError("something follows, or its end is missing")


class _Unpacked(RawIOBase):
    """What zlib packed, up to `most_bytes` of it."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        self._file = file
        self._left = most_bytes
        self._unpacker = zlib.decompressobj()

    @property
    def is_whole(self) -> bool:
        """Whether the end was reached, and the checksum that stands there was right."""
        return self._unpacker.eof

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        piece = self._piece(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _piece(self, size: int) -> bytes:
        """At most `size` bytes; none only at the end."""
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._file.read(_PIECE_BYTES)
            try:
                piece = self._unpacker.decompress(packed, size)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            self._left -= len(piece)
            if self._left < 0:
                raise ValueError("it unpacks to far more than such a file holds")
            if piece or not packed:
                return piece
        return b""
