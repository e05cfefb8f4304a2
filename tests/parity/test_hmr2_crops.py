"""People's squares against the official crops (OpenCV 4.12, scikit-image's blur)."""

import cv2
import numpy as np
import pytest
from standin_hmr2 import BOXES_XYXY_PX, assert_golden, golden, person_mask, picture

from pose_service.core.arrays import FloatArray
from pose_service.hmr2.config import IMAGE_MEAN_RGB, IMAGE_STD_RGB
from pose_service.hmr2.crops import blur_sigma_px, normalised, person_crops
from pose_service.hmr2.squares import Squares, squares_around
from pose_service.hmr2.warp import matrix_of_square, sample, taps_of_square

CROPS = golden("golden_crops")
TINY = golden("golden_tiny")
PEOPLE = range(len(BOXES_XYXY_PX))
BLURRED = (2, 5)
# grey levels: half a float32 step at 255, in which the goldens are stored
BLURRED_LIMIT = 2e-5


def grey_levels(crops: FloatArray) -> FloatArray:
    """Normalised RGB (3, 256, 256) back to 0...255 BGR (256, 256, 3)."""
    rgb = crops.transpose(1, 2, 0).astype(np.float64) * IMAGE_STD_RGB + IMAGE_MEAN_RGB
    return 255 * rgb[..., ::-1]


def black_crop() -> FloatArray:
    return normalised(np.zeros((256, 256, 3), np.uint8))


@pytest.mark.parametrize("person", PEOPLE)
def test_square_and_blur_are_the_official_ones_to_the_last_bit(person: int) -> None:
    squares = squares_around(BOXES_XYXY_PX)
    assert np.array_equal(squares.centres_px[person], CROPS[f"center{person}"])
    assert squares.sides_px[person] == CROPS[f"size{person}"]
    assert blur_sigma_px(squares.sides_px[person]) == CROPS[f"sigma{person}"]


@pytest.mark.parametrize("person", PEOPLE)
def test_matrix_is_the_official_one(person: int) -> None:
    squares = squares_around(BOXES_XYXY_PX)
    found = matrix_of_square(squares.centres_px[person], squares.sides_px[person])
    # equal to the last bit here; another machine may solve with other roundings
    assert_golden(found, CROPS[f"trans{person}"], 3e-13)


def test_corners_of_a_square_are_rounded_to_float32() -> None:
    # at 4000 px a float32 has steps of 2**-12 px: half the side, 50.0001, becomes 50
    matrix = matrix_of_square(np.array([4000, 4000], np.float32), np.float32(100.0002))
    assert matrix[0, 0] == pytest.approx(2.56, abs=1e-12)


@pytest.mark.parametrize("person", [person for person in PEOPLE if person not in BLURRED])
def test_crop_without_blur_has_the_grey_levels_of_opencv_4(person: int) -> None:
    squares = squares_around(BOXES_XYXY_PX)
    taps = taps_of_square(squares.centres_px[person], squares.sides_px[person], (1280, 900))
    patch = sample(picture(), *taps)
    assert patch.dtype == np.uint8
    assert_golden(patch[..., ::-1], CROPS[f"patch_bgr{person}"], 0)


@pytest.mark.parametrize("person", BLURRED)
def test_crop_of_a_large_person_is_blurred_before_it_shrinks(person: int) -> None:
    squares = squares_around(BOXES_XYXY_PX[[person]])
    crop = person_crops(picture(), squares, anti_alias=True)[0]
    # normalised values are float32 too: one more step of 1.5e-5 grey levels
    assert_golden(grey_levels(crop), CROPS[f"patch_bgr{person}"], 2 * BLURRED_LIMIT)


def test_crops_of_the_picture_path_are_those_the_official_network_was_given() -> None:
    squares = squares_around(BOXES_XYXY_PX[:3])
    assert np.array_equal(squares.centres_px, TINY["in/box_center"])
    assert np.array_equal(squares.sides_px, TINY["in/box_size"])
    crops = person_crops(picture(), squares, anti_alias=True)
    assert crops.dtype == np.float32
    assert_golden(crops, TINY["in/img"], 1e-6)


def test_tracker_path_never_blurs() -> None:
    squares = squares_around(BOXES_XYXY_PX[:3])
    tracked = person_crops(picture(), squares, anti_alias=False)
    shown = person_crops(picture(), squares, anti_alias=True)
    assert_golden(tracked[2], TINY["phalp/img_box2"], 1e-6)
    assert np.array_equal(tracked[:2], shown[:2])
    assert np.abs(tracked[2] - shown[2]).max() > 0.1


def test_tracker_square_is_the_longer_side_of_its_grown_box() -> None:
    squares = squares_around(BOXES_XYXY_PX[:3])
    assert_golden(squares.centres_px, TINY["phalp/center"], 0)
    # the tracker grows the box first, which rounds once more: one float32 step at 1000 px
    assert_golden(squares.sides_px, TINY["phalp/scale"].max(axis=1), 7e-5)
    half = squares.sides_px[:, None] / 2 * [0.75, 1.0]
    grown = np.hstack([squares.centres_px - half, squares.centres_px + half])
    assert_golden(grown, TINY["phalp/bbox_padded"], 7e-5)


