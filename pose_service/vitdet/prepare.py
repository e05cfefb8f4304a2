"""Pictures to the network's canvas."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pose_service.core.arrays import ImageArray, expect_shape
from pose_service.core.errors import BadImageError

_MEAN_RGB = (123.675, 116.28, 103.53)
_SPREAD_RGB = (58.395, 57.12, 57.375)


def resized_hw(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width after the longer edge has become `side`, up or down.

    Two roundings in a row, as in the official code: one factor gives other sizes for a few
    pictures. `BadImageError` when the shorter edge would vanish.

    >>> resized_hw(1080, 1920, 1024), resized_hw(172, 240, 1024)
    ((576, 1024), (734, 1024))
    """
    shortest = side / min(height, width)
    rows, columns = (side, shortest * width) if height < width else (shortest * height, side)
    if max(rows, columns) > side:
        longest = side / max(rows, columns)
        rows, columns = rows * longest, columns * longest
    size = int(rows + 0.5), int(columns + 0.5)
    if min(size) < 1:
        raise BadImageError(
            f"a picture of {width} x {height} pixels is too narrow to look for people in",
            hint=f"Send a picture whose longer edge is at most {2 * side} times the shorter.",
        )
    return size


def resize(image: ImageArray, side: int) -> ImageArray:
    """(height, width, 3) uint8 with the longer edge `side`.

    Pillow's bilinear filter, which is smooth when it shrinks: OpenCV and torch give other pixels.
    """
    expect_shape("image", image, ("height", "width", 3))
    if image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8, got {image.dtype}")
    height, width, _ = image.shape
    rows, columns = resized_hw(height, width, side)
    resized = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def canvas(resized: Sequence[ImageArray], side: int, device: torch.device) -> Tensor:
    """(n, 3, side, side) float32: normalised, then zeros at the right and at the bottom.

    `resized`: (height, width, 3) uint8 RGB each, at most `side` high and wide.
    """
    return torch.stack([_normalised(picture, side, device) for picture in resized])


def _normalised(picture: ImageArray, side: int, device: torch.device) -> Tensor:
    pixels = torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1).float()
    mean = pixels.new_tensor(_MEAN_RGB)[:, None, None]
    spread = pixels.new_tensor(_SPREAD_RGB)[:, None, None]
    rows, columns = pixels.shape[1:]
    return F.pad((pixels - mean) / spread, (0, side - columns, 0, side - rows))
