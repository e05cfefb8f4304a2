"""Dictionaries in joblib's format, written piece by piece.

`joblib.dump(dictionary, file, compress=3)` keeps everything that it has written in mind, in case it
comes again, which is more memory than the dictionary itself. Here each entry is written by a
pickler of its own that remembers nothing: `joblib.load` reads the same, and memory holds an entry.
"""

import pickle
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from joblib.numpy_pickle import NumpyPickler

_PROTOCOL = 4
_LEVEL = 3
_START = pickle.PROTO + bytes([_PROTOCOL]) + pickle.EMPTY_DICT
_END = pickle.STOP


def packed_dict(entries: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """The bytes of a zlib-packed joblib file that holds `dict(entries)`.

    >>> import joblib
    >>> joblib.load(BytesIO(b"".join(packed_dict([("a", 1), ("b", [2])]))))
    {'a': 1, 'b': [2]}
    """
    packer = zlib.compressobj(_LEVEL)
    yield packer.compress(_START)
    for key, value in entries:
        yield packer.compress(_entry(key, value))
    yield packer.compress(_END) + packer.flush()


def _entry(key: str, value: Any) -> bytes:
    """The instructions that put `value` at `key` of the dictionary that lies on the stack."""
    buffer = BytesIO()
    pickler = NumpyPickler(buffer, protocol=_PROTOCOL)
    # no references back: another pickler does not know how many objects came before
    pickler.fast = True
    # what is packed cannot be mapped into memory, and joblib writes so into the file
    pickler.buffered = True
    # instructions in blocks, which are read at once
    pickler.framer.start_framing()
    pickler.save(key)
    pickler.save(value)
    pickler.framer.end_framing()
    return buffer.getvalue() + pickle.SETITEM
