"""People's squares as the network wants them: blurred where they shrink a lot, scaled, normalised.

Two official programs crop differently. `demo.py` blurs the picture before it shrinks a person by
more than 2.2 times; the tracker of `track.py` never does. Up to there their crops are equal.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape
from pose_service.hmr2.config import CROP_PX, IMAGE_MEAN_RGB, IMAGE_STD_RGB
from pose_service.hmr2.squares import Squares
from pose_service.hmr2.warp import Taps, sample, taps_of_square

_BLURRED_ABOVE = 1.1
# a Gaussian is cut off at this many standard deviations
_CUT_OFF = 4.0


def person_crops(image: ImageArray, squares: Squares, *, anti_alias: bool) -> FloatArray:
    """(n, 3, 256, 256) float32 normalised RGB of `squares` of one picture.

    `image`: (height, width, 3) uint8 RGB. `anti_alias`: as `demo.py` if true, as the tracker if
    not. What lies outside of the picture is black.
    """
    expect_shape("image", image, ("height", "width", 3))
    if image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8, got {image.dtype}")
    crops = np.empty((len(squares), 3, CROP_PX, CROP_PX), np.float32)
    for crop, centre_px, side_px in zip(crops, squares.centres_px, squares.sides_px, strict=True):
        x, y = taps_of_square(centre_px, side_px, (image.shape[1], image.shape[0]))
        sigma_px = blur_sigma_px(side_px) if anti_alias else np.float32(0)
        patch = _blurred_patch(image, sigma_px, x, y) if sigma_px else sample(image, x, y)
        crop[:] = normalised(patch)
    return crops


def blur_sigma_px(side_px: np.floating[Any]) -> np.float32:
    """Standard deviation of the blur before a square of this side is shrunk; 0 for none."""
    shrink = np.float32(side_px) / np.float32(CROP_PX) / np.float32(2)
    return (shrink - np.float32(1)) / np.float32(2) if shrink > _BLURRED_ABOVE else np.float32(0)


def normalised(patch: NDArray[Any]) -> FloatArray:
    """(height, width, 3) RGB, 0 to 255, to (3, height, width) with ImageNet's mean and spread."""
    mean, std = 255 * np.array(IMAGE_MEAN_RGB), 255 * np.array(IMAGE_STD_RGB)
    scaled: FloatArray = ((patch.astype(np.float32) - mean) / std).transpose(2, 0, 1)
    return scaled.astype(np.float32)


def _blurred_patch(image: ImageArray, sigma_px: np.float32, x: Taps, y: Taps) -> FloatArray:
    """As if the whole picture were blurred; only what the square can see of it is."""
    kernel = _gaussian(sigma_px)
    reach = len(kernel) // 2
    left, top = (max(int(taps.places.min()) - reach, 0) for taps in (x, y))
    right, bottom = (int(taps.places.max()) + reach + 1 for taps in (x, y))
    blurred = cv2.sepFilter2D(
        image[top:bottom, left:right], cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REPLICATE
    )
    return sample(blurred, x.moved(left), y.moved(top))


def _gaussian(sigma_px: np.float32) -> FloatArray:
    """(2 r + 1,) float64 weights that sum to 1."""
    reach = int(_CUT_OFF * float(sigma_px) + 0.5)
    # the exponent's factor is a float32 in the official crop
    factor = np.float32(-0.5) / (sigma_px * sigma_px)
    weights = np.exp(factor * np.arange(-reach, reach + 1) ** 2)
    return np.asarray(weights / weights.sum())
