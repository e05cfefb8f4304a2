"""`.npy` files: one array of numbers, or a few of them in an array of objects."""

import warnings
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import Globals, read_pickle

_RECONSTRUCT = "numpy._core.multiarray._reconstruct"
_OBJECTS = ("O", "O8")


def open_npy(path: Path, wanted: WantedFile) -> NDArray[Any]:
    """The numbers of the array `path`.

    An array of objects is taken only if it holds arrays of numbers, which are stacked. Raises
    `EngineError` if the file is none, is damaged or holds anything else; nothing of it is run.
    """
    try:
        # a damaged header can look like one of Python 2, of which NumPy warns
        with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
            if _is_of_objects(file):
                return np.stack(_arrays(read_pickle(file, path, wanted, _OBJECT_GLOBALS)))
        # mapped first: a header that claims more than the file holds costs no memory
        return _numbers(np.array(np.load(path, mmap_mode="r", allow_pickle=False)))
    except FileNotFoundError as error:
        raise wanted.error(path, "there is no such file") from error
    except (EOFError, OSError, TypeError, ValueError, TokenError) as error:
        raise wanted.error(path, f"it is no .npy array of numbers or damaged ({error})") from error


def _is_of_objects(file: BinaryIO) -> bool:
    """Reads the header; `ValueError` if there is none."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    _shape, _order, dtype = read(file)
    return dtype.hasobject


def _arrays(pickled: object) -> list[NDArray[Any]]:
    held = pickled.content if isinstance(pickled, _Pickled) else None
    if not isinstance(held, list):
        raise ValueError("an array of arrays was expected")
    return [_numbers(each.content if isinstance(each, _Pickled) else each) for each in held]


def _numbers(value: object) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"arrays of numbers were expected, got {kind}")
    return value


class _ObjectDtype:
    """The type of an array of objects; it has no numbers to check."""

    def __setstate__(self, _state: object) -> None: ...


class _Pickled:
    """A pickled array: its numbers, or the list of what an array of objects holds."""

    content: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, _shape, dtype, _is_fortran, data = state
        if isinstance(dtype, _ObjectDtype):
            self.content = data
        else:
            self.content = NUMPY_GLOBALS[_RECONSTRUCT]()
            self.content.__setstate__(state)


def _reconstruct(*_description: object) -> _Pickled:
    return _Pickled()


def _dtype(name: str, *flags: object) -> object:
    return _ObjectDtype() if name in _OBJECTS else NUMPY_GLOBALS["numpy.dtype"](name, *flags)


_OBJECT_GLOBALS = Globals({**NUMPY_GLOBALS, _RECONSTRUCT: _reconstruct, "numpy.dtype": _dtype})
