"""Faces made unknowable: each becomes sixteen colours, and those are smeared."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape
from pose_service.core.records import Camera
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.rasterizer import NEAR_M

_NECK, _HEAD = SMPL24.index("neck"), SMPL24.index("head")

# In lengths from neck to head (0.105 m of an adult), along the same way. The head's own surface
# lies within 1.25 of this centre; the rest is for a body that lies beside the person.
_CENTRE, _RADIUS = 0.5, 2.0
_SMALLEST_PX = 4.0

_BLOCKS = 4
"""Colours across the circle. A face fills half of it, so about two by three of them are face."""


def face_circle(joints_cam_m: FloatArray, camera: Camera) -> FloatArray | None:
    """(3,) centre x, y and radius in pixels around a whole head, from whichever side it is seen.

    `joints_cam_m`: (24, 3) of `SMPL24`, camera axes, metres. None for a head behind the camera.
    """
    expect_shape("joints_cam_m", joints_cam_m, (len(SMPL24), 3))
    way_m = joints_cam_m[_HEAD] - joints_cam_m[_NECK]
    centre_m = joints_cam_m[_HEAD] + _CENTRE * way_m
    if centre_m[2] <= NEAR_M:
        return None
    radius_px = camera.focal_px * _RADIUS * np.linalg.norm(way_m) / centre_m[2]
    return np.append(camera.project(centre_m), max(radius_px, _SMALLEST_PX))


def blur_circles(image: ImageArray, circles_px: Iterable[FloatArray]) -> None:
    """Take all detail out of circles, (3,) each, of `image` (height, width, 3), in place.

    What is left depends on the mean colours of the blocks alone, so no method brings detail back.
    """
    for x, y, radius in circles_px:
        # a pixel more on both sides, for the circle's edge and where the blocks are rounded to
        block = int(np.ceil(2 * (radius + 2) / _BLOCKS))
        left, top = (round(float(middle)) - _BLOCKS * block // 2 for middle in (x, y))
        rows = slice(max(top, 0), max(top + _BLOCKS * block, 0))
        columns = slice(max(left, 0), max(left + _BLOCKS * block, 0))
        window = image[rows, columns]
        if window.size:
            inside = _disc(window, x - columns.start, y - rows.start, radius)
            window[inside] = _smeared(window, block)[inside]


def _disc(window: ImageArray, x: float, y: float, radius_px: float) -> NDArray[np.bool_]:
    """(h, w) whether any part of a pixel lies in the circle."""
    height, width = window.shape[:2]
    across = np.arange(width) + 0.5 - x
    down = np.arange(height)[:, None] + 0.5 - y
    return np.asarray(np.hypot(across, down) <= radius_px + 1)


def _smeared(window: ImageArray, block_px: int) -> ImageArray:
    height, width = window.shape[:2]
    blocks = (-(-width // block_px), -(-height // block_px))
    means = cv2.resize(window, blocks, interpolation=cv2.INTER_AREA)
    # the same as blocks of these colours blurred over a block's width, and much faster
    smeared = cv2.resize(means, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smeared, np.uint8)
