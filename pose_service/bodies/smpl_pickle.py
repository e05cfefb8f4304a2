"""Official SMPL pickles: which names they may ask for, and the arrays inside foreign objects.

Some arrays were pickled as objects of chumpy, the joint regressor as a sparse matrix of scipy.
Neither package is needed: their objects are placeholders whose state holds plain arrays.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import Globals, Placeholder


def _reconstructor(kind: type, _base: object, _state: object) -> Placeholder:
    """How protocols 0 and 1 make an object; here only ever a placeholder."""
    if not issubclass(kind, Placeholder):
        raise TypeError(f"{kind.__name__} is nothing that a body file makes")
    return kind()


_STAND_INS = re.compile(r"chumpy\..+|scipy\.sparse\..*\b(csc|csr)_matrix")
_MOST_ENTRIES = 1_000_000
SMPL_GLOBALS = Globals(
    {
        **NUMPY_GLOBALS,
        "copyreg._reconstructor": _reconstructor,
        "builtins.object": object,
        "builtins.set": set,
    },
    lambda name: _STAND_INS.fullmatch(name) is not None,
)


def dense_array(value: object) -> NDArray[Any]:
    """A plain array of what was an array, a chumpy array or a sparse matrix.

    Raises `TypeError`, `LookupError` or `ValueError` if it is, or holds, something else.
    """
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    state = value.state if isinstance(value, Placeholder) else None
    if not isinstance(state, dict):
        raise TypeError(f"an array was expected, got {type(value).__name__}")
    if "x" in state:
        return dense_array(state["x"])
    return _from_sparse(state, by_columns=type(value).__name__.startswith("csc"))


def _from_sparse(state: Mapping[str, Any], *, by_columns: bool) -> NDArray[np.float64]:
    """(rows, columns) from the compressed columns or rows of scipy's sparse matrices."""
    rows, columns = state["_shape"] if "_shape" in state else state["shape"]
    if rows * columns > _MOST_ENTRIES:
        raise ValueError(f"a sparse matrix of {rows} x {columns} is larger than any of a body")
    starts, inner = np.asarray(state["indptr"]), np.asarray(state["indices"])
    if starts[-1] != len(inner):
        raise ValueError(f"a sparse matrix of {starts[-1]} entries gives places for {len(inner)}")
    outer = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    dense = np.zeros((rows, columns))
    # entries of one place add up, as they do in scipy
    np.add.at(dense, (inner, outer) if by_columns else (outer, inner), np.asarray(state["data"]))
    return dense
