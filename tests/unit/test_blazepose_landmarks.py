"""Decoding of the landmark network's five outputs."""

import math

import numpy as np
import pytest

from pose_service.blazepose.landmarks import LIMBS, decode, mask_box, refine
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray

ROI = Roi(200.0, 100.0, 256.0, 0.0)
COLD = -20.0


def outputs(points_crop_px: FloatArray | None = None) -> dict[tuple[int, ...], FloatArray]:
    """Cold heat maps, no person pixels, all landmarks in the crop's middle unless told."""
    raw = np.zeros((39, 5))
    raw[:, :2] = 128 if points_crop_px is None else points_crop_px
    return {
        (195,): raw.ravel(),
        (1,): np.array([0.7]),
        (256, 256, 1): np.full((256, 256, 1), -1.0),
        (64, 64, 39): np.full((64, 64, 39), COLD),
        (117,): np.tile([0.1, -0.2, 0.3], 39),
    }


def test_crop_pixels_become_picture_pixels() -> None:
    points = np.full((39, 2), 128.0)
    points[5] = (0, 256)
    seen = decode(outputs(points), ROI)
    np.testing.assert_allclose(seen.landmarks_px[4], [200, 100])
    np.testing.assert_allclose(seen.landmarks_px[5], [72, 228])
    assert seen.flag == 0.7


def test_auxiliary_landmarks_give_the_next_square() -> None:
    points = np.full((39, 2), 128.0)
    points[33], points[34] = (118, 128), (118, 28)
    seen = decode(outputs(points), ROI)
    assert seen.roi == pytest.approx((190, 100, 250, 0))


def test_a_turned_square_turns_picture_and_metric_landmarks_alike() -> None:
    points = np.full((39, 2), 128.0)
    points[0] = (128 + 64, 128)
    seen = decode(outputs(points), ROI._replace(angle=math.pi / 2))
    np.testing.assert_allclose(seen.landmarks_px[0], [200, 164])
    np.testing.assert_allclose(seen.landmarks_m[0], [0.2, 0.1, 0.3], atol=1e-12)


def test_visibility_is_a_probability() -> None:
    given = outputs()
    given[(195,)].reshape(39, 5)[3, 3] = math.log(3)
    seen = decode(given, ROI)
    assert seen.visibility[3] == pytest.approx(0.75)
    assert seen.visibility[4] == pytest.approx(0.5)


def test_a_landmark_moves_to_the_middle_of_its_peak() -> None:
    heat_map = np.full((64, 64, 1), COLD)
    heat_map[31, 33:35, 0] = 4.0
    points, height = refine(np.array([[0.5, 0.5]]), heat_map)
    # two equal cells, columns 33 and 34 in row 31
    np.testing.assert_allclose(points, [[33.5 / 64, 31 / 64]], atol=1e-5)
    assert height[0] == pytest.approx(1 / (1 + math.exp(-4)))


def test_a_low_peak_is_reported_but_moves_nothing() -> None:
    heat_map = np.full((64, 64, 1), COLD)
    heat_map[31, 33, 0] = -0.1
    points, height = refine(np.array([[0.5, 0.5]]), heat_map)
    assert points.tolist() == [[0.5, 0.5]]
    assert height[0] == pytest.approx(1 / (1 + math.exp(0.1)))


def test_heat_further_than_three_cells_is_not_seen() -> None:
    heat_map = np.full((64, 64, 1), COLD)
    heat_map[32, 36, 0] = 9.0
    points, height = refine(np.array([[0.5, 0.5]]), heat_map)
    assert points.tolist() == [[0.5, 0.5]]
    assert height[0] < 1e-6


def test_the_window_is_cut_at_the_maps_border() -> None:
    heat_map = np.full((64, 64, 1), COLD)
    heat_map[0, 0, 0] = 9.0
    points, _ = refine(np.array([[0.01, 0.01]]), heat_map)
    np.testing.assert_allclose(points, [[0, 0]], atol=1e-3)


@pytest.mark.parametrize("place", [(1.0, 0.5), (0.5, 1.2), (-0.1, 0.5), (400.0, -400.0)])
def test_a_landmark_outside_the_crop_stays_and_has_no_height(place: tuple[float, float]) -> None:
    points, height = refine(np.array([place]), np.full((64, 64, 1), 9.0))
    assert points.tolist() == [list(place)]
    assert height.tolist() == [0]


def test_hq_is_the_mean_of_the_eight_best_limb_peaks() -> None:
    points = np.full((39, 2), 128.0)
    points[list(LIMBS[:6])] = -50  # outside of the crop: no peak
    given = outputs(points)
    given[64, 64, 39][...] = 2.0
    peak = 1 / (1 + math.exp(-2))
    assert decode(given, ROI).hq == pytest.approx(6 * peak / 8)


def test_the_box_goes_around_the_persons_pixels() -> None:
    mask = np.zeros((256, 256), bool)
    mask[100:150, 40:60] = True
    box = mask_box(mask, ROI)
    assert box is not None
    np.testing.assert_allclose(box, [72 + 40, -28 + 100, 72 + 60, -28 + 150])


def test_the_box_of_a_turned_square_is_upright_in_the_picture() -> None:
    mask = np.zeros((256, 256), bool)
    mask[100:150, 40:60] = True
    box = mask_box(mask, ROI._replace(angle=math.pi / 2))
    assert box is not None
    # a quarter turn clockwise: the crop's rows run to the left, its columns downwards
    np.testing.assert_allclose(box, [200 - 22, 100 - 88, 200 + 28, 100 - 68])


def test_without_person_pixels_the_box_is_the_padded_extent_of_the_landmarks() -> None:
    points = np.full((39, 2), 128.0)
    points[0], points[27] = (100, 56), (140, 156)
    seen = decode(outputs(points), ROI)
    np.testing.assert_allclose(seen.box_xyxy_px, [172 - 5, 28 - 8, 212 + 5, 128 + 5])
