"""Crop cameras to the places of bodies, against the official numbers of three people."""

import numpy as np
import pytest
from standin_hmr2 import BOXES_XYXY_PX, assert_golden, golden

from pose_service.core.geometry import weak_perspective
from pose_service.hmr2.cameras import (
    crop_keypoints,
    crop_translations_m,
    picture_camera,
    picture_translations_m,
    tracker_keypoints_px,
    tracker_translations_m,
)
from pose_service.hmr2.squares import squares_around

TINY = golden("golden_tiny")
SQUARES = squares_around(BOXES_XYXY_PX[:3])
# depths of 46 m before the square and 134 m before the picture have float32 steps of 4e-6 and
# 1.5e-5 m; a mistake moves a body by centimetres
CROP_LIMIT_M, PICTURE_LIMIT_M = 1e-4, 1e-3
KEYPOINT_LIMIT = 1e-5
PIXEL_LIMIT = 2e-3


def test_focal_length_grows_with_the_longer_side() -> None:
    camera = picture_camera(1280, 900)
    assert camera.focal_px == TINY["out/scaled_focal_length"] == 25000
    assert picture_camera(900, 1280).focal_px == 25000
    assert camera.centre_px.tolist() == [640, 450]


def test_body_stands_before_the_square_where_official_code_puts_it() -> None:
    assert_golden(crop_translations_m(TINY["out/pred_cam"]), TINY["out/pred_cam_t"], CROP_LIMIT_M)


def test_keypoints_in_the_square_are_the_official_ones() -> None:
    found = crop_keypoints(TINY["out/pred_keypoints_3d"], TINY["out/pred_cam_t"])
    assert_golden(found, TINY["out/pred_keypoints_2d"], KEYPOINT_LIMIT)


def test_body_stands_in_the_picture_where_official_code_puts_it() -> None:
    camera = picture_camera(1280, 900)
    found = picture_translations_m(TINY["out/pred_cam"], SQUARES, camera)
    assert_golden(found, TINY["out/pred_cam_t_full"], PICTURE_LIMIT_M)
    pixels = camera.project(TINY["out/pred_keypoints_3d"] + found[:, None])
    assert_golden(pixels, TINY["out/full_image_keypoints_2d"], PIXEL_LIMIT)


def test_core_s_weak_perspective_is_the_way_back() -> None:
    camera = picture_camera(1280, 900)
    translations_m = picture_translations_m(TINY["out/pred_cam"], SQUARES, camera)
    for person, crop_camera in enumerate(TINY["out/pred_cam"]):
        back = weak_perspective(
            translations_m[person], camera, SQUARES.centres_px[person], SQUARES.sides_px[person]
        )
        # shifts of about a metre, there and back in float32
        np.testing.assert_allclose(back, crop_camera, rtol=0, atol=1e-6)


def test_tracker_sees_the_body_where_official_code_does() -> None:
    found = tracker_translations_m(TINY["phalp/pred_cam"], SQUARES, 1280, 900)
    assert_golden(found, TINY["phalp/camera"], PICTURE_LIMIT_M)
    joints_m = TINY["phalp/joints_3d_45_person0"][None]
    assert_golden(
        tracker_keypoints_px(joints_m, found[:1]), TINY["phalp/joints_2d_45"][:1], PIXEL_LIMIT
    )
    # official code adds a 45th joint at the body's origin, so every person shows that one
    origins_px = tracker_keypoints_px(np.zeros((3, 1, 3)), found)[:, 0]
    assert_golden(origins_px, TINY["phalp/joints_2d_45"][:, -1], PIXEL_LIMIT)


def test_tracker_pads_a_picture_by_whole_pixels() -> None:
    # 641 x 480: 80.5 px of padding become 80, so bodies move up by half a pixel at their depth
    camera = picture_camera(641, 480)
    crop_cameras = TINY["out/pred_cam"].astype(np.float64)
    exact = picture_translations_m(crop_cameras, SQUARES, camera)
    tracked = tracker_translations_m(crop_cameras, SQUARES, 641, 480)
    half_pixel_m = 0.5 * exact[:, 2] / camera.focal_px
    np.testing.assert_allclose(tracked[:, 1], exact[:, 1] - half_pixel_m, rtol=1e-6)
    np.testing.assert_allclose(tracked[:, [0, 2]], exact[:, [0, 2]], rtol=1e-6)


def test_body_on_the_axis_that_fills_the_square() -> None:
    # scale 1: two metres fill 256 px at 2 * 5000 / 256 m
    (x, y, depth) = crop_translations_m(np.array([[1.0, 0.0, 0.0]]))[0]
    assert (x, y, depth) == pytest.approx((0, 0, 39.0625))
    ends = crop_keypoints(
        np.array([[[0.0, -1.0, 0.0], [1.0, 1.0, 0.0]]]), np.array([[x, y, depth]])
    )
    np.testing.assert_allclose(ends, [[[0.0, -0.5], [0.5, 0.5]]], atol=1e-9)


def test_scale_of_zero_stays_finite() -> None:
    nobody = np.zeros((3, 3))
    assert np.isfinite(crop_translations_m(nobody)).all()
    assert np.isfinite(picture_translations_m(nobody, SQUARES, picture_camera(9, 9))).all()
    assert np.isfinite(tracker_translations_m(nobody, SQUARES, 9, 9)).all()


def test_cameras_of_other_people_are_refused() -> None:
    with pytest.raises(ValueError, match=r"crop_cameras: expected \(3, 3\), got \(2, 3\)"):
        picture_translations_m(np.ones((2, 3)), SQUARES, picture_camera(9, 9))
    with pytest.raises(ValueError, match=r"crop_cameras: expected \(3, 3\), got \(2, 3\)"):
        tracker_translations_m(np.ones((2, 3)), SQUARES, 9, 9)
    with pytest.raises(ValueError, match=r"crop_cameras: expected \(n, 3\)"):
        crop_translations_m(np.ones((2, 4)))
