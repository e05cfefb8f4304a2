"""People's squares against the official crops (OpenCV 4.12, scikit-image's blur)."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from standin_hmr2 import BOXES_XYXY_PX, assert_golden, golden, person_mask, picture
from torch import Tensor

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.hmr2.config import IMAGE_MEAN_RGB, IMAGE_STD_RGB
from pose_service.hmr2.crops import blur_sigma_px, normalised, person_crops
from pose_service.hmr2.squares import Squares, squares_around
from pose_service.hmr2.warp import Taps, matrix_of_square, scaled, taps_of_square

CPU = torch.device("cpu")
CROPS = golden("golden_crops")
TINY = golden("golden_tiny")
PEOPLE = range(len(BOXES_XYXY_PX))
BLURRED = (2, 5)
# grey levels: half a float32 step at 255, in which the goldens are stored
BLURRED_LIMIT = 2e-5


def crops_of(image: ImageArray, squares: Squares, *, anti_alias: bool = True) -> Tensor:
    """The crops of one picture on the CPU."""
    return person_crops([image], [squares], anti_alias=anti_alias, device=CPU)


def grey_levels(crop: Tensor) -> NDArray[np.float64]:
    """Normalised RGB (3, 256, 256) back to 0...255 BGR (256, 256, 3)."""
    rgb = crop.numpy().transpose(1, 2, 0).astype(np.float64) * IMAGE_STD_RGB + IMAGE_MEAN_RGB
    return 255 * rgb[..., ::-1]


def scaled_by_four(picture: FloatArray, taps: tuple[Taps, Taps]) -> FloatArray:
    """(256, 256, channels): each pixel the weighted mean of its four neighbours in a picture."""
    x, y = taps
    return sum(
        picture[y.places[row]][:, x.places[column]]
        * np.multiply.outer(y.weights[row], x.weights[column])[..., None]
        / 1024
        for row in (0, 1)
        for column in (0, 1)
    )


def straight(image: ImageArray) -> Tensor:
    """What the network is shown of an (n, n, 3) picture that is not scaled: (3, n, n)."""
    return normalised(torch.from_numpy(image.transpose(2, 0, 1).copy())[None])[0]


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
    patch = scaled(torch.from_numpy(picture()), *taps)
    assert patch.dtype == torch.int32
    assert_golden(patch.flip(-1), CROPS[f"patch_bgr{person}"], 0)
    crop = crops_of(picture(), squares)[person]
    assert torch.equal(crop, normalised(patch.permute(2, 0, 1)[None])[0])


@pytest.mark.parametrize("person", BLURRED)
def test_crop_of_a_large_person_is_blurred_before_it_shrinks(person: int) -> None:
    squares = squares_around(BOXES_XYXY_PX[[person]])
    crop = crops_of(picture(), squares)[0]
    # normalised values are float32 too: one more step of 1.5e-5 grey levels
    assert_golden(grey_levels(crop), CROPS[f"patch_bgr{person}"], 2 * BLURRED_LIMIT)


def test_crops_of_the_picture_path_are_those_the_official_network_was_given() -> None:
    squares = squares_around(BOXES_XYXY_PX[:3])
    assert np.array_equal(squares.centres_px, TINY["in/box_center"])
    assert np.array_equal(squares.sides_px, TINY["in/box_size"])
    crops = crops_of(picture(), squares)
    assert crops.dtype == torch.float32
    assert_golden(crops, TINY["in/img"], 1e-6)


def test_tracker_path_never_blurs() -> None:
    squares = squares_around(BOXES_XYXY_PX[:3])
    tracked = crops_of(picture(), squares, anti_alias=False)
    shown = crops_of(picture(), squares)
    assert_golden(tracked[2], TINY["phalp/img_box2"], 1e-6)
    assert torch.equal(tracked[:2], shown[:2])
    assert float((tracked[2] - shown[2]).abs().max()) > 0.1


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
    cut = scaled(torch.from_numpy(person_mask()[..., None]), *taps)
    assert_golden(cut[..., 0], TINY["phalp/mask_box0_u8"], 0)


def test_square_of_256_px_on_whole_pixels_is_copied_unchanged() -> None:
    image = picture(300, 400)
    squares = squares_around(np.array([[70.0, 20.0, 262.0, 276.0]]))
    assert squares.sides_px == [256]
    assert torch.equal(crops_of(image, squares)[0], straight(image[20:276, 38:294]))


def test_picture_twice_as_large_gives_every_second_pixel() -> None:
    image = picture(600, 700)
    squares = squares_around(np.array([[100.0, 50.0, 484.0, 562.0]]))
    assert torch.equal(crops_of(image, squares)[0], straight(image[50:562:2, 36:548:2]))


def test_normalised_black_and_white_are_known_numbers() -> None:
    # red: black lies 123.675 below the mean, blue: white lies 151.47 above it
    both = normalised(torch.tensor([0, 255], dtype=torch.uint8).expand(1, 3, 1, 2))
    assert both.dtype == torch.float32
    assert both[0, 0, 0, 0].item() == pytest.approx(-2.117904, abs=1e-6)
    assert both[0, 2, 0, 1].item() == pytest.approx(2.640000, abs=1e-6)


@pytest.mark.parametrize("anti_alias", [True, False])
def test_person_outside_of_the_picture_is_black(anti_alias: bool) -> None:
    boxes = np.array(
        [
            [2000.0, 0.0, 2100.0, 300.0],
            [-9000.0, -9000.0, -5000.0, -4000.0],
            [100.0, 5000.0, 300.0, 5400.0],
        ]
    )
    crops = crops_of(picture(), squares_around(boxes), anti_alias=anti_alias)
    assert torch.equal(crops, straight(np.zeros((256, 256, 3), np.uint8)).expand(3, -1, -1, -1))


@pytest.mark.parametrize("anti_alias", [True, False])
def test_picture_in_the_largest_square_is_a_dot(anti_alias: bool) -> None:
    # the whole picture is 1280 of 200,000 px wide: it lies within two of 256 pixels
    squares = squares_around(np.array([[-1e5, -1e5, 1e5, 1e5]]))
    crop = crops_of(picture(), squares, anti_alias=anti_alias)[0]
    seen = grey_levels(crop).max(2) > 0.5
    assert 0 < seen.sum() < 10
    assert seen[126:131, 126:131].sum() == seen.sum()


def test_blur_sees_the_picture_replicated_beyond_its_edges() -> None:
    image = np.full((700, 700, 3), 200, np.uint8)
    squares = squares_around(np.array([[0.0, 0.0, 700.0, 700.0]]))
    crop = crops_of(image, squares)[0]
    grey = straight(np.full((176, 176, 3), 200, np.uint8))
    torch.testing.assert_close(crop[:, 40:216, 40:216], grey, rtol=0, atol=1e-6)


def test_blurring_while_scaling_equals_blurring_the_whole_picture_first() -> None:
    image = picture(1700, 1800)
    squares = squares_around(np.array([[500.5, 150.0, 1200.0, 1550.0]]))
    # side 1400: sigma (1400 / 512 - 1) / 2, cut off at four of them, 3 px
    sigma_px = float(blur_sigma_px(squares.sides_px[0]))
    assert sigma_px == pytest.approx(0.867, abs=1e-3)
    weights = np.exp(-0.5 * (np.arange(-3, 4) / sigma_px) ** 2)
    kernel = weights / weights.sum()
    whole = cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel)
    taps = taps_of_square(squares.centres_px[0], squares.sides_px[0], (1800, 1700))
    sampled = scaled_by_four(whole, taps)
    np.testing.assert_allclose(
        grey_levels(crops_of(image, squares)[0])[..., ::-1], sampled, rtol=0, atol=2 * BLURRED_LIMIT
    )


def test_people_of_several_pictures_come_in_their_order() -> None:
    pictures = [picture(), picture(300, 400), picture(600, 700)]
    boxes = [BOXES_XYXY_PX[:3], np.zeros((0, 4)), np.array([[100.0, 50.0, 484.0, 562.0]])]
    squares = [squares_around(each) for each in boxes]
    together = person_crops(pictures, squares, anti_alias=True, device=CPU)
    one_by_one = [crops_of(*each) for each in zip(pictures, squares, strict=True)]
    assert torch.equal(together, torch.cat(one_by_one))
    with pytest.raises(ValueError, match="shorter"):
        person_crops(pictures, squares[:2], anti_alias=True, device=CPU)


def test_a_hundred_people_are_cut_out_as_each_is_alone() -> None:
    corners = np.random.default_rng(7).uniform(-50, 800, (100, 2))
    sizes = np.random.default_rng(8).uniform(30, 900, (100, 2))
    squares = squares_around(np.hstack([corners, corners + sizes]))
    assert len(squares) == 100
    crops = crops_of(picture(), squares)
    assert crops.shape == (100, 3, 256, 256)
    for person in (0, 37, 99):
        one = Squares(squares.centres_px[[person]], squares.sides_px[[person]])
        assert torch.equal(crops_of(picture(), one)[0], crops[person])


def test_picture_that_must_not_be_written_is_cut_like_any_other() -> None:
    image = picture(300, 400)
    squares = squares_around(np.array([[70.0, 20.0, 262.0, 276.0]]))
    wanted = crops_of(image, squares)
    image.flags.writeable = False
    assert torch.equal(crops_of(image, squares), wanted)


def test_no_people_give_no_crops() -> None:
    nobody = squares_around(np.zeros((0, 4)))
    assert crops_of(picture(), nobody).shape == (0, 3, 256, 256)
    assert person_crops([], [], anti_alias=True, device=CPU).shape == (0, 3, 256, 256)


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
        crops_of(picture().astype(np.float32), squares)
    with pytest.raises(ValueError, match=r"image: expected \(height, width, 3\)"):
        crops_of(person_mask(), squares)


def test_squares_must_have_one_side_each() -> None:
    with pytest.raises(ValueError, match=r"centres_px: expected \(3, 2\)"):
        Squares(np.zeros((2, 2)), np.ones(3))
