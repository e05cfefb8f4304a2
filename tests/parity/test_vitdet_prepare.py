"""Pictures to the canvas: the sizes, the pixels and the padding of the official detector."""

import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from standin_vitdet import TINY, golden, picture_bgr, picture_rgb, worst

from pose_service.core.errors import BadImageError
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.prepare import canvas, resize, resized_hw

CPU = torch.device("cpu")


def test_the_longer_edge_becomes_1024_as_in_the_official_table() -> None:
    units = golden("golden_units")
    got = [resized_hw(height, width, 1024) for height, width in units["resize_in_hw"].tolist()]
    assert got == [tuple(size) for size in units["resize_out_hw"].tolist()]


@pytest.mark.parametrize(
    ("size", "wanted"), [((93, 2048), (46, 1024)), ((2048, 1593), (1024, 796))]
)
def test_two_roundings_in_a_row_where_one_factor_would_give_one_pixel_more(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert resized_hw(*size, 1024) == wanted


def test_a_picture_whose_shorter_edge_would_vanish_is_refused_with_the_limit() -> None:
    assert resized_hw(1, 2000, 1024) == (1, 1024)
    with pytest.raises(BadImageError, match="2200 x 1 pixels is too narrow") as refused:
        resized_hw(1, 2200, 1024)
    assert "2048 times" in refused.value.hint


@pytest.mark.parametrize(
    ("size", "source", "resized"),
    [
        (
            (172, 240),
            "26651a6e8dc3ac71e11ee31e5621596b72d9264ea3f3716e58b03cf01bf0e3f9",
            "a2cc2bb5398ab458981705dcfbb97a07d9b0707e980b117b647127ae88976196",
        ),
        (
            (1080, 1920),
            "ec6d48f0e29001ca33f8ac8c8b89f0ecd6a02cafc027008a383b06b4f8f79ed6",
            "a4afeaa0dd74972083610d9613cff9e283e591855890e957d91de0fe61823595",
        ),
    ],
)
def test_every_pixel_of_the_resized_picture_is_the_official_one(
    size: tuple[int, int], source: str, resized: str
) -> None:
    picture = picture_bgr(*size)
    assert hashlib.sha256(picture.tobytes()).hexdigest() == source
    assert hashlib.sha256(resize(picture, 1024).tobytes()).hexdigest() == resized


def test_the_tiny_canvas_is_normalised_first_and_padded_right_and_below() -> None:
    tiny = golden("golden_tiny")
    resized = resize(picture_rgb(172, 240), TINY.canvas_px)
    assert np.array_equal(resized, tiny["resized_rgb"])
    assert resized.shape[:2] == tuple(tiny["image_size_hw"])
    # two roundings of float32 at values up to 2.6
    assert worst(canvas([resized], 256, CPU), tiny["preprocessed"]) <= 1e-6


def test_pictures_of_two_sizes_share_one_batch() -> None:
    wide, tall = (resize(picture_rgb(*size), 256) for size in ((100, 300), (300, 100)))
    batch = canvas([wide, tall], 256, CPU)
    assert batch.shape == (2, 3, 256, 256)
    assert bool((batch[0, :, 85:] == 0).all())
    assert bool((batch[1, :, :, 85:] == 0).all())
    assert bool((batch[0, :, :85] != 0).any())


@pytest.mark.parametrize("bad", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), "u1")])
def test_what_is_no_rgb_picture_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="image: expected"):
        resize(bad, 256)


def test_the_official_canvas_has_1024_pixels_per_side() -> None:
    assert VitDetConfig().canvas_px == 1024
    assert TINY.strides_px == (4, 8, 16, 32, 64)
