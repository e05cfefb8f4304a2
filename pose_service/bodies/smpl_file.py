"""The user's licensed SMPL file, and the matrix for HMR 2.0's further joints.

Official files come in several forms: pickles written by Python 2 with `chumpy` arrays inside, the
same without them, and `.npz` archives. All are read without those packages and without running
anything; which form a file has is told by its content.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.bodies.smpl_joints import REGRESSED_COUNT
from pose_service.bodies.smpl_pickle import SMPL_GLOBALS, dense_array
from pose_service.core.arrays import expect_shape
from pose_service.core.skeletons import SMPL24
from pose_service.runtime.opening.arrays import open_npz
from pose_service.runtime.opening.content import Content, WantedFile, content_of
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import DAMAGE, Globals, open_pickle

VERTEX_COUNT, FACE_COUNT, SHAPE_COUNT = 6890, 13776, 10
POSE_COUNT = (len(SMPL24) - 1) * 9

NEUTRAL, MALE, FEMALE = "neutral", "male", "female"
NAMES_BY_GENDER = {
    NEUTRAL: (
        "SMPL_NEUTRAL.pkl",
        "SMPL_NEUTRAL.npz",
        "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl",
        "basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
    ),
    MALE: (
        "SMPL_MALE.pkl",
        "SMPL_MALE.npz",
        "basicmodel_m_lbs_10_207_0_v1.0.0.pkl",
        "basicmodel_m_lbs_10_207_0_v1.1.0.pkl",
    ),
    FEMALE: (
        "SMPL_FEMALE.pkl",
        "SMPL_FEMALE.npz",
        "basicModel_f_lbs_10_207_0_v1.0.0.pkl",
        "basicmodel_f_lbs_10_207_0_v1.1.0.pkl",
    ),
}
"""Names under which the bodies are handed out; the first are those that programs look for."""
EXPECTED_NAMES = NAMES_BY_GENDER[NEUTRAL]
"""Of the neutral body; the first is HMR 2.0's own."""


def wanted_body(gender: str) -> WantedFile:
    """What a reader of the `gender`'s body expects to find."""
    return WantedFile(
        f"the {gender} SMPL body",
        "Register at https://smpl.is.tue.mpg.de, download SMPL for Python and give its "
        f"{gender} body: {' or '.join(NAMES_BY_GENDER[gender])}.",
    )


EXTRA_JOINTS_FILE = WantedFile(
    "the matrix of HMR 2.0's further joints",
    "Take data/SMPL_to_J19.pkl from the archive hmr2_data.tar.gz of 4D-Humans.",
)

_ARRAYS = (
    "v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f",
)  # fmt: skip
_VERTICES_OF_OTHERS = {10475: "SMPL-X", 778: "MANO", 5023: "FLAME"}
_JOINTS_OF_OTHERS = {52: "SMPL+H", 55: "SMPL-X"}
_SEX_BY_WORD = {"m": MALE, MALE: MALE, "f": FEMALE, FEMALE: FEMALE}


@dataclass(frozen=True, eq=False)
class SmplFile:
    """What a SMPL file says, float32, metres. In the rest pose x is left, y up, z forward.

    Names as in Loper et al. 2015. The pose basis belongs to the rotations of joints 1 to 23 less
    the identity, row by row.
    """

    source: Path
    template_m: NDArray[np.float32]  # (6890, 3)
    shape_basis_m: NDArray[np.float32]  # (6890, 3, 10)
    pose_basis_m: NDArray[np.float32]  # (6890, 3, 207)
    joint_regressor: NDArray[np.float32]  # (24, 6890)
    skin_weights: NDArray[np.float32]  # (6890, 24)
    faces: NDArray[np.int32]  # (13776, 3)

    def __post_init__(self) -> None:
        vertices, joints = VERTEX_COUNT, len(SMPL24)
        expect_shape("v_template", self.template_m, (vertices, 3))
        expect_shape("shapedirs", self.shape_basis_m, (vertices, 3, SHAPE_COUNT))
        expect_shape("posedirs", self.pose_basis_m, (vertices, 3, POSE_COUNT))
        expect_shape("J_regressor", self.joint_regressor, (joints, vertices))
        expect_shape("weights", self.skin_weights, (vertices, joints))
        expect_shape("f", self.faces, (FACE_COUNT, 3))
        if self.faces.min() < 0 or self.faces.max() >= vertices:
            raise ValueError(f"f: expected vertex numbers below {vertices}")


