"""The nine joint angles that answers and tables give."""

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import angle_deg
from pose_service.core.skeletons import SMPL24

CORNERS = {
    "left_knee": ("left_hip", "left_knee", "left_ankle"),
    "right_knee": ("right_hip", "right_knee", "right_ankle"),
    "left_hip": ("left_shoulder", "left_hip", "left_knee"),
    "right_hip": ("right_shoulder", "right_hip", "right_knee"),
    "left_elbow": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_elbow": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_shoulder": ("left_elbow", "left_shoulder", "left_hip"),
    "right_shoulder": ("right_elbow", "right_shoulder", "right_hip"),
    "spine": ("neck", "spine2", "pelvis"),
}
"""Each angle's joints: its name to (first, corner, last), the angle lies at the corner."""

ANGLES = tuple(CORNERS)
"""Their names, in the order in which they are given."""

_PLACES = np.array([[SMPL24.index(joint) for joint in joints] for joints in CORNERS.values()])


def joint_angles_deg(joints_m: FloatArray) -> dict[str, float]:
    """Inner angle at each joint: 180 is a straight limb. `joints_m`: (24, 3), SMPL's order."""
    first, corner, last = np.moveaxis(joints_m[_PLACES], 1, 0)
    angles = np.round(angle_deg(first, corner, last), 2)
    return dict(zip(CORNERS, angles.tolist(), strict=True))