def test_mask_is_cut_out_like_the_picture() -> None:
    squares = squares_around(BOXES_XYXY_PX[:1])
    taps = taps_of_square(squares.centres_px[0], squares.sides_px[0], (1280, 900))
    assert_golden(sample(person_mask()[..., None], *taps)[..., 0], TINY["phalp/mask_box0_u8"], 0)


def test_square_of_256_px_on_whole_pixels_is_copied_unchanged() -> None:
    image = picture(300, 400)
    squares = squares_around(np.array([[70.0, 20.0, 262.0, 276.0]]))
    assert squares.sides_px == [256]
    crop = person_crops(image, squares, anti_alias=True)[0]
    assert np.array_equal(crop, normalised(image[20:276, 38:294]))


def test_picture_twice_as_large_gives_every_second_pixel() -> None:
    image = picture(600, 700)
    squares = squares_around(np.array([[100.0, 50.0, 484.0, 562.0]]))
    crop = person_crops(image, squares, anti_alias=True)[0]
    assert np.array_equal(crop, normalised(image[50:562:2, 36:548:2]))


def test_normalised_black_and_white_are_known_numbers() -> None:
    # red: black lies 123.675 below the mean, blue: white lies 151.47 above it
    assert black_crop()[0, 0, 0] == pytest.approx(-2.117904, abs=1e-6)
    white = normalised(np.full((1, 1, 3), 255, np.uint8))
    assert white[2, 0, 0] == pytest.approx(2.640000, abs=1e-6)


@pytest.mark.parametrize("anti_alias", [True, False])
def test_person_outside_of_the_picture_is_black(anti_alias: bool) -> None:
    boxes = np.array([[2000.0, 0.0, 2100.0, 300.0], [-9000.0, -9000.0, -5000.0, -4000.0]])
    crops = person_crops(picture(), squares_around(boxes), anti_alias=anti_alias)
    assert (crops == black_crop()).all()


def test_blur_sees_the_picture_replicated_beyond_its_edges() -> None:
    image = np.full((700, 700, 3), 200, np.uint8)
    squares = squares_around(np.array([[0.0, 0.0, 700.0, 700.0]]))
    crop = person_crops(image, squares, anti_alias=True)[0]
    inside = crop[:, 40:216, 40:216]
    grey = normalised(np.full((1, 1, 3), 200, np.uint8))
    assert np.abs(inside - grey).max() < 1e-6


def test_blurring_what_is_seen_equals_blurring_the_whole_picture() -> None:
    image = picture(1700, 1800)
    squares = squares_around(np.array([[500.5, 150.0, 1200.0, 1550.0]]))
    # side 1400: sigma (1400 / 512 - 1) / 2, cut off at four of them, 3 px
    sigma_px = float(blur_sigma_px(squares.sides_px[0]))
    assert sigma_px == pytest.approx(0.867, abs=1e-3)
    weights = np.exp(-0.5 * (np.arange(-3, 4) / sigma_px) ** 2)
    kernel = weights / weights.sum()
    whole = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel)
    taps = taps_of_square(squares.centres_px[0], squares.sides_px[0], (1800, 1700))
    crop = person_crops(image, squares, anti_alias=True)[0]
    np.testing.assert_allclose(crop, normalised(sample(whole, *taps)), rtol=0, atol=1e-6)


def test_no_people_give_no_crops() -> None:
    squares = squares_around(np.zeros((0, 4)))
    assert person_crops(picture(), squares, anti_alias=True).shape == (0, 3, 256, 256)


@pytest.mark.parametrize(
    "box",
    [
        [np.nan, 0.0, 10.0, 10.0],
        [0.0, 0.0, np.inf, 10.0],
        [5.0, 0.0, 5.0, 10.0],
        [9.0, 0.0, 5.0, 10.0],
        [0.0, 7.0, 5.0, 7.0],
        [0.0, 0.0, 1e6, 10.0],
    ],
)
def test_what_is_no_box_is_refused_by_its_number(box: list[float]) -> None:
    with pytest.raises(ValueError, match=r"boxes_xyxy_px\[1\]: expected x1 < x2"):
        squares_around(np.array([[0.0, 0.0, 10.0, 10.0], box]))


def test_picture_of_floats_is_refused() -> None:
    squares = squares_around(BOXES_XYXY_PX)
    with pytest.raises(ValueError, match="expected uint8, got float32"):
        person_crops(picture().astype(np.float32), squares, anti_alias=True)
    with pytest.raises(ValueError, match=r"image: expected \(height, width, 3\)"):
        person_crops(person_mask(), squares, anti_alias=True)


def test_squares_must_have_one_side_each() -> None:
    with pytest.raises(ValueError, match=r"centres_px: expected \(3, 2\)"):
        Squares(np.zeros((2, 2)), np.ones(3))