def read_smpl(path: Path, gender: str = NEUTRAL) -> SmplFile:
    """The SMPL body of `gender` in `path`, a pickle or an `.npz` by whatever name.

    Raises `EngineError` if it is missing, damaged, hostile, says that it is the body of another
    gender, or is that of another model.
    """
    wanted = wanted_body(gender)
    _refuse_others(path, path.name, gender)
    content = _content(path, wanted)
    _refuse_others(path, path.resolve().name, gender)
    _refuse_others(path, str(content.get("gender", "")), gender)
    if missing := [name for name in _ARRAYS if name not in content]:
        came = ", ".join(sorted(map(str, content))[:8]) or "nothing"
        raise wanted.error(path, f"it lacks {', '.join(missing)} (it has {came})")
    try:
        arrays = {name: dense_array(content[name]) for name in _ARRAYS}
        _refuse_other_models(path, arrays, wanted)
        return _smpl_file(path, arrays)
    except DAMAGE as error:
        raise wanted.error(path, str(error)) from error


def read_extra_joints(path: Path) -> NDArray[np.float32]:
    """(19, 6890) weights of the vertices in HMR 2.0's further joints, from `SMPL_to_J19.pkl`.

    Raises `EngineError` if it is missing, damaged, hostile or something else.
    """
    content = open_pickle(path, EXTRA_JOINTS_FILE, Globals(NUMPY_GLOBALS))
    try:
        if not isinstance(content, np.ndarray):
            raise TypeError(f"an array was expected, got {type(content).__name__}")
        expect_shape("the matrix", content, (REGRESSED_COUNT, VERTEX_COUNT))
        return _finite("the matrix", content)
    except (ValueError, TypeError) as error:
        raise EXTRA_JOINTS_FILE.error(path, str(error)) from error


def _content(path: Path, wanted: WantedFile) -> Mapping[Any, Any]:
    if content_of(path, wanted) is Content.NPZ:
        return open_npz(path, wanted, (*_ARRAYS, "gender"))
    content = open_pickle(path, wanted, SMPL_GLOBALS)
    if not isinstance(content, dict):
        raise wanted.error(path, f"it holds a {type(content).__name__}, a dict was expected")
    return content


def _smpl_file(path: Path, arrays: Mapping[str, NDArray[Any]]) -> SmplFile:
    tree = arrays["kintree_table"]
    expect_shape("kintree_table", tree, (2, len(SMPL24)))
    # the root's parent is 2**32 - 1 in the file and means none
    if tuple(tree[0, 1:].tolist()) != SMPL24.parents[1:]:
        raise ValueError("kintree_table: its joints hang together in another way than SMPL's")
    expect_shape("shapedirs", arrays["shapedirs"], (VERTEX_COUNT, 3, "shapes"))
    if not np.issubdtype(arrays["f"].dtype, np.integer):
        raise ValueError(f"f: expected vertex numbers, got {arrays['f'].dtype}")
    return SmplFile(
        source=path,
        template_m=_finite("v_template", arrays["v_template"]),
        shape_basis_m=_finite("shapedirs", arrays["shapedirs"][..., :SHAPE_COUNT]),
        pose_basis_m=_finite("posedirs", arrays["posedirs"]),
        joint_regressor=_finite("J_regressor", arrays["J_regressor"]),
        skin_weights=_finite("weights", arrays["weights"]),
        faces=arrays["f"].astype(np.int32),
    )


def _finite(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    numbers = np.asarray(array).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: numbers were expected, got NaN or infinity")
    return numbers


def _refuse_others(path: Path, text: str, gender: str) -> None:
    """`EngineError` if `text`, a file's name or its own word, says another gender."""
    words = re.split(r"[^a-z0-9]+", text.lower())
    said = [NEUTRAL] if NEUTRAL in words else [_SEX_BY_WORD[w] for w in words if w in _SEX_BY_WORD]
    if said and said[0] != gender:
        raise wanted_body(gender).error(path, f"it is the {said[0]} body (it says {text!r})")


def _refuse_other_models(
    path: Path, arrays: Mapping[str, NDArray[Any]], wanted: WantedFile
) -> None:
    vertices, joints = len(arrays["v_template"]), arrays["weights"].shape[-1]
    other = _VERTICES_OF_OTHERS.get(vertices) or _JOINTS_OF_OTHERS.get(joints)
    if other:
        raise wanted.error(
            path,
            f"it is a {other} body ({vertices} vertices, {joints} joints); SMPL has "
            f"{VERTEX_COUNT} and {len(SMPL24)}",
        )
