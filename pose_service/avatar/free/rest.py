"""The free body upright in its T-pose, as a `RestMesh`."""

import numpy as np

from pose_service.avatar.records import RestMesh
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.fit_start import swing
from pose_service.bodies.free_body import REST_AXES
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.arrays import FloatArray

_ARM = ("upperarm01", "lowerarm01", "wrist")


def rest_mesh(body: AnnyBody, *, arms_level: bool = True) -> RestMesh:
    """`body` in its T-pose, or with the arms as the body file has them, about 45 degrees down."""
    rotations = np.tile(np.eye(3), (1, len(body.bone_names), 1, 1))
    if arms_level:
        for bone, turn in _level_arms(body).items():
            rotations[0, bone] = turn
    scales = np.ones(1)
    turns, heads_m = body.world(rotations, np.zeros((1, 3)), scales)
    vertices_m = body.vertices(turns, heads_m, scales)[0].astype(np.float64) @ REST_AXES.T
    joints_m = body.joints24(heads_m)[0] @ REST_AXES.T
    floor_m = np.array([0.0, vertices_m[:, 1].min(), 0.0])
    return RestMesh(vertices_m - floor_m, body.faces, joints_m - floor_m)


def free_rotations(body: AnnyBody, rotations: FloatArray) -> FloatArray:
    """(n, 20, 3, 3) turns of the free joints to (n, bones, 3, 3): the other bones stay at rest."""
    every = np.tile(np.eye(3), (len(rotations), len(body.bone_names), 1, 1))
    every[:, [body.bone_names.index(name) for name in FREE_JOINTS]] = rotations
    return every


def _level_arms(body: AnnyBody) -> dict[int, FloatArray]:
    """Turns by bone that bring upper arm and forearm on to the x axis."""
    turns: dict[int, FloatArray] = {}
    for side, outward in (("L", 1.0), ("R", -1.0)):
        upper, lower, wrist = (body.bone_names.index(f"{name}.{side}") for name in _ARM)
        heads_m = body.bone_heads_m
        level = np.array([[outward, 0.0, 0.0]])
        (first,) = swing(heads_m[lower] - heads_m[upper], level)
        (second,) = swing(heads_m[wrist] - heads_m[lower], level)
        turns[upper] = first
        turns[lower] = first.T @ second
    return turns
