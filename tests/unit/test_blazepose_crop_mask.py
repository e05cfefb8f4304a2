"""The landmark network's person pixels, brought into the picture."""

import math

import numpy as np
import pytest

from pose_service.blazepose.crop_mask import CropMask
from pose_service.blazepose.roi import CROP_SIDE_PX, Roi
from pose_service.core.arrays import FloatArray

ROI = Roi(200.0, 150.0, 256.0, 0.0)


def disc(x: float, y: float, radius: float) -> FloatArray:
    """Logits of a disc in the crop, in its pixels: above 0 inside, falling by 1 a pixel."""
    rows, columns = np.mgrid[:CROP_SIDE_PX, :CROP_SIDE_PX] + 0.5
    return np.asarray(radius - np.hypot(columns - x, rows - y))


def test_a_crop_of_the_pictures_own_size_is_laid_where_it_was_cut() -> None:
    pixels = CropMask(disc(128, 128, 40), ROI).in_picture(400, 300).pixels()
    rows, columns = np.nonzero(pixels)
    # the middle of the crop is the middle of the square, (200, 150)
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((200, 150), abs=1e-9)
    assert pixels.sum() == pytest.approx(math.pi * 40**2, rel=0.01)


def test_a_large_square_gives_a_smooth_outline() -> None:
    large = Roi(1000.0, 750.0, 2048.0, 0.0)
    pixels = CropMask(disc(128, 128, 40), large).in_picture(2000, 1500).pixels()
    # eight pixels for one: blocks of the crop would be off by more than this
    assert pixels.sum() == pytest.approx(math.pi * 320**2, rel=0.003)


def test_a_turned_square_turns_its_mask() -> None:
    mask = CropMask(disc(128 + 60, 128, 10), ROI._replace(angle=math.pi / 2))
    rows, columns = np.nonzero(mask.in_picture(400, 300).pixels())
    # right in the crop is down in a picture turned by a quarter, clockwise
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((200, 210), abs=0.1)


def test_what_lies_beyond_the_crop_or_the_picture_is_off() -> None:
    everywhere = CropMask(np.ones((CROP_SIDE_PX, CROP_SIDE_PX)), Roi(0.0, 0.0, 100.0, 0.0))
    pixels = everywhere.in_picture(400, 300).pixels()
    assert pixels[:49, :49].all()
    assert not pixels[51:].any()
    assert not pixels[:, 51:].any()
    away = CropMask(np.ones((CROP_SIDE_PX, CROP_SIDE_PX)), Roi(-500.0, 0.0, 100.0, 0.0))
    assert not away.in_picture(400, 300).pixels().any()


def test_logits_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="logits: expected"):
        CropMask(np.zeros((64, 64)), ROI)
