"""SMPL files of a person's form and none of SMPL's numbers: the free body with shapes of our own.

Closed, upright, arms in a T, so that it can be measured. What the first three of the ten numbers
do is known and affine in the place, so that joints follow it exactly.
"""

from pathlib import Path

import numpy as np
from standin_smpl import Arrays, standin_body, write_pickle

from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import rotation_from_vector

# the body file's x left, y back, z up to SMPL's x left, y up, z forward
_AXES = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
_T_POSE_DEG = 48.0
_NEAREST = 40

# Beta 0 makes the body larger, 1 wider and deeper, 2 deeper, all per unit of beta. The others make
# it wider, or deeper, at some heights and narrower at others, in waves of their own.
GROWTH = {
    0: np.diag([0.04, 0.04, 0.04]),
    1: np.diag([0.03, 0.0, 0.03]),
    2: np.diag([0.0, 0.0, 0.05]),
}
_WAVE = 0.006

# how the template of each gender differs from the neutral one's; the female hips are wider, too
BUILD = {
    "neutral": np.eye(3),
    "male": np.diag([1.05, 1.04, 1.02]),
    "female": np.diag([0.97, 0.95, 1.01]),
}
_HIPS_WIDER, _HIPS_SPREAD_M = 0.08, 0.1
NAMES = {gender: f"SMPL_{gender.upper()}.pkl" for gender in BUILD}


def _shapes(vertices: FloatArray) -> FloatArray:
    """(6890, 3, 10) what a unit of each beta adds."""
    x, y, _ = vertices.T
    columns = []
    for number in range(10):
        wave = np.zeros_like(vertices)
        wave[:, number % 2 * 2] = _WAVE * x * np.cos(np.pi * (number - 2) * y)
        growth = GROWTH.get(number)
        columns.append(wave if growth is None else vertices @ growth.T)
    return np.stack(columns, axis=2)


def _built(places: FloatArray, gender: str) -> FloatArray:
    built = places @ BUILD[gender].T
    if gender == "female":
        # the origin is in the pelvis
        built[:, 0] *= 1 + _HIPS_WIDER * np.exp(-((built[:, 1] / _HIPS_SPREAD_M) ** 2))
    return built


def t_pose() -> tuple[FloatArray, FloatArray]:
    """The free body's vertices (6890, 3) and joints (24, 3) with its arms lifted, y up."""
    model = AnnyBody.load()
    turns = np.tile(np.eye(3), (1, len(model.bone_names), 1, 1))
    for side, sign in (("L", -1), ("R", 1)):
        shoulder = model.bone_names.index(f"upperarm01.{side}")
        turns[0, shoulder] = rotation_from_vector(np.radians([0, sign * _T_POSE_DEG, 0]))
    posed = model.world(turns, np.zeros((1, 3)), np.ones(1))
    vertices = model.vertices(*posed, np.ones(1))[0].astype(np.float64)
    return vertices @ _AXES.T, model.joints24(posed[1])[0] @ _AXES.T


def person(gender: str = "neutral") -> Arrays:
    """The arrays of an official file by their names there."""
    vertices, joints = (_built(places, gender) for places in t_pose())
    return {
        **standin_body(),
        "v_template": vertices,
        "shapedirs": _shapes(vertices),
        "J_regressor": _regressor(vertices, joints),
        "f": AnnyBody.load().faces.astype(np.uint32),
    }


def _regressor(vertices: FloatArray, joints: FloatArray) -> FloatArray:
    """(24, 6890) the least weights of near vertices that give the joints; rows add up to 1."""
    rows = np.zeros((len(joints), len(vertices)))
    for row, joint in zip(rows, joints, strict=True):
        near = np.argsort(np.linalg.norm(vertices - joint, axis=1))[:_NEAREST]
        places = np.concatenate([vertices[near], np.ones((_NEAREST, 1))], axis=1)
        row[near] = np.linalg.pinv(places.T) @ np.append(joint, 1.0)
    return rows


def write_people(folder: Path, *genders: str) -> Path:
    """The files of `genders` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for gender in genders:
        write_pickle(folder / NAMES[gender], person(gender), 4)
    return folder
