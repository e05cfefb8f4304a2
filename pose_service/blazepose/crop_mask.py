"""The person's pixels, in the landmark network's crop and in the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from pose_service.blazepose.roi import CROP_SIDE_PX, Roi
from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.masks import Mask

_SURELY_NOT = -20.0


@dataclass(frozen=True, eq=False)
class CropMask:
    """`logits`: (256, 256), above 0 where the crop of `roi` shows the person."""

    logits: FloatArray
    roi: Roi

    def __post_init__(self) -> None:
        expect_shape("logits", self.logits, (CROP_SIDE_PX, CROP_SIDE_PX))

    def in_picture(self, width_px: int, height_px: int) -> Mask:
        """The mask of the whole picture; between the crop's pixels the logits blend linearly."""
        roi = self.roi
        corners = roi.to_picture(np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]))
        size = np.array([width_px, height_px])
        low, high = (
            np.clip(end, 0, size).astype(int)
            for end in (np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0)))
        )
        pixels = np.zeros((height_px, width_px), np.bool_)
        if np.all(high > low):
            pixels[low[1] : high[1], low[0] : high[0]] = self._window(low, high - low) > 0
        return Mask.of(pixels)

    def _window(self, low: FloatArray, size: FloatArray) -> FloatArray:
        """Logits (rows, columns) at the middles of the picture's pixels from `low` (2,) on."""
        turn = CROP_SIDE_PX / self.roi.side * self.roi.axes.T
        centre = np.array([self.roi.x, self.roi.y])
        # pixel i covers [i, i + 1) in picture and crop alike
        start = turn @ (low + 0.5 - centre) + CROP_SIDE_PX / 2 - 0.5
        window = cv2.warpAffine(
            self.logits.astype(np.float32),
            np.column_stack([turn, start]),
            (int(size[0]), int(size[1])),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=_SURELY_NOT,
        )
        return np.asarray(window, np.float32)
