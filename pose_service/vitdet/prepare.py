"""Pictures to the network's canvas."""

from collections.abc import Sequence

import numpy as np
import torch
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

    `resized`: (height, width, 3) uint8 RGB each, at most `side` high and wide. They are sent to
    `device` as they are, and normalised there.
    """
    pixels = np.zeros((len(resized), side, side, 3), np.uint8)
    for square, picture in zip(pixels, resized, strict=True):
        square[: picture.shape[0], : picture.shape[1]] = picture
    sizes_hw = torch.tensor([picture.shape[:2] for picture in resized], device=device)
    values = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float()
    mean = values.new_tensor(_MEAN_RGB)[:, None, None]
    spread = values.new_tensor(_SPREAD_RGB)[:, None, None]
    places = torch.arange(side, device=device)
    rows, columns = (places < ends[:, None] for ends in sizes_hw.unbind(1))
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    return torch.where(inside, (values - mean) / spread, 0.0)
