import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pose_service.core.geometry import (
    angle_deg,
    quaternion_from_rotation,
    rotation_from_quaternion,
    rotation_from_vector,
    slerp,
    vector_from_rotation,
    weak_perspective,
)
from pose_service.core.records import Camera

# rounding of double arithmetic through a handful of products
EXACT = 1e-9

vectors = arrays(np.float64, (4, 3), elements=st.floats(-3.0, 3.0))


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    turn = rotation_from_vector(np.array([0.0, 0.0, np.pi / 2]))
    np.testing.assert_allclose(turn @ [1, 0, 0], [0, 1, 0], atol=EXACT)


@given(vectors)
def test_rotations_are_orthonormal_and_quaternions_agree_with_them(vector: np.ndarray) -> None:
    turn = rotation_from_vector(vector)
    identity = np.broadcast_to(np.eye(3), turn.shape)
    np.testing.assert_allclose(turn @ np.swapaxes(turn, -1, -2), identity, atol=EXACT)
    np.testing.assert_allclose(np.linalg.det(turn), 1, atol=EXACT)
    again = rotation_from_quaternion(quaternion_from_rotation(turn))
    np.testing.assert_allclose(again, turn, atol=EXACT)


@given(vectors)
def test_a_rotation_vector_comes_back_up_to_whole_turns(vector: np.ndarray) -> None:
    turn = rotation_from_vector(vector)
    back = vector_from_rotation(turn)
    assert np.all(np.linalg.norm(back, axis=-1) <= np.pi + EXACT)
    np.testing.assert_allclose(rotation_from_vector(back), turn, atol=1e-7)


def test_a_half_turn_survives_the_way_through_a_quaternion() -> None:
    for axis in np.eye(3):
        turn = rotation_from_vector(np.pi * axis)
        np.testing.assert_allclose(
            rotation_from_vector(vector_from_rotation(turn)), turn, atol=EXACT
        )


def test_slerp_goes_half_of_the_way_at_half_the_time() -> None:
    start, end = np.eye(3), rotation_from_vector(np.array([0.0, 1.0, 0.0]))
    halfway = slerp(start, end, np.array(0.5))
    np.testing.assert_allclose(vector_from_rotation(halfway), [0, 0.5, 0], atol=EXACT)
    np.testing.assert_allclose(slerp(start, end, np.array(0.0)), start, atol=EXACT)
    np.testing.assert_allclose(slerp(start, end, np.array(1.0)), end, atol=EXACT)


def test_slerp_takes_the_shorter_way_round() -> None:
    start = rotation_from_vector(np.array([0.0, 0.0, 3.0]))
    end = rotation_from_vector(np.array([0.0, 0.0, -3.0]))
    middle = vector_from_rotation(slerp(start, end, np.array(0.5)))
    np.testing.assert_allclose(np.abs(middle), [0, 0, np.pi], atol=EXACT)


def test_the_weak_perspective_camera_shows_a_point_where_the_full_camera_does() -> None:
    camera = Camera(focal_px=1200.0, width_px=1000, height_px=600)
    translation = np.array([0.3, -0.2, 5.0])
    centre, side = np.array([620.0, 240.0]), 300.0
    scale, x, y = weak_perspective(translation, camera, centre, side)
    # the crop camera: picture position = centre + side / 2 * scale * (point + shift)
    seen = centre + side / 2 * scale * np.array([x, y])
    np.testing.assert_allclose(seen, camera.project(translation), atol=1e-6)


def test_the_picture_centre_is_where_the_axis_points() -> None:
    camera = Camera(focal_px=500.0, width_px=640, height_px=360)
    np.testing.assert_allclose(camera.project(np.array([0.0, 0.0, 3.0])), [320, 180])
    right_and_down = camera.project(np.array([1.0, 1.0, 5.0]))
    np.testing.assert_allclose(right_and_down, [420, 280])


@pytest.mark.parametrize(
    ("last", "expected_deg"), [([1, 0], 0), ([0, 1], 90), ([-1, 0], 180), ([1, 1], 45)]
)
def test_angles_at_a_corner(last: list[float], expected_deg: float) -> None:
    angle = angle_deg(np.array([2.0, 0.0]), np.zeros(2), np.array(last, float))
    assert angle == pytest.approx(expected_deg, abs=1e-5)


def test_an_angle_without_a_direction_is_zero_not_nan() -> None:
    assert angle_deg(np.zeros(3), np.zeros(3), np.ones(3)) == 0
