"""What PHALP's tracker compares, from the bodies of HMR 2.0 (phalp/trackers/PHALP.py).

Places are x, y and depth in metres before the camera of the picture padded to a square and shrunk
to 256 px, whose focal length is 5000 px.
"""

from typing import Final

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.phalp.records import BoolArray

FOCAL_SQUARES: Final = 5000 / 256
"""The focal length in sides of the padded square."""
_DEPTH_UNIT_M = 200.0


def location_features(joints_m: FloatArray, places_m: FloatArray) -> FloatArray:
    """(n, 99) float32 of joints (n, 44, 3), HMR 2.0's set without translation, at places (n, 3).

    Upstream's 45th joint is a row of zeros, so it shows where the body's origin is seen.
    """
    expect_shape("joints_m", joints_m, ("n", 44, 3))
    expect_shape("places_m", places_m, (len(joints_m), 3))
    origins = np.zeros((len(joints_m), 1, 3), joints_m.dtype)
    x, y, z = np.moveaxis(np.concatenate([joints_m, origins], axis=1) + places_m[:, None], -1, 0)
    points = FOCAL_SQUARES * np.stack([x / z, y / z], axis=-1) + 0.5
    rows = [points.reshape(len(points), 90), places_m, places_m, places_m]
    return np.concatenate(rows, axis=1).astype(np.float32)


def pose_features(rotations: FloatArray, betas: FloatArray, places_m: FloatArray) -> FloatArray:
    """(n, 229) float32 of local rotations (n, 24, 3, 3), the root's first, and betas (n, 10)."""
    count = len(rotations)
    expect_shape("rotations", rotations, (count, 24, 3, 3))
    expect_shape("betas", betas, (count, 10))
    expect_shape("places_m", places_m, (count, 3))
    scaled = places_m / np.array([1.0, 1.0, _DEPTH_UNIT_M])
    return np.concatenate([rotations.reshape(count, 216), betas, scaled], axis=1).astype(np.float32)


def large_enough(boxes_xyxy_px: FloatArray, smallest_px: tuple[float, float]) -> BoolArray:
    """(n,): which boxes (n, 4) are at least so wide and so high. Upstream's `smallest_px`: 50, 100.

    >>> large_enough(np.array([[0, 0, 50, 100], [0, 0, 49, 300]]), (50, 100)).tolist()
    [True, False]
    """
    expect_shape("boxes_xyxy_px", boxes_xyxy_px, ("n", 4))
    spans_px = boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]
    return np.asarray((spans_px >= smallest_px).all(axis=1))
