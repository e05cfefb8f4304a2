"""Crops of people, and points turned back."""

import cv2
import numpy as np
import pytest

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.pose2d.crops import MEAN_RGB, STD_RGB, Crops, crops_around, cut

WIDTH, HEIGHT = 192, 256


def three_point_matrix(box: FloatArray) -> FloatArray:
    """The same affine map by three pairs of points, as it is usually written down."""
    centre, size = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * 1.25
    half_width = max(size[0], size[1] * WIDTH / HEIGHT) / 2
    here = np.array([centre, centre - [0, half_width], centre - [half_width, 0]], np.float32)
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    there = np.array([middle, middle - [0, WIDTH / 2], middle - [WIDTH / 2, 0]], np.float32)
    return cv2.getAffineTransform(here, there)


def colours(crop: FloatArray) -> FloatArray:
    """(3, height, width) normalised to (height, width, 3) RGB."""
    return (crop * np.reshape(STD_RGB, (3, 1, 1)) + np.reshape(MEAN_RGB, (3, 1, 1))).transpose(
        1, 2, 0
    )


def textured(width: int, height: int) -> ImageArray:
    rng = np.random.default_rng(5)
    small = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


BOXES = np.array([
    [100, 80, 260, 400], [10, 200, 500, 260], [-60, -40, 90, 200], [500, 300, 700, 600],
    [-500, -500, 1500, 1300], [200.3, 100.7, 231.9, 180.2],
])  # fmt: skip


@pytest.mark.parametrize("box", BOXES, ids=str)
def test_a_crop_is_the_whole_picture_warped_by_three_points(box: FloatArray) -> None:
    image = textured(640, 480)
    out = np.empty((1, 3, HEIGHT, WIDTH), np.float32)
    assert cut(image, crops_around(box[None], WIDTH, HEIGHT), out).all()
    whole = cv2.warpAffine(image, three_point_matrix(box), (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    difference = np.abs(colours(out[0]) - whole)
    # warpAffine works in 32nds of a pixel: a shift by one of them, times the steepest step here
    assert difference.max() < 6
    assert difference.mean() < 0.2


@pytest.mark.parametrize("box", BOXES, ids=str)
def test_points_are_turned_back_as_the_inverse_matrix_does(box: FloatArray) -> None:
    crops = crops_around(box[None], WIDTH, HEIGHT)
    points = np.array([[0.0, 0.0], [WIDTH / 2, HEIGHT / 2], [191.5, 17.0]])
    inverse = cv2.invertAffineTransform(three_point_matrix(box))
    expected = points @ inverse[:, :2].T + inverse[:, 2]
    # the matrix is made of float32 points
    np.testing.assert_allclose(crops.to_picture(points[None])[0], expected, atol=1e-3)


def test_the_padded_box_fills_the_crop_in_one_direction_and_keeps_its_shape() -> None:
    tall, wide = crops_around(np.array([[0, 0, 30, 200], [0, 0, 300, 20.0]]), WIDTH, HEIGHT).scales
    assert tall == pytest.approx(HEIGHT / (200 * 1.25))
    assert wide == pytest.approx(WIDTH / (300 * 1.25))


def test_a_white_dot_is_found_again_where_it_was() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    dots = np.array([[150, 120], [260, 300], [205, 390]])
    for x, y in dots:
        cv2.circle(image, (int(x), int(y)), 3, (255, 255, 255), -1)
    box = np.array([[100.0, 80, 310, 430]])
    crops = crops_around(box, WIDTH, HEIGHT)
    out = np.empty((1, 3, HEIGHT, WIDTH), np.float32)
    cut(image, crops, out)
    count, _, _, centroids = cv2.connectedComponentsWithStats(
        (colours(out[0])[..., 0] > 128).astype(np.uint8)
    )
    assert count == 4
    found = crops.to_picture(centroids[None, 1:])[0]
    nearest = np.linalg.norm(found[:, None] - dots, axis=-1).min(axis=0)
    # the centre of a thresholded disc: a quarter of a crop pixel, which is 1.7 picture pixels here
    assert nearest.max() < 0.5


def test_colours_stay_in_their_channels_and_the_border_is_black() -> None:
    image = np.zeros((50, 40, 3), np.uint8)
    image[:] = (200, 100, 50)
    out = np.empty((1, 3, HEIGHT, WIDTH), np.float32)
    cut(image, crops_around(np.array([[0.0, 0, 40, 50]]), WIDTH, HEIGHT), out)
    crop = colours(out[0])
    np.testing.assert_allclose(crop[HEIGHT // 2, WIDTH // 2], (200, 100, 50), atol=1e-3)
    np.testing.assert_allclose(crop[0, 0], 0, atol=1e-3)


def test_a_box_beside_the_picture_shows_nothing_and_is_said_to() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    boxes = np.array([[500.0, 0, 600, 90], [10, 10, 50, 90], [0, -1e30, 1, -0.9e30]])
    out = np.empty((3, 3, HEIGHT, WIDTH), np.float32)
    inside = cut(image, crops_around(boxes, WIDTH, HEIGHT), out)
    assert inside.tolist() == [False, True, False]
    np.testing.assert_allclose(colours(out[0]), 0, atol=1e-3)


def test_boxes_without_area_huge_boxes_and_huge_pictures_are_no_trouble() -> None:
    boxes = np.array([[50.0, 50, 50, 50], [60, 70, 40, 20], [-1e9, -1e9, 1e9, 1e9], [0, 0, 4e4, 9]])
    crops = crops_around(boxes, WIDTH, HEIGHT)
    assert np.isfinite(crops.scales).all()
    out = np.empty((4, 3, HEIGHT, WIDTH), np.float32)
    image = np.full((60, 40_000, 3), 90, np.uint8)
    assert cut(image, crops, out).all()
    assert np.isfinite(out).all()
    # older versions of OpenCV take no picture of 32,767 pixels in a row
    middle = colours(out[3])[HEIGHT // 2]
    assert (np.abs(middle[25:-25] - 90) < 46).all()


def test_no_boxes_are_no_crops() -> None:
    crops = crops_around(np.zeros((0, 4)), WIDTH, HEIGHT)
    assert cut(textured(64, 64), crops, np.empty((0, 3, HEIGHT, WIDTH), np.float32)).shape == (0,)
    assert crops.to_picture(np.zeros((0, 17, 2))).shape == (0, 17, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_box_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="boxes_xyxy_px: expected finite numbers"):
        crops_around(np.array([[0.0, 0, bad, 10]]), WIDTH, HEIGHT)


def test_records_and_buffers_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"boxes_xyxy_px: expected \(n, 4\), got \(4,\)"):
        crops_around(np.zeros(4), WIDTH, HEIGHT)
    with pytest.raises(ValueError, match=r"scales: expected \(2,\), got \(1,\)"):
        Crops(np.zeros((2, 2)), np.ones(1))
    with pytest.raises(ValueError, match="out: expected"):
        cut(textured(64, 64), crops_around(np.ones((2, 4)), 4, 4), np.empty((1, 3, 4, 4)))
