"""Pictures of single people for the nets, and points in them turned back to the whole picture.

As MMPose's top-down nets were trained (`GetBBoxCenterScale` with padding 1.25, `TopdownAffine`):
the box grows by a quarter, then one side grows to the net's aspect, and the whole is scaled to the
net's size around its centre, bilinearly, with black where the picture ends. Whole numbers are the
middles of pixels, in the picture and in the crop.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape

PADDING: Final = 1.25
MEAN_RGB: Final = (123.675, 116.28, 103.53)
STD_RGB: Final = (58.395, 57.12, 57.375)
_LEAST_SIDE_PX = 1.0


@dataclass(frozen=True)
class Crops:
    """Where crops lie: `corners_px` (n, 2) of the picture are their corners (0, 0).

    `scales` (n,): crop pixels per picture pixel.
    """

    corners_px: FloatArray
    scales: FloatArray

    def __post_init__(self) -> None:
        expect_shape("corners_px", self.corners_px, ("n", 2))
        expect_shape("scales", self.scales, (len(self.corners_px),))

    def to_picture(self, points_crop_px: FloatArray) -> FloatArray:
        """(n, points, 2) pixels of the crops to pixels of the picture."""
        return points_crop_px / self.scales[:, None, None] + self.corners_px[:, None]


def crops_around(boxes_xyxy_px: FloatArray, width_px: int, height_px: int) -> Crops:
    """Where the crops of `width_px` by `height_px` around `boxes_xyxy_px` (n, 4) lie.

    Corners may be given in either order. Raises `ValueError` for boxes that are not numbers.
    """
    expect_shape("boxes_xyxy_px", boxes_xyxy_px, ("n", 4))
    if not np.isfinite(boxes_xyxy_px).all():
        raise ValueError(f"boxes_xyxy_px: expected finite numbers, got {boxes_xyxy_px.tolist()}")
    boxes = boxes_xyxy_px.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    size_px = np.array([width_px, height_px], float)
    sides = np.maximum(np.abs(boxes[:, 2:] - boxes[:, :2]), _LEAST_SIDE_PX) * PADDING
    scales = (size_px / sides).min(axis=1)
    return Crops(centres - size_px / (2 * scales[:, None]), scales)


def cut(image: ImageArray, crops: Crops, out: FloatArray) -> FloatArray:
    """Fill `out` (n, 3, height, width) with the crops of `image`, normalised, RGB.

    Returns (n,) whether any of the picture is in a crop.
    """
    expect_shape("out", out, (len(crops.scales), 3, "height", "width"))
    height_px, width_px = out.shape[2:]
    inside = np.zeros(len(out), bool)
    for index, (corner, scale) in enumerate(zip(crops.corners_px, crops.scales, strict=True)):
        crop = _warped(image, corner, float(scale), (width_px, height_px))
        inside[index] = crop is not None
        if crop is None:
            crop = np.zeros((height_px, width_px, 3), np.uint8)
        normalise(crop, out[index])
    return inside


def normalise(crop: ImageArray, out: FloatArray) -> None:
    """`crop` (height, width, 3) RGB into `out` (3, height, width), by ImageNet's statistics."""
    for channel, (mean, std) in enumerate(zip(MEAN_RGB, STD_RGB, strict=True)):
        np.multiply(crop[..., channel], np.float32(1 / std), out=out[channel])
        out[channel] -= np.float32(mean / std)


def _warped(
    image: ImageArray, corner_px: FloatArray, scale: float, size_px: tuple[int, int]
) -> ImageArray | None:
    """The crop as uint8; None where it shows nothing of the picture.

    Only the part of the picture that it shows is handed on: the rest need not be read.
    """
    limits = np.array([image.shape[1], image.shape[0]])
    far = corner_px + np.array(size_px) / scale
    begin = np.clip(np.floor(corner_px) - 1, 0, limits).astype(np.int64)
    end = np.clip(np.ceil(far) + 2, 0, limits).astype(np.int64)
    if (end <= begin).any():
        return None
    part = image[begin[1] : end[1], begin[0] : end[0]]
    shift = (begin - corner_px) * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(part, matrix, size_px, flags=cv2.INTER_LINEAR), np.uint8)
