"""The squares that the detector looks at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_service.blazepose.tiles import MIN_SIDE_PX, Tile, tiles


def test_a_square_picture_is_looked_at_whole_and_in_four_parts() -> None:
    assert tiles(500, 500) == [
        Tile(0, 0, 500, 500), Tile(0, 0, 300, 300), Tile(200, 0, 300, 300),
        Tile(0, 200, 300, 300), Tile(200, 200, 300, 300),
    ]  # fmt: skip


def test_a_picture_of_3_to_2_is_looked_at_in_eleven_regions() -> None:
    sides = [tile.width for tile in tiles(900, 600)]
    assert sides == [900, 600, 600, *[360] * 8]


def test_thorough_adds_smaller_squares() -> None:
    usual, thorough = tiles(1334, 550), tiles(1334, 550, thorough=True)
    assert thorough[: len(usual)] == usual
    assert len(thorough) == 53
    assert thorough[-1].width == 220


@pytest.mark.parametrize(("width", "height"), [(6000, 20), (2, 900), (1, 1), (31, 31)])
def test_squares_too_small_to_show_a_person_are_left_out(width: int, height: int) -> None:
    assert tiles(width, height, thorough=True) == [Tile(0, 0, width, height)]


def test_a_very_long_picture_is_thinned_out_from_end_to_end() -> None:
    found = tiles(6000, 60)
    assert len(found) == 24
    assert found[1].left == 0
    assert found[-1].left + found[-1].width == 6000


@given(st.integers(1, 3000), st.integers(1, 3000), st.booleans())
def test_tiles_lie_inside_and_are_few(width: int, height: int, thorough: bool) -> None:
    found = tiles(width, height, thorough=thorough)
    assert len(found) <= (64 if thorough else 24)
    assert len(set(found)) == len(found)
    for tile in found[1:]:
        assert tile.width >= MIN_SIDE_PX
        assert 0 <= tile.left <= width - tile.width
        assert 0 <= tile.top <= height - tile.height


@given(st.integers(200, 1500), st.integers(200, 1500))
def test_neighbouring_squares_share_at_least_30_percent(width: int, height: int) -> None:
    ratio = max(width, height) / min(width, height)
    squares = tiles(width, height, thorough=ratio < 2)[1:]
    if ratio > 3.5:  # the cap thins them out
        return
    for side in {tile.width for tile in squares}:
        starts = sorted({tile.left for tile in squares if tile.width == side})
        # whole pixels cost up to one of the shared part
        assert np.all(np.diff(starts) <= 0.7 * side + 1)
        assert starts[0] == 0
        assert starts[-1] + side == width
