"""People for PHALP's tracker: detections that stand where a test says."""

from collections.abc import Sequence

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.features import FOCAL_SQUARES
from pose_service.phalp.records import BoolArray, Detection

SQUARE_PX = 1000.0
REST = np.concatenate([np.tile(np.eye(3).ravel(), 24), np.zeros(13)])


def location(x: float, y: float, depth_m: float) -> FloatArray:
    """(99,): all joints in a person's size around (x, y) in squares, `depth_m` away."""
    place = [(x - 0.5) * depth_m / FOCAL_SQUARES, (y - 0.5) * depth_m / FOCAL_SQUARES, depth_m]
    offsets = 0.05 * np.random.default_rng(4).uniform(-1, 1, (44, 2)) * 40 / depth_m
    joints = np.concatenate([offsets + np.array([x, y]), [[x, y]]])
    return np.concatenate([joints.ravel(), place, place, place]).astype(np.float32)


def person(
    x: float, y: float = 0.5, depth_m: float = 40.0, score: float = 0.9, bend: float = 0.0
) -> Detection:
    """Somebody whose origin is seen at (x, y), in squares; `bend` (radians) is the pose."""
    pose = np.array(REST, np.float32)
    pose[9:18] = [np.cos(bend), -np.sin(bend), 0, np.sin(bend), np.cos(bend), 0, 0, 0, 1]
    pose[226:] = [0.0, 0.0, depth_m / 200]
    half_px = np.array([40.0, 100.0]) * 40 / depth_m
    centre_px = np.array([x, y]) * SQUARE_PX
    box = np.concatenate([centre_px - half_px, centre_px + half_px])
    return Detection(box, score, SQUARE_PX, location(x, y, depth_m), pose)


class ColourLooks:
    """Looks are one number, of which NaN shows nothing that another one shows."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def costs(
        self, tracks: Sequence[float], detections: Sequence[float], possible: BoolArray
    ) -> FloatArray:
        self.asked.append(int(possible.sum()))
        apart = np.subtract.outer(np.array(tracks, float), np.array(detections, float))
        return np.where(possible, np.square(apart), np.nan)

    def mixed(
        self, kept: Sequence[float], seen: Sequence[float], scores: FloatArray
    ) -> list[float]:
        share = 0.1 * scores**2
        return list((1 - share) * np.array(kept, float) + share * np.array(seen, float))


class RecordingPredictor:
    """Poses stay as they were; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[IntArray, IntArray]] = []

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        self.asked.append((times.copy(), missed.copy()))
        return poses[:, -1]
