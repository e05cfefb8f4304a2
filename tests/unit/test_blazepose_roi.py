"""The turned square: where it lies, what it shows, and the way back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_service.blazepose.roi import CROP_SIDE_PX, Roi, crop, wrapped
from pose_service.core.arrays import FloatArray, ImageArray


@pytest.mark.parametrize(
    ("end", "angle"),
    [((50, 20), 0.0), ((80, 50), math.pi / 2), ((50, 80), -math.pi), ((20, 50), -math.pi / 2)],
)
def test_the_square_stands_on_the_line_from_hip_to_end(
    end: tuple[float, float], angle: float
) -> None:
    roi = Roi.from_points(np.array([50.0, 50.0]), np.array(end, float))
    assert roi == pytest.approx((50, 50, 2 * 30 * 1.25, angle))


@given(st.floats(-100, 100))
def test_wrapped_angles_point_the_same_way_and_lie_in_one_turn(angle: float) -> None:
    found = wrapped(angle)
    assert -math.pi <= found < math.pi
    assert math.cos(found) == pytest.approx(math.cos(angle), abs=1e-9)


def test_the_squares_middle_is_its_centre_and_its_upper_edge_lies_towards_the_end() -> None:
    hip, end = np.array([100.0, 80.0]), np.array([130.0, 40.0])
    roi = Roi.from_points(hip, end)
    np.testing.assert_allclose(roi.to_picture(np.array([0.5, 0.5])), hip)
    # the end lies 0.5 / 1.25 of the side above the middle
    np.testing.assert_allclose(roi.to_picture(np.array([0.5, 0.1])), end)


def ramp(width: int, height: int) -> ImageArray:
    """Red grows by the column, green by the row; both under 256."""
    rows, columns = np.mgrid[:height, :width]
    red, green = columns * (250 / width), rows * (250 / height)
    return np.rint(np.stack([red, green, 0 * red], axis=-1)).astype(np.uint8)


def ramp_at(points: FloatArray, width: int, height: int) -> FloatArray:
    return points * [250 / width, 250 / height]


@pytest.mark.parametrize("side", [90.0, 256.0, 500.0, 520.0, 770.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_each_pixel_of_the_crop_is_the_pixel_of_the_picture_it_says(
    side: float, angle: float
) -> None:
    width, height = 1400, 1300
    roi = Roi(700.0, 650.0, side, angle)
    shown = crop(ramp(width, height), roi)
    assert shown.shape == (CROP_SIDE_PX, CROP_SIDE_PX, 3)
    v, u = np.mgrid[8:256:40, 8:256:40]
    expected = ramp_at(roi.to_picture(np.stack([u, v], axis=-1) / CROP_SIDE_PX), width, height)
    # rounding to whole grey values, in the picture, after shrinking and after sampling
    np.testing.assert_allclose(shown[v, u, :2], expected, atol=1.5)


def test_what_lies_past_the_edge_repeats_it() -> None:
    image = ramp(100, 100)
    shown = crop(image, Roi(0.0, 50.0, 60.0, 0.0))
    np.testing.assert_array_equal(shown[:, 0], shown[:, 60])
    assert np.all(shown[:, 0, 0] == 0)


@pytest.mark.parametrize(
    "roi",
    [Roi(-1e4, 50, 100, 1), Roi(50, 50, 1e7, 2), Roi(50, 50, 0, 0.3), Roi(1e9, 1e9, 600, 0)],
)
@pytest.mark.parametrize("size", [(1, 1), (1, 40_000), (100, 90)])
def test_impossible_squares_still_give_a_crop(roi: Roi, size: tuple[int, int]) -> None:
    assert crop(np.full((*size, 3), 7, np.uint8), roi).shape == (CROP_SIDE_PX, CROP_SIDE_PX, 3)


def test_thin_lines_in_a_large_square_do_not_fall_between_the_samples() -> None:
    image = np.zeros((2048, 2048, 3), np.uint8)
    image[:, 3::8] = 255
    shown = crop(image, Roi(1024, 1024, 2048, 0))[10:-10, 10:-10]
    # one column of eight is white: area means are a little off 255 / 8 where cells are cut
    assert 20 <= shown.min() <= shown.max() <= 45


def test_distance_and_size_are_shares_of_the_known_square() -> None:
    known, other = Roi(0, 0, 10, 0), Roi(3, 4, 20, 1)
    assert known.distance(other) == 0.5
    assert known.size_ratio(other) == 2
