"""What HMR 2.0 would say of a picture, in numbers that are chosen."""

from pathlib import Path

import numpy as np

from pose_service.avatar.records import Sight
from pose_service.core.arrays import FloatArray
from pose_service.core.config import Settings
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses, Camera, Observation

ZERO = np.zeros(10)
VERSION = "4dhumans/test+smpl-neutral"


def beta(**values: float) -> FloatArray:
    """Ten numbers, those given as `b0=1.0`."""
    betas = np.zeros(10)
    for name, value in values.items():
        betas[int(name.removeprefix("b"))] = value
    return betas


def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder.parents[1])


def sight(
    betas: FloatArray = ZERO, confidence: float = 1.0, turns: FloatArray | None = None
) -> Sight:
    """What HMR 2.0 says of one picture: `turns` (24, 3), axis times angle."""
    rotations = rotation_from_vector(np.zeros((24, 3)) if turns is None else turns)
    pose = BodyPoses(rotations[None], np.array([[0.1, 0.2, 30.0]]), np.asarray(betas)[None])
    seen = Observation(
        track_id=1,
        box_xyxy_px=np.array([10.0, 10, 50, 90]),
        confidence=confidence,
        roi=np.zeros(4),
        landmarks_px=np.zeros((24, 2)),
        landmarks_m=np.zeros((24, 3)),
        landmark_confidence=np.ones(24),
        joint_confidence=np.ones(24),
        pose=pose,
    )
    return Sight(np.zeros((100, 60, 3), np.uint8), Camera(500.0, 60, 100), seen)
