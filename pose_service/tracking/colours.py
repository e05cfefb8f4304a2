"""The colours of a person's torso: cheap, and enough to tell neighbours apart."""

import math

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape

_SAMPLES = 16
_BINS = (8, 3, 4)  # hue, saturation, value
_INSET = 0.1  # of the torso, left out at each edge: sleeves and background


def torso_colours(image: ImageArray, corners_px: FloatArray) -> FloatArray:
    """(96,) histogram over hue, saturation and value inside the torso; its sum is 1.

    `image`: (height, width, 3) uint8 RGB; `corners_px`: (4, 2) left and right shoulder, left and
    right hip. Where the torso leaves the picture its edge is repeated.
    """
    expect_shape("corners_px", corners_px, (4, 2))
    limits = np.array(image.shape[1::-1]) - 1
    places = np.clip(np.rint(_grid(corners_px)), 0, limits).astype(int)
    pixels = image[places[..., 1], places[..., 0]]
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    # hue is in steps of two degrees
    bins = hsv.astype(np.int64) * _BINS // (180, 256, 256)
    counts = np.bincount(np.ravel_multi_index(tuple(bins.T), _BINS), minlength=math.prod(_BINS))
    return np.asarray(counts / len(hsv))


def likeness(first: FloatArray, second: FloatArray) -> float:
    """Bhattacharyya coefficient of two histograms of sum 1: 0 nothing shared, 1 the same."""
    return float(np.sum(np.sqrt(first * second)))


def _grid(corners: FloatArray) -> FloatArray:
    """(16, 16, 2) places spread over the quad left, right shoulder, left, right hip."""
    across = np.linspace(_INSET, 1 - _INSET, _SAMPLES)[None, :, None]
    down = np.linspace(_INSET, 1 - _INSET, _SAMPLES)[:, None, None]
    top = corners[0] * (1 - across) + corners[1] * across
    bottom = corners[2] * (1 - across) + corners[3] * across
    grid: FloatArray = top * (1 - down) + bottom * down
    return grid
