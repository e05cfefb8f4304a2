"""Where a body must be to be seen where it was seen."""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Camera
from pose_service.hmr2.config import CROP_PX, FOCAL_PX
from pose_service.hmr2.squares import Squares


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


def crop_places_m(
    translations_m: FloatArray, squares: Squares, size_px: tuple[int, ...]
) -> FloatArray:
    """(n, 3): bodies placed before a picture's camera, before each square's own camera instead.

    The way back of `hmr2.cameras.picture_translations_m` and on by `crop_translations_m`.
    `size_px`: width and height of the picture.
    """
    expect_shape("translations_m", translations_m, (len(squares), 3))
    x_y, depth = translations_m[:, :2], translations_m[:, 2:]
    longer_px = max(size_px)
    off_centre = (squares.centres_px - np.array(size_px) / 2) / longer_px
    across = x_y - off_centre * depth * CROP_PX / FOCAL_PX
    return np.hstack([across, depth * squares.sides_px[:, None] / longer_px])
