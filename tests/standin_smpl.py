"""A body with SMPL's shapes and nothing of its licensed numbers, and files that hold it.

The golden figures of `data/smpl` were computed with this body. Its rule: every table is uniform
noise seeded by its own name, around an invented skeleton; vertex i belongs to joint i mod 24.
"""

import pickle
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from standin import uniform

VERTICES, FACES, JOINTS = 6890, 13776, 24
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
NO_PARENT = 2**32 - 1

# Joints of the right side mirror the left side's; x left, y up, z forward, centimetres.
_SPINE_CM = {
    0: (0, 0, 0), 3: (0, 12, -2), 6: (0, 26, 0), 9: (0, 31, 3), 12: (0, 52, -1), 15: (0, 60, 4),
}  # fmt: skip
_LEFT_CM = {
    1: (8, -9, 0), 4: (11, -47, 0), 7: (10, -87, -4), 10: (12, -93, 8), 13: (8, 43, 0),
    16: (18, 46, -2), 18: (44, 45, -4), 20: (69, 46, -4), 22: (77, 45, -5),
}  # fmt: skip
# The joint whose vertices each of HMR 2.0's 19 further joints is the mean of.
_J19_FROM = (8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15, 0, 9, 3, 15, 15)

Arrays = dict[str, NDArray[Any]]


def _uniform(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return uniform(name, shape).astype(np.float64)


def rest_joints_m() -> NDArray[np.float64]:
    """(24, 3) the invented skeleton."""
    right = {joint + 1: (-x, y, z) for joint, (x, y, z) in _LEFT_CM.items()}
    places = _SPINE_CM | _LEFT_CM | right
    return np.array([places[joint] for joint in range(JOINTS)]) / 100


def standin_body() -> Arrays:
    """The arrays of an official file by their names there; `J_regressor` as a plain array."""
    owner = np.arange(VERTICES) % JOINTS
    own, above = np.eye(JOINTS)[owner], np.eye(JOINTS)[np.maximum(PARENTS, 0)[owner]]
    weights = (
        0.01 * np.abs(_uniform("standin.smpl.weights", (VERTICES, JOINTS))) + own + 0.3 * above
    )
    tree = np.array([(NO_PARENT, *PARENTS[1:]), range(JOINTS)], np.uint32)
    noise = _uniform("standin.smpl.v_template", (VERTICES, 3))
    return {
        "v_template": rest_joints_m()[owner] + 0.06 * noise,
        "shapedirs": 0.02 * _uniform("standin.smpl.shapedirs", (VERTICES, 3, 10)),
        "posedirs": 0.004 * _uniform("standin.smpl.posedirs", (VERTICES, 3, 207)),
        "J_regressor": _means("standin.smpl.J_regressor", range(JOINTS)),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": tree,
        "f": _faces(),
    }


def standin_extra_joints() -> NDArray[np.float64]:
    """(19, 6890) the matrix of HMR 2.0's further joints."""
    return _means("standin.J19", _J19_FROM)


def _means(name: str, owners: Any) -> NDArray[np.float64]:
    """One row per owner: random weights over its own vertices that add up to 1."""
    owners = np.array(owners)
    rows = np.abs(_uniform(name, (len(owners), VERTICES))) + 0.01
    rows *= np.arange(VERTICES) % JOINTS == owners[:, None]
    return rows / rows.sum(1, keepdims=True)


def _faces() -> NDArray[np.uint32]:
    first = np.arange(VERTICES)[:, None] + (0, 24, 48)
    second = np.arange(FACES - VERTICES)[:, None] + (0, 72, 24)
    return (np.concatenate([first, second]) % VERTICES).astype(np.uint32)


def write_pickle(path: Path, content: object, protocol: int = 2) -> Path:
    """A pickle as Python 3 writes it."""
    path.write_bytes(pickle.dumps(content, protocol))
    return path


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes bytes as Python 2 wrote its strings, which Python 3 cannot write by itself."""

    def save_bytes(self, data: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(data)

    dispatch = pickle._Pickler.dispatch | {bytes: save_bytes}  # type: ignore[attr-defined]


def write_python2_pickle(path: Path, content: object) -> Path:
    """A pickle as Python 2 and NumPy 1 wrote it: protocol 2, byte strings, old module names."""
    with path.open("wb") as file:
        _Python2Pickler(file, protocol=2).dump(content)
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.", b"cnumpy.core."))
    return path


def with_foreign_objects(
    patch: pytest.MonkeyPatch, body: Arrays, sparse_module: str = "scipy.sparse.csc"
) -> dict[str, Any]:
    """`body` with chumpy arrays and a sparse regressor, to be pickled while `patch` lasts.

    The packages those objects belong to exist only that long, and only by name.
    """
    chumpy_array = class_in(patch, "chumpy.ch", "Ch")
    sparse_matrix = class_in(patch, sparse_module, "csc_matrix")
    regressor = body["J_regressor"]
    columns, rows = np.nonzero(regressor.T)
    starts = np.searchsorted(columns, np.arange(regressor.shape[1] + 1)).astype(np.int32)
    sparse = sparse_matrix()
    sparse.__dict__ = {
        "data": regressor.T[columns, rows], "indices": rows.astype(np.int32), "indptr": starts,
        "_shape": regressor.shape, "maxprint": 50,
    }  # fmt: skip
    mixed: dict[str, Any] = {**body, "J_regressor": sparse, "bs_style": "lbs", "bs_type": "lrotmin"}
    for name in ("v_template", "shapedirs", "posedirs", "weights"):
        mixed[name] = chumpy_array()
        mixed[name].__dict__ = {"x": body[name], "_dirty_vars": {"x"}, "_itr": None}
    return mixed


def class_in(
    patch: pytest.MonkeyPatch, module_name: str, name: str, base: type = object
) -> type[Any]:
    """A new, empty class that pickles as `module_name.name` while `patch` lasts."""
    parts = module_name.split(".")
    for length in range(1, len(parts) + 1):
        parent = ".".join(parts[:length])
        module = ModuleType(parent)
        patch.setitem(sys.modules, parent, module)
    made = type(name, (base,), {"__module__": module_name})
    setattr(module, name, made)
    return made
