"""The colours of a person's torso: cheap, and enough to tell neighbours apart."""

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray

_SHOULDER_LEFT, _SHOULDER_RIGHT, _HIP_LEFT, _HIP_RIGHT = 11, 12, 23, 24
_SAMPLES = 16
_BINS = (8, 3, 4)  # hue, saturation, value
_INSET = 0.1  # of the torso, left out at each edge: sleeves and background


def torso_colours(image: ImageArray, landmarks_px: FloatArray) -> FloatArray:
    """(96,) histogram over hue, saturation and value inside the torso; its sum is 1.

    `image`: (height, width, 3) uint8 RGB; `landmarks_px`: (33, 2). Where the torso leaves the
    picture its edge is repeated.
    """
    corners = landmarks_px[[_SHOULDER_LEFT, _SHOULDER_RIGHT, _HIP_LEFT, _HIP_RIGHT]]
    limits = np.array(image.shape[1::-1]) - 1
    places = np.clip(np.rint(_grid(corners)), 0, limits).astype(int)
    pixels = image[places[..., 1], places[..., 0]]
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    counts, _ = np.histogramdd(hsv, bins=_BINS, range=((0, 180), (0, 256), (0, 256)))
    colours: FloatArray = counts.ravel() / counts.sum()
    return colours


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
