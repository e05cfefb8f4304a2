"""Whether a body stands, as people do who are measured."""

import numpy as np

from pose_service.avatar.free.rest import free_rotations
from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import angle_deg
from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import SMPL24

# A long step bends a hip or a knee by 40 degrees; who sits bends both by 90.
_STRAIGHT_DEG = 60.0
_DOWN = np.array([0.0, 1.0, 0.0])


def stands(body: AnnyBody, pose: BodyPoses) -> bool:
    """Trunk, thighs and shins of one posed body in a line, all about upright in the picture."""
    rotations = free_rotations(body, pose.rotations)
    _, heads_m = body.world(rotations, np.zeros((1, 3)), np.ones(1))
    joints_m = body.joints24(heads_m)[0]

    def place(name: str) -> FloatArray:
        return np.asarray(joints_m[SMPL24.index(name)])

    trunk = place("pelvis") - place("neck")
    directions = [(trunk, _DOWN)]
    for side in ("left", "right"):
        hip, knee, ankle = (place(f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        directions += [(knee - hip, trunk), (ankle - knee, knee - hip)]
    return all(float(_between_deg(*pair)) < _STRAIGHT_DEG for pair in directions)


def _between_deg(first: FloatArray, second: FloatArray) -> float:
    return float(angle_deg(first, np.zeros(3), second))
