"""What the landmark network says of one person, decoded into the picture's coordinates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_service.blazepose.crop_mask import CropMask
from pose_service.blazepose.interpreter import Outputs
from pose_service.blazepose.roi import CROP_SIDE_PX, Roi
from pose_service.core.arrays import FloatArray, IntArray, expect_shape

BODY_LANDMARKS = 33
LIMBS = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""Places of the twelve limb joints: shoulders, elbows, wrists, hips, knees, ankles."""

_LANDMARKS = 39
_HEAT_SIDE = 64
_REACH = 3  # cells to each side: a window of 7 x 7
_MIN_HEAT = 0.5
_BEST_LIMBS = 8
_PADDING, _PADDING_TOP = 0.05, 0.08


@dataclass(frozen=True)
class LandmarkResult:
    """One look of the landmark network.

    `landmarks_px`: (33, 2). `landmarks_m`: (33, 3) camera axes, origin at the mid-hip, metres.
    `visibility`: (33,) 0 to 1. `heat`: (33,) the height of each landmark's peak in its heat map,
    0 to 1. `flag`: 0 to 1, whether there is a person at all. `roi`: the square to look at next.
    `box_xyxy_px`: (4,) around the person's pixels, not cut to the picture. `mask`: those pixels.
    """

    landmarks_px: FloatArray
    landmarks_m: FloatArray
    visibility: FloatArray
    heat: FloatArray
    flag: float
    roi: Roi
    box_xyxy_px: FloatArray
    mask: CropMask | None = None

    def __post_init__(self) -> None:
        expect_shape("landmarks_px", self.landmarks_px, (BODY_LANDMARKS, 2))
        expect_shape("landmarks_m", self.landmarks_m, (BODY_LANDMARKS, 3))
        expect_shape("visibility", self.visibility, (BODY_LANDMARKS,))
        expect_shape("heat", self.heat, (BODY_LANDMARKS,))
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))

    @property
    def hq(self) -> float:
        """0 to 1: the mean of the 8 highest of the 12 limb joints' peaks.

        It tells a person from a ghost better than any other signal of the networks.
        """
        return float(np.mean(np.sort(self.heat[list(LIMBS)])[-_BEST_LIMBS:]))

    @property
    def limbs_px(self) -> FloatArray:
        """(12, 2) the limb joints."""
        return self.landmarks_px[list(LIMBS)]


def decode(outputs: Outputs, roi: Roi) -> LandmarkResult:
    """`outputs` of the landmark network for the crop of `roi`."""
    raw = outputs[(5 * _LANDMARKS,)].reshape(_LANDMARKS, 5).astype(float)
    heat_map = outputs[_HEAT_SIDE, _HEAT_SIDE, _LANDMARKS]
    points, heat = refine(raw[:, :2] / CROP_SIDE_PX, heat_map)
    points_px = roi.to_picture(points)
    world = outputs[(3 * _LANDMARKS,)].reshape(_LANDMARKS, 3)[:BODY_LANDMARKS].astype(float)
    landmarks_px = points_px[:BODY_LANDMARKS]
    mask = CropMask(outputs[CROP_SIDE_PX, CROP_SIDE_PX, 1][..., 0], roi)
    box = mask_box(mask.logits > 0, roi)
    return LandmarkResult(
        landmarks_px=landmarks_px,
        landmarks_m=np.column_stack([world[:, :2] @ roi.axes.T, world[:, 2]]),
        visibility=_sigmoid(raw[:BODY_LANDMARKS, 3]),
        heat=heat[:BODY_LANDMARKS],
        flag=float(outputs[(1,)][0]),
        roi=Roi.from_points(points_px[33], points_px[34]),
        box_xyxy_px=_padded_extent(landmarks_px) if box is None else box,
        mask=mask,
    )


def refine(points: FloatArray, heat_map: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Landmarks moved to the middle of their peak, and the peak's height.

    `points`: (n, 2) fractions of the crop; `heat_map`: (rows, columns, n) logits. A window of
    7 x 7 cells around the landmark is looked at; a landmark outside the crop has height 0, one
    whose peak is under 0.5 stays where it is.
    """
    cells = np.trunc(points * _HEAT_SIDE).astype(int)
    inside = np.all((cells >= 0) & (cells < _HEAT_SIDE), axis=1)
    offsets = np.arange(-_REACH, _REACH + 1)
    columns, rows = (cells[:, axis, None] + offsets for axis in (0, 1))
    on_map = _on_map(rows)[:, :, None] & _on_map(columns)[:, None, :] & inside[:, None, None]
    window = heat_map[
        np.clip(rows, 0, _HEAT_SIDE - 1)[:, :, None],
        np.clip(columns, 0, _HEAT_SIDE - 1)[:, None, :],
        np.arange(len(points))[:, None, None],
    ]
    heat = np.where(on_map, _sigmoid(window.astype(float)), 0.0)
    height = heat.max(axis=(1, 2))
    total = np.maximum(heat.sum(axis=(1, 2)), 1e-12)
    middle = np.stack(
        [np.einsum("nrc,nc->n", heat, columns), np.einsum("nrc,nr->n", heat, rows)], axis=1
    )
    middle = middle / (total[:, None] * _HEAT_SIDE)
    return np.where(height[:, None] >= _MIN_HEAT, middle, points), height


def mask_box(mask: NDArray[np.bool_], roi: Roi) -> FloatArray | None:
    """(4,) xyxy around the true pixels of the crop's `mask`, in the picture; None without any."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return None
    # the extreme points of a set in any direction are ends of its rows
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    corners = np.concatenate(
        [np.stack([x, y], axis=1) for x in (first, last) for y in (rows, rows + 1)]
    )
    points = roi.to_picture(corners / CROP_SIDE_PX)
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def _padded_extent(landmarks_px: FloatArray) -> FloatArray:
    low, high = landmarks_px.min(axis=0), landmarks_px.max(axis=0)
    longer = float(np.max(high - low))
    low = low - longer * np.array([_PADDING, _PADDING_TOP])
    return np.concatenate([low, high + longer * _PADDING])


def _on_map(cells: IntArray) -> NDArray[np.bool_]:
    return (cells >= 0) & (cells < _HEAT_SIDE)


def _sigmoid(logits: FloatArray) -> FloatArray:
    result: FloatArray = 1 / (1 + np.exp(-np.clip(logits, -80.0, 80.0)))
    return result
