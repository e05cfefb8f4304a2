"""Joint angles of postures whose angles are known."""

import numpy as np
import pytest
from toy_engine import ToyBody

from pose_service.core.joint_angles import joint_angles_deg
from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import SMPL24


def _upright() -> np.ndarray:
    poses = BodyPoses(np.tile(np.eye(3), (1, 2, 1, 1)), np.zeros((1, 3)), np.ones((1, 1)))
    return np.array(ToyBody().pose(poses, vertices=False).joints_m[0])


def _moved(joint: str, place: tuple[float, float, float]) -> np.ndarray:
    joints = _upright()
    joints[SMPL24.index(joint)] = place
    return joints


def test_a_leg_bent_at_a_right_angle_is_90_degrees() -> None:
    joints = _upright()
    knee = joints[SMPL24.index("left_knee")]
    hip = knee + np.array([0, -0.4, 0])
    joints[SMPL24.index("left_hip")] = hip
    joints[SMPL24.index("left_ankle")] = knee + np.array([0, 0, 0.4])
    assert joint_angles_deg(joints)["left_knee"] == pytest.approx(90, abs=0.01)
    assert joint_angles_deg(joints)["right_knee"] > 170, "the other leg is as it was"


def test_a_straight_arm_is_180_degrees() -> None:
    angles = joint_angles_deg(_moved("right_wrist", (-0.7, -0.5, 0.0)))
    assert angles["right_elbow"] == pytest.approx(180, abs=0.01)


def test_an_arm_stretched_sideways_is_square_to_the_trunk() -> None:
    angles = joint_angles_deg(_upright())
    trunk_deg = np.degrees(np.arctan2(0.55, 0.1))  # shoulder (0.2, -0.5) to hip (0.1, 0.05)
    assert angles["left_shoulder"] == pytest.approx(180 - trunk_deg, abs=0.01)


def test_angles_do_not_change_when_the_body_is_turned() -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = joint_angles_deg(_upright() @ turn.T)
    assert turned == pytest.approx(joint_angles_deg(_upright()), abs=0.02)


def test_joints_on_one_spot_give_numbers() -> None:
    assert set(joint_angles_deg(np.zeros((24, 3))).values()) == {0.0}
