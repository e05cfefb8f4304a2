"""Who stands and who does not."""

import numpy as np
import pytest

from pose_service.avatar.free.posture import stands
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses

FACING = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
Turn = tuple[float, float, float]


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody.load()


def posed(root: Turn = (0, 0, 0), **turns: Turn) -> BodyPoses:
    vectors = np.zeros((len(FREE_JOINTS), 3))
    for name, turn in turns.items():
        for side in ("L", "R"):
            vectors[FREE_JOINTS.index(f"{name}.{side}")] = turn
    rotations = rotation_from_vector(vectors)
    rotations[0] = rotation_from_vector(np.array(root)) @ FACING
    return BodyPoses(rotations[None], np.array([[0.0, 0, 4]]), np.ones((1, 1)))


@pytest.mark.parametrize(
    ("pose", "standing"),
    [
        (posed(), True),
        (posed(upperleg01=(-0.4, 0, 0), lowerleg01=(0.5, 0, 0)), True),
        (posed(upperarm01=(0, 1, 0)), True),
        (posed(upperleg01=(-1.5, 0, 0), lowerleg01=(1.5, 0, 0)), False),
        (posed(lowerleg01=(1.3, 0, 0)), False),
        (posed(root=(0, 0, np.pi / 2)), False),
        (posed(root=(0, 0, np.pi)), False),
    ],
    ids=["upright", "a step", "arms moved", "sitting", "kneeling", "lying", "on the head"],
)
def test_who_stands(body: AnnyBody, pose: BodyPoses, standing: bool) -> None:
    assert stands(body, pose) is standing
