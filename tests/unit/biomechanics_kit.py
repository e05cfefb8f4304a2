"""A figure whose joint angles are known: its joints in camera axes, and a picture from the side."""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.core.skeletons import COCO17, Skeleton

TRUNK_M, THIGH_M, SHANK_M, UPPER_ARM_M, FOREARM_M, HALF_WIDTH_M = 0.5, 0.42, 0.4, 0.28, 0.25, 0.16

# The figure's own axes (front, up, left) in camera axes: it faces the picture's right, so its left
# is away from the camera.
SIDE_ON = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, 1]])


@dataclass(frozen=True)
class Posture:
    """Inner angles (left, right) and the trunk's forward lean, degrees."""

    knee: tuple[float, float] = (150.0, 130.0)
    hip: tuple[float, float] = (140.0, 120.0)
    shoulder: tuple[float, float] = (40.0, 70.0)
    elbow: tuple[float, float] = (100.0, 160.0)
    lean: float = 12.0

    def angles_deg(self) -> np.ndarray:
        """(8,) as `ANGLES`."""
        return np.array([*self.elbow, *self.shoulder, *self.hip, *self.knee])


def figure_m(posture: Posture) -> dict[str, np.ndarray]:
    """Joints (3,) along front, up, left; origin at the mid-hip. Names of several joint sets."""
    up = 90.0 - posture.lean
    joints = {}
    for index, (side, sign) in enumerate((("left", 1), ("right", -1))):
        across = np.array([0.0, 0.0, sign * HALF_WIDTH_M])
        thigh = up - posture.hip[index]
        arm = up + 180 + posture.shoulder[index]
        hip, shoulder = across, across + TRUNK_M * _along(up)
        knee = hip + THIGH_M * _along(thigh)
        elbow = shoulder + UPPER_ARM_M * _along(arm)
        ankle = knee + SHANK_M * _along(thigh - (180 - posture.knee[index]))
        joints |= {
            f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle,
            f"{side}_foot": ankle + np.array([0.15, -0.05, 0]), f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": elbow + FOREARM_M * _along(arm + 180 - posture.elbow[index]),
            f"{side}_ear": 0.5 * across + 1.35 * TRUNK_M * _along(up),
            f"{side}_eye": 0.2 * across + 1.4 * TRUNK_M * _along(up) + [0.08, 0, 0],
        }  # fmt: skip
    middle = 1.35 * TRUNK_M * _along(up)
    return joints | {"head": middle, "nose": middle + np.array([0.1, 0.0, 0.0])}


def series_3d(
    postures: list[Posture],
    times_s: np.ndarray | None = None,
    *,
    turn: np.ndarray = SIDE_ON,
    skeleton: Skeleton = COCO17,
) -> JointSeries:
    """The figure in camera axes, 4 m away; joints that the figure lacks are not seen."""
    unknown = np.full(3, np.nan)
    figures = [figure_m(posture) for posture in postures]
    points = [[one.get(joint, unknown) for joint in skeleton.joints] for one in figures]
    points_m = np.array(points) @ turn.T + [0.0, 0.0, 4.0]
    times = np.arange(len(postures)) / 30 if times_s is None else times_s
    return observed(skeleton, times, points_m, np.full(points_m.shape[:2], 0.9))


def series_2d(postures: list[Posture], times_s: np.ndarray | None = None) -> JointSeries:
    """The same seen from the side by a camera far away: 200 pixels per metre."""
    seen = series_3d(postures, times_s)
    points_px = 200 * seen.points[..., :2] + [640, 360]
    return observed(seen.skeleton, seen.times_s, points_px, seen.confidence)


def without(series: JointSeries, *joints: str, frames: slice = slice(None)) -> JointSeries:
    """The same with these joints hidden."""
    confidence = series.confidence.copy()
    confidence[frames, [series.skeleton.index(joint) for joint in joints]] = 0.0
    return observed(series.skeleton, series.times_s, series.points, confidence, down=series.down)


def mirrored(series: JointSeries) -> JointSeries:
    """Seen in a mirror: x turned round, and what was the left hand is a right one."""
    names = [swapped(joint) for joint in series.skeleton.joints]
    order = [series.skeleton.index(joint) for joint in names]
    flip = np.ones(series.axes)
    flip[0] = -1
    points = series.points[:, order] * flip
    return observed(
        series.skeleton, series.times_s, points, series.confidence[:, order], down=series.down
    )


def swapped(name: str) -> str:
    """`left_knee` to `right_knee` and back; other names as they are."""
    side, _, rest = name.partition("_")
    return f"{ {'left': 'right', 'right': 'left'}[side] }_{rest}" if rest else name


def moving(count: int = 60, fps: float = 30.0) -> tuple[list[Posture], np.ndarray]:
    """A squat a second, both sides nearly alike, and its times."""
    times_s = np.arange(count) / fps
    bend = 0.5 - 0.5 * np.cos(2 * np.pi * times_s)
    postures = [
        Posture((175 - 80 * b, 172 - 76 * b), (170 - 70 * b, 168 - 66 * b),
                (20 + 60 * b, 25 + 50 * b), (150.0, 145.0 - 10 * b), 5 + 25 * b)
        for b in bend
    ]  # fmt: skip
    return postures, times_s


def _along(angle_deg: float) -> np.ndarray:
    """Direction in the sagittal plane, from front towards up."""
    return np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg)), 0.0])
