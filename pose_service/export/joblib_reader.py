"""joblib's files, read without joblib: numbers, texts, lists and dictionaries, and nothing else.

joblib writes a pickle whose arrays are told by a `NumpyArrayWrapper` and follow it as plain bytes.
The wrapper that is given to the pickle here reads those bytes at the moment when it is told what
they are, so that Python's own unpickler does the rest under an exact list of names.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.export.joblib_source import JoblibSource
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS, plain_dtype
from pose_service.runtime.opening.pickles import Globals, read_pickle

_WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
_NAMES = (
    "numpy.ndarray", "numpy.dtype", "numpy._core.multiarray.scalar",
    # single numbers at protocols below 3
    "_codecs.encode",
)  # fmt: skip


class StoredArray:
    """Stands for an array of a file; `numbers` is what followed its description."""

    source: JoblibSource
    numbers: NDArray[Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        dtype, shape = plain_dtype(state["dtype"]), tuple(map(int, state["shape"]))
        # from joblib 1.2 on, a byte tells how many are skipped
        if state.get("numpy_array_alignment_bytes") is not None:
            self.source.read(self.source.read(1)[0])
        if min(shape, default=0) < 0:
            raise pickle.UnpicklingError(f"an array of the shape {shape}")
        raw = self.source.read(int(np.prod(shape, dtype=object)) * dtype.itemsize)
        numbers = np.frombuffer(raw, dtype).reshape(shape, order=state["order"])
        self.numbers = numbers.astype(dtype.newbyteorder("="), copy=False)


def read_joblib(path: Path, wanted: WantedFile) -> object:
    """What the file holds, arrays as `StoredArray`; nothing of it is run.

    `EngineError` where it is none, damaged, or asks for a name that lists of numbers do not need.
    """
    try:
        with JoblibSource(path) as source:
            if not source.is_known:
                raise wanted.error(path, "it is neither a pickle nor packed by zlib")
            wrapper = type("NumpyArrayWrapper", (StoredArray,), {"source": source})
            table = {name: NUMPY_GLOBALS[name] for name in _NAMES}
            content = read_pickle(source, path, wanted, Globals({**table, _WRAPPER: wrapper}))
            source.expect_end()
            return content
    except ValueError as error:
        raise wanted.error(path, f"it ends early or is damaged ({error})") from error
    except FileNotFoundError as error:
        raise wanted.error(path, "there is no such file") from error
    except OSError as error:
        raise wanted.error(path, f"it cannot be read ({error.strerror})") from error


def numbers_of(value: object) -> NDArray[Any]:
    """The array that `value` stands for; `TypeError` where it is none."""
    if isinstance(value, StoredArray):
        return value.numbers
    raise TypeError(f"an array was expected, got {type(value).__name__}")
