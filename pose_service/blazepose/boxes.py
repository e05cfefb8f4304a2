"""Arithmetic of upright boxes, xyxy."""

import numpy as np

from pose_service.core.arrays import FloatArray

_TINY = 1e-12


def iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """(n,) intersection over union of `box` (4,) with each of `boxes` (n, 4).

    >>> iou(np.array([0, 0, 2, 2]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [0.333, 0.0]
    """
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - shared
    result: FloatArray = shared / np.maximum(union, _TINY)
    return result


def around_rois(rois: FloatArray) -> FloatArray:
    """(n, 4) boxes around the turned squares `rois` (n, 4): x, y, side, angle."""
    x, y, side, angle = rois.T
    reach = side / 2 * (np.abs(np.cos(angle)) + np.abs(np.sin(angle)))
    boxes: FloatArray = np.stack([x - reach, y - reach, x + reach, y + reach], axis=1)
    return boxes
