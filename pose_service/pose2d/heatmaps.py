"""Joints out of heat maps, one for each joint, as HRNet gives them.

Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (DARK),
CVPR 2020: near its peak the logarithm of a Gaussian is a paraboloid, whose top lies one step of
Newton's method from the highest cell.
"""

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.pose2d.layouts import HEATMAP_STRIDE_PX

# the nets are trained on Gaussians of two cells; a kernel of 11 is what OpenCV derives that from
_SIGMA_CELLS, _KERNEL_CELLS = 2.0, 11
_FLOOR = 1e-10
# derivatives reach two cells out
_REACH_CELLS = 2


def decode_heatmaps(heatmaps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points (n, joints, 2) in pixels of the crop and their confidence (n, joints), 0 to 1.

    `heatmaps`: (n, joints, height / 4, width / 4). The confidence is the highest cell; a joint of
    0 or below was not seen. Within two cells of the border the highest cell is not refined.
    """
    expect_shape("heatmaps", heatmaps, ("n", "joints", "rows", "columns"))
    rows, columns = heatmaps.shape[2:]
    flat = heatmaps.reshape(-1, rows, columns).astype(np.float32)
    cells = flat.reshape(len(flat), rows * columns).argmax(axis=1)
    places = np.stack([cells % columns, cells // columns], axis=-1)
    heights = flat.max(axis=(1, 2), initial=0.0)
    refined = places + _steps(flat, places)
    points = refined.reshape(*heatmaps.shape[:2], 2) * HEATMAP_STRIDE_PX
    return points, np.clip(np.nan_to_num(heights), 0.0, 1.0).reshape(heatmaps.shape[:2])


def _steps(maps: FloatArray, places: FloatArray) -> FloatArray:
    """Newton's step (maps, 2) as x, y from `places` to the top of each of `maps`."""
    steps = np.zeros(places.shape)
    last = np.array(maps.shape[:0:-1]) - 1 - _REACH_CELLS
    inner = ((places >= _REACH_CELLS) & (places <= last)).all(axis=1)
    for index in np.flatnonzero(inner):
        x, y = places[index]
        steps[index] = _newton(_log_around(maps[index], x, y))
    return steps


def _log_around(heatmap: FloatArray, x: int, y: int) -> FloatArray:
    """Logarithm of the smoothed heat map on the 5 by 5 cells around (x, y).

    Only what the kernel reaches is smoothed; beyond the map there is nothing. The smoothed map is
    lower than the map, which adds a constant to its logarithm and moves no top.
    """
    reach = _REACH_CELLS + _KERNEL_CELLS // 2
    top, left = max(0, y - reach), max(0, x - reach)
    part = np.ascontiguousarray(heatmap[top : y + reach + 1, left : x + reach + 1])
    kernel = (_KERNEL_CELLS, _KERNEL_CELLS)
    smooth = cv2.GaussianBlur(part, kernel, _SIGMA_CELLS, borderType=cv2.BORDER_CONSTANT)
    row, column = y - top - _REACH_CELLS, x - left - _REACH_CELLS
    side = 2 * _REACH_CELLS + 1
    log: FloatArray = np.log(np.maximum(smooth[row : row + side, column : column + side], _FLOOR))
    return log


def _newton(log: FloatArray) -> FloatArray:
    """(2,) x, y from the middle of `log` (5, 5) to its paraboloid's top; 0 where it has none."""
    dx, dy = (log[2, 3] - log[2, 1]) / 2, (log[3, 2] - log[1, 2]) / 2
    dxx = (log[2, 4] - 2 * log[2, 2] + log[2, 0]) / 4
    dyy = (log[4, 2] - 2 * log[2, 2] + log[0, 2]) / 4
    dxy = (log[3, 3] - log[1, 3] - log[3, 1] + log[1, 1]) / 4
    determinant = dxx * dyy - dxy**2
    step = np.zeros(2)
    if dxx < 0 and determinant > 0:
        step[:] = (dxy * dy - dyy * dx) / determinant, (dxy * dx - dxx * dy) / determinant
    return step
