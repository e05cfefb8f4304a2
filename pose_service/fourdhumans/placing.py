"""Where a body must be for its joints to be seen where they were seen."""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Camera


def fitted_translations_m(
    joints_m: FloatArray, points_px: FloatArray, weights: FloatArray, camera: Camera
) -> FloatArray:
    """(n, 3) that bring joints (n, k, 3), camera axes, nearest to points (n, k, 2) of the picture.

    `weights`: (n, k). From `u (z + tz) = f (x + tx)`, and likewise for v, with pixels from the
    picture's centre: linear in the translation, so solved at once by least squares. A residue is a
    distance in pixels times the depth, which all joints of a body nearly share.
    """
    count, joints = points_px.shape[:2]
    expect_shape("joints_m", joints_m, (count, joints, 3))
    expect_shape("weights", weights, (count, joints))
    rays = (points_px - camera.centre_px) / camera.focal_px
    factors = np.zeros((count, joints, 2, 3))
    factors[..., 0, 0] = factors[..., 1, 1] = 1
    factors[..., 2] = -rays
    wanted = rays * joints_m[..., 2:] - joints_m[..., :2]
    weighted = np.swapaxes((factors * weights[..., None, None]).reshape(count, -1, 3), 1, 2)
    normal = weighted @ factors.reshape(count, -1, 3)
    return np.asarray(np.linalg.solve(normal, weighted @ wanted.reshape(count, -1, 1))[..., 0])
