"""NumPy arrays in pickles, built without letting the file talk to NumPy.

NumPy's own functions for this trust the file: a pickled dtype may carry any field layout, even
change the byte order of a dtype that the whole process shares. These stand-ins take the few plain
number types that weights and bodies are made of, check them, and refuse the rest.
"""

import pickle
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLAIN_NUMBERS = re.compile(r"b1|[iu][1248]|f[248]")
_LATIN1 = ("latin1", "latin-1")


class _Dtype:
    """A dtype of plain numbers, in either byte order."""

    def __init__(self, name: str) -> None:
        if not _PLAIN_NUMBERS.fullmatch(name):
            raise pickle.UnpicklingError(f"an array of type {name!r}, plain numbers were expected")
        self.plain = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, byte_order, *layout = state
        if any(part is not None for part in layout[:3]):
            raise pickle.UnpicklingError("an array of records, plain numbers were expected")
        if byte_order in ("<", ">"):
            self.plain = self.plain.newbyteorder(byte_order)


class _Array(np.ndarray[Any, Any]):
    """An array whose content arrives after it was made."""

    def __setstate__(self, state: tuple[Any, ...], /) -> None:
        version, shape, dtype, is_fortran, data = state
        raw = data.encode("latin1") if isinstance(data, str) else data
        super().__setstate__((version, shape, plain_dtype(dtype), is_fortran, raw))


def plain_dtype(dtype: object) -> np.dtype[Any]:
    """What a pickle's `numpy.dtype` of plain numbers came out as; `UnpicklingError` for others."""
    if not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError(f"a dtype was expected, got {type(dtype).__name__}")
    return dtype.plain


def _dtype(name: str, *_flags: object) -> _Dtype:
    return _Dtype(name)


def _reconstruct(*_description: object) -> _Array:
    return np.ndarray.__new__(_Array, (0,))


def _frombuffer(buffer: bytes, dtype: object, shape: Any, order: Any) -> NDArray[Any]:
    return np.frombuffer(buffer, plain_dtype(dtype)).reshape(shape, order=order)


def _scalar(dtype: object, data: bytes | str) -> Any:
    raw = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(raw, plain_dtype(dtype), count=1)[0]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in _LATIN1:
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}, latin1 was expected")
    return text.encode("latin1")


NUMPY_GLOBALS: dict[str, Any] = {
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _frombuffer,
    # only ever handed to `_reconstruct`, which does not look at it
    "numpy.ndarray": object,
    "numpy.dtype": _dtype,
    "_codecs.encode": _encode,
}
"""What a pickle of plain arrays asks for, at any protocol (0 to 5)."""
