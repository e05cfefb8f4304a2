"""How the trunk stands, and whether hips and shoulders are level."""

from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.joints import JointSeries
from pose_service.core.arrays import FloatArray


@dataclass(frozen=True)
class Alignment:
    """All (n,); NaN where a joint that is needed was not seen.

    `spine_angle_deg`: trunk against the vertical, 0 upright, 180 upside down. `lean_image_deg`: the
    same with a sign, positive to the picture's right; only with 2 axes. `lean_forward_deg`,
    `lean_left_deg`: its parts in the person's own sagittal and frontal plane; only with 3 axes.
    `*_level_difference`: height of the left joint above the right one, percent of the trunk's
    length. `*_tilt_deg`: the line from right to left joint against the horizontal, -90 to 90.
    """

    spine_angle_deg: FloatArray
    lean_image_deg: FloatArray
    lean_forward_deg: FloatArray
    lean_left_deg: FloatArray
    hip_level_difference: FloatArray
    shoulder_level_difference: FloatArray
    hip_tilt_deg: FloatArray
    shoulder_tilt_deg: FloatArray


def alignment(series: JointSeries) -> Alignment:
    """The body's alignment to `series.down`."""
    trunk, unknown = series.trunk(), np.full(len(series), np.nan)
    rise = -(trunk @ series.down)
    across = np.linalg.norm(trunk + rise[:, None] * series.down, axis=-1)
    image, forward, left = unknown, unknown, unknown
    if series.axes == 2:
        right = np.array([series.down[1], -series.down[0]])
        image = _lean_deg(trunk @ right, rise)
    else:
        to_left, to_front = _own_axes(series)
        forward = _lean_deg(np.sum(trunk * to_front, axis=-1), rise)
        left = _lean_deg(np.sum(trunk * to_left, axis=-1), rise)
    return Alignment(
        _lean_deg(across, rise), image, forward, left,
        _level_pct(series, "hip"), _level_pct(series, "shoulder"),
        _tilt_deg(series, "hip"), _tilt_deg(series, "shoulder"),
    )  # fmt: skip


def _lean_deg(aside: FloatArray, rise: FloatArray) -> FloatArray:
    """Angle from the vertical of what goes `aside` by the way up; NaN for a trunk of no length."""
    lean: FloatArray = np.degrees(np.arctan2(aside, rise))
    return np.where((aside == 0) & (rise == 0), np.nan, lean)


def _own_axes(series: JointSeries) -> tuple[FloatArray, FloatArray]:
    """Horizontal directions, (n, 3) each, to the person's left (hip to hip) and front."""
    across = series.point("left_hip") - series.point("right_hip")
    level = across - (across @ series.down)[:, None] * series.down
    length = np.linalg.norm(level, axis=-1, keepdims=True)
    to_left = level / np.where(length > 0, length, np.nan)
    return to_left, np.cross(to_left, -series.down)


def _rise(series: JointSeries, joint: str) -> tuple[FloatArray, FloatArray]:
    """Height of the left above the right joint, and their distance, (n,) each."""
    across = series.point(f"left_{joint}") - series.point(f"right_{joint}")
    return -(across @ series.down), np.linalg.norm(across, axis=-1)


def _level_pct(series: JointSeries, joint: str) -> FloatArray:
    return 100 * _rise(series, joint)[0] / series.trunk_length()


def _tilt_deg(series: JointSeries, joint: str) -> FloatArray:
    rise, distance = _rise(series, joint)
    sine = rise / np.where(distance > 0, distance, np.nan)
    tilt: FloatArray = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return tilt
