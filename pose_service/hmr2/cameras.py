"""From the crop camera that HMR 2.0 answers to the body's place before the picture's camera.

A crop camera is (scale, tx, ty): the body's origin is (tx, ty) metres off the square's axis, and so
far away that 2 / scale metres fill the square. Camera axes: x right, y down, z away, metres.
"""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Camera
from pose_service.hmr2.config import CROP_PX, FOCAL_PX
from pose_service.hmr2.squares import Squares

# keeps a scale of zero finite, as official code does
_TINY = 1e-9


def picture_camera(width_px: int, height_px: int) -> Camera:
    """The camera that HMR 2.0 assumes for a whole picture."""
    return Camera(FOCAL_PX / CROP_PX * max(width_px, height_px), width_px, height_px)


def crop_translations_m(crop_cameras: FloatArray) -> FloatArray:
    """(n, 3) crop cameras to (n, 3): the bodies' origins before the square's own camera."""
    expect_shape("crop_cameras", crop_cameras, ("n", 3))
    scale, x, y = crop_cameras.T
    return np.stack([x, y, 2 * FOCAL_PX / (CROP_PX * scale + _TINY)], axis=1)


def crop_keypoints(joints_m: FloatArray, translations_m: FloatArray) -> FloatArray:
    """Joints as seen in the square, (n, joints, 2): centre 0, edges at -0.5 and 0.5.

    `joints_m`: (n, joints, 3), translation not added. `translations_m`: (n, 3).
    """
    x, y, z = np.moveaxis(joints_m + translations_m[:, None], -1, 0)
    return FOCAL_PX / CROP_PX * np.stack([x / z, y / z], axis=-1)


def picture_translations_m(
    crop_cameras: FloatArray, squares: Squares, camera: Camera
) -> FloatArray:
    """(n, 3): the bodies' origins before `camera`, so that each fills its square as predicted.

    `camera.project(joints_m + translation)` is then where the joints are in the picture. It is
    another perspective than the square's own: the two differ by some pixels off the centre.
    """
    expect_shape("crop_cameras", crop_cameras, (len(squares), 3))
    scale, *shift = crop_cameras.T
    span = squares.sides_px * scale + _TINY
    across = np.stack(shift, 1) + 2 * (squares.centres_px - camera.centre_px) / span[:, None]
    return np.column_stack([across, 2 * camera.focal_px / span])


def tracker_translations_m(
    crop_cameras: FloatArray, squares: Squares, width_px: int, height_px: int
) -> FloatArray:
    """(n, 3): as the tracker places bodies, in the picture padded to a square and shrunk to 256.

    The same place as `picture_translations_m`, but for a padding that is rounded down.
    """
    expect_shape("crop_cameras", crop_cameras, (len(squares), 3))
    longer = max(width_px, height_px)
    ratio = CROP_PX / longer
    padding = np.array([(longer - width_px) // 2, (longer - height_px) // 2])
    scale, *shift = crop_cameras.T
    depth = 2 * FOCAL_PX / (scale * squares.sides_px * ratio + _TINY)
    off_centre = (squares.centres_px + padding) * ratio - CROP_PX / 2
    return np.column_stack([np.stack(shift, 1) + off_centre * depth[:, None] / FOCAL_PX, depth])


def tracker_keypoints_px(joints_m: FloatArray, translations_m: FloatArray) -> FloatArray:
    """Joints (n, joints, 3) at `tracker_translations_m`, in pixels of the 256-pixel square."""
    return CROP_PX * (crop_keypoints(joints_m, translations_m) + 0.5)
