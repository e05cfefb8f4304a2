"""The binary part of a GLB file: arrays one after the other, and what the JSON part says of them.

glTF 2.0 specification, sections 3.6 (accessors) and 4.4 (the container).
"""

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_COMPONENTS = {"float32": 5126, "uint32": 5125, "uint8": 5121}
_TYPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
VERTICES, TRIANGLES = 34962, 34963
"""What a buffer's part is used for, in the words of glTF."""

_ALIGNED = 4
_PIECE_ROWS = 16384
_MAGIC, _VERSION, _JSON_CHUNK, _BINARY_CHUNK = b"glTF", 2, b"JSON", b"BIN\0"


class GlbBuffer:
    """Arrays are referred to, not copied, until `pieces` writes them; they may lie on disk."""

    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self._arrays: list[Array] = []
        self._size = 0

    def add(self, array: Array, target: int | None = None, *, bounds: bool = False) -> int:
        """The accessor of `array`: (n, ...) rows, each a number, a vector or a 4 x 4 matrix.

        With `bounds` the least and greatest of each number are told, where glTF wants them.
        """
        view = {"buffer": 0, "byteOffset": self._size, "byteLength": array.nbytes}
        self.views.append(view if target is None else {**view, "target": target})
        accessor = {
            "bufferView": len(self.views) - 1,
            "componentType": _COMPONENTS[array.dtype.name],
            "count": len(array),
            "type": _TYPES[array.shape[1:]],
        }
        if bounds:
            rows = array.reshape(len(array), -1)
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        self.accessors.append(accessor)
        self._arrays.append(array)
        self._size += _padded(array.nbytes)
        return len(self.accessors) - 1

    def file(self, document: dict[str, Any]) -> Iterator[bytes]:
        """The whole file; `document` is the JSON part without what this buffer knows."""
        whole = {
            **document,
            "buffers": [{"byteLength": self._size}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }
        text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()
        text = text.ljust(_padded(len(text)))
        total = 12 + 8 + len(text) + 8 + self._size
        yield _MAGIC + struct.pack("<II", _VERSION, total)
        yield struct.pack("<I", len(text)) + _JSON_CHUNK + text
        yield struct.pack("<I", self._size) + _BINARY_CHUNK
        for array in self._arrays:
            for start in range(0, len(array), _PIECE_ROWS):
                yield np.ascontiguousarray(array[start : start + _PIECE_ROWS]).tobytes()
            yield b"\0" * (_padded(array.nbytes) - array.nbytes)


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
