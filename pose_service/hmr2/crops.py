"""People's squares as the network wants them: blurred where they shrink a lot, scaled, normalised.

Two official programs crop differently. `demo.py` blurs the picture before it shrinks a person by
more than 2.2 times; the tracker of `track.py` never does. Up to there their crops are equal.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_service.core.arrays import ImageArray, expect_shape
from pose_service.hmr2.config import CROP_PX, IMAGE_MEAN_RGB, IMAGE_STD_RGB
from pose_service.hmr2.squares import Squares
from pose_service.hmr2.warp import SHARP, Taps, scaled, taps_of_square

_BLURRED_ABOVE = 1.1
# a Gaussian is cut off at this many standard deviations
_CUT_OFF = 4.0
# normalised in double precision, so many at a time
_TOGETHER = 16


def person_crops(
    pictures: Sequence[ImageArray],
    squares: Sequence[Squares],
    *,
    anti_alias: bool,
    device: torch.device,
) -> Tensor:
    """(people, 3, 256, 256) float32 normalised RGB on `device`, picture by picture.

    `pictures`: (height, width, 3) uint8 RGB each; only what the squares see of one is brought to
    the device. `squares`: those of each picture. `anti_alias`: as `demo.py` if true, as the
    tracker if not. What lies outside of a picture is black. Raises `ValueError` for other arrays.
    """
    crops = torch.empty((sum(map(len, squares)), 3, CROP_PX, CROP_PX), device=device)
    patches = (
        patch
        for picture, each in zip(pictures, squares, strict=True)
        for patch in _patches(picture, each, anti_alias, device)
    )
    for crop, patch in zip(crops, patches, strict=True):
        crop.copy_(patch.permute(2, 0, 1))
    for some in torch.split(crops, _TOGETHER):
        some.copy_(normalised(some))
    return crops


def blur_sigma_px(side_px: np.floating[Any]) -> np.float32:
    """Standard deviation of the blur before a square of this side is shrunk; 0 for none."""
    shrink = np.float32(side_px) / np.float32(CROP_PX) / np.float32(2)
    return (shrink - np.float32(1)) / np.float32(2) if shrink > _BLURRED_ABOVE else np.float32(0)


def normalised(grey_levels: Tensor) -> Tensor:
    """(n, 3, height, width) RGB, 0 to 255, to float32 with ImageNet's mean and spread."""
    mean, std = (
        255 * torch.tensor(values, dtype=torch.float64, device=grey_levels.device)[:, None, None]
        for values in (IMAGE_MEAN_RGB, IMAGE_STD_RGB)
    )
    return ((grey_levels - mean) / std).float()


def _patches(
    image: ImageArray, squares: Squares, anti_alias: bool, device: torch.device
) -> Iterator[Tensor]:
    """(256, 256, 3) grey levels of each of one picture's squares."""
    expect_shape("image", image, ("height", "width", 3))
    if image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8, got {image.dtype}")
    taps = [
        taps_of_square(
            centre_px, side_px, image.shape[1::-1], _blur(side_px) if anti_alias else SHARP
        )
        for centre_px, side_px in zip(squares.centres_px, squares.sides_px, strict=True)
    ]
    left, right = _joint_span([x for x, _ in taps])
    top, bottom = _joint_span([y for _, y in taps])
    # a copy, as torch takes no array that must not be written
    region = torch.from_numpy(np.array(image[top:bottom, left:right])).to(device)
    for x, y in taps:
        yield scaled(region, x.moved(left), y.moved(top))


def _joint_span(taps: Sequence[Taps]) -> tuple[int, int]:
    spans = [each.span for each in taps if each.places.size]
    return min((first for first, _ in spans), default=0), max((end for _, end in spans), default=0)


def _blur(side_px: np.floating[Any]) -> NDArray[Any]:
    """(2 r + 1,) weights of a Gaussian, float64, that sum to 1; `SHARP` where there is no blur."""
    sigma_px = blur_sigma_px(side_px)
    if sigma_px == 0:
        return SHARP
    reach = int(_CUT_OFF * float(sigma_px) + 0.5)
    # the exponent's factor is a float32 in the official crop
    factor = np.float32(-0.5) / (sigma_px * sigma_px)
    weights = np.exp(factor * np.arange(-reach, reach + 1) ** 2)
    return np.asarray(weights / weights.sum())
