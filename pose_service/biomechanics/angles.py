"""Joint angles in the image plane or in space, and how fast they change."""

import numpy as np

from pose_service.biomechanics.joints import JointSeries
from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.geometry import angle_deg
from pose_service.core.joint_angles import CORNERS

PAIRS = ("elbow", "shoulder", "hip", "knee")
"""Joints with an angle on both sides."""

ANGLES = tuple(f"{side}_{joint}" for joint in PAIRS for side in ("left", "right"))
"""The angles' names; left and right alternate."""

LEFT, RIGHT = slice(0, None, 2), slice(1, None, 2)
"""Columns of the left and of the right angles, each in the order of `PAIRS`."""


def angles_deg(series: JointSeries) -> FloatArray:
    """(n, 8) inner angles in the order of `ANGLES`, 0 to 180; 180 is a straight limb.

    Elbows and knees are the corners of `core.joint_angles`; shoulders and hips lie between the limb
    and the trunk's middle line, so that the breadth of shoulders and hips does not enter: an arm
    along the trunk is 0, a thigh in line with it 180. With 2 axes it is the angle in the image
    plane, as drawn; with 3 the true one. NaN where one of the joints was not seen or two of them
    fall on one spot.
    """
    first, corner, last = corner_points(series)
    lengths = np.linalg.norm(first - corner, axis=-1) * np.linalg.norm(last - corner, axis=-1)
    return np.where(lengths > 0, angle_deg(first, corner, last), np.nan)


def corner_points(series: JointSeries) -> FloatArray:
    """(3, n, 8, axes): first, corner and last point of each of `ANGLES`."""
    trunk = series.trunk()
    return np.stack([_corner(series, trunk, name) for name in ANGLES], axis=2)


def _corner(series: JointSeries, trunk: FloatArray, name: str) -> FloatArray:
    """(3, n, axes): first, corner and last point of the angle."""
    side, _, joint = name.partition("_")
    corner = series.point(name)
    if joint == "shoulder":
        return np.stack([series.point(f"{side}_elbow"), corner, corner - trunk])
    if joint == "hip":
        return np.stack([corner + trunk, corner, series.point(f"{side}_knee")])
    return np.stack([series.point(end) for end in CORNERS[name]])


def rates(values: FloatArray, times_s: FloatArray) -> FloatArray:
    """Change per second of `values` (n, ...) at `times_s` (n,), same shape.

    Central differences, of second order for uneven times too; one-sided in the first and last
    frame. NaN where the value itself or a neighbour that is needed is not known.
    """
    expect_shape("times_s", times_s, (len(values),))
    if len(values) < 2:
        return np.full(values.shape, np.nan)
    return np.where(np.isfinite(values), np.gradient(values, times_s, axis=0), np.nan)
