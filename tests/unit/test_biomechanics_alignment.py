"""Trunk and levels of figures that stand as is known, before cameras as are known."""

import numpy as np
import pytest
from biomechanics_kit import SIDE_ON, Posture, mirrored, series_2d, series_3d, without

from pose_service.biomechanics.alignment import Alignment, alignment
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.skeletons import COCO17

LEANS = [0.0, 20.0, -35.0, 120.0]
LEANING = [Posture(lean=lean) for lean in LEANS]


def square(**moved: tuple[float, float]) -> JointSeries:
    """A trunk in a picture: hips at y 200, shoulders at y 100, 40 wide, seen from the front."""
    places = {
        "left_shoulder": (120.0, 100.0), "right_shoulder": (80.0, 100.0),
        "left_hip": (120.0, 200.0), "right_hip": (80.0, 200.0),
    } | moved  # fmt: skip
    points = np.array([[places.get(joint, (np.nan, np.nan)) for joint in COCO17.joints]])
    return observed(COCO17, np.zeros(1), points, np.ones((1, 17)))


def test_the_spine_angle_is_the_lean_without_its_sign() -> None:
    for seen in (series_2d(LEANING), series_3d(LEANING)):
        np.testing.assert_allclose(alignment(seen).spine_angle_deg, np.abs(LEANS), atol=1e-9)


def test_in_the_picture_a_lean_to_its_right_is_positive() -> None:
    # the figure faces right, so forward is to the right
    found = alignment(series_2d(LEANING))
    np.testing.assert_allclose(found.lean_image_deg, LEANS, atol=1e-9)
    assert np.isnan(found.lean_forward_deg).all()
    turned = alignment(mirrored(series_2d(LEANING)))
    np.testing.assert_allclose(turned.lean_image_deg, np.negative(LEANS), atol=1e-9)


@pytest.mark.parametrize("heading_deg", [0.0, 77.0, 180.0, 265.0])
def test_in_space_forward_is_where_the_person_faces(heading_deg: float) -> None:
    heading = rotation_from_vector(np.radians([0.0, heading_deg, 0.0]))
    found = alignment(series_3d(LEANING, turn=heading @ SIDE_ON))
    np.testing.assert_allclose(found.lean_forward_deg, LEANS, atol=1e-9)
    np.testing.assert_allclose(found.lean_left_deg[:3], 0, atol=1e-9)
    assert np.isnan(found.lean_image_deg).all()


def test_a_trunk_bent_to_the_left_leans_left() -> None:
    # about the person's front axis, shoulders only: the hips stay level
    seen = series_3d([Posture(lean=0.0)])
    points = seen.points.copy()
    for joint in ("left_shoulder", "right_shoulder"):
        points[0, COCO17.index(joint)] += 0.5 * np.tan(np.radians(25)) * SIDE_ON[:, 2]
    found = alignment(seen.with_points(points))
    assert found.lean_left_deg[0] == pytest.approx(25)
    assert found.lean_forward_deg[0] == pytest.approx(0, abs=1e-9)


def test_a_tilted_camera_changes_nothing_once_it_is_told() -> None:
    tilt = rotation_from_vector(np.array([0.4, 0.1, -0.3]))
    # not the one upside down, whose lean to the side is 180 or -180
    straight = alignment(series_3d(LEANING[:3]))
    tilted = series_3d(LEANING[:3], turn=tilt @ SIDE_ON)
    down = 3 * tilt[:, 1]
    told = observed(COCO17, tilted.times_s, tilted.points, tilted.confidence, down=down)
    for name in vars(straight):
        wanted = getattr(straight, name)
        np.testing.assert_allclose(getattr(alignment(told), name), wanted, atol=1e-6)
    assert np.abs(alignment(tilted).spine_angle_deg - straight.spine_angle_deg).max() > 5


def test_a_tilted_picture_changes_nothing_once_it_is_told() -> None:
    angle = np.radians(30.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    straight = series_2d(LEANING)
    tilted = observed(
        COCO17, straight.times_s, straight.points @ turn.T, straight.confidence, down=turn[:, 1]
    )
    for name in ("spine_angle_deg", "lean_image_deg", "hip_level_difference"):
        wanted = getattr(alignment(straight), name)
        np.testing.assert_allclose(getattr(alignment(tilted), name), wanted, atol=1e-9)


def test_levels_are_percent_of_the_trunk_and_left_higher_is_positive() -> None:
    found = alignment(square(left_hip=(120.0, 190.0), left_shoulder=(120.0, 90.0)))
    # trunk from (100, 195) to (100, 95): 100 long; the left hip 10 higher, over 40 of width
    assert found.hip_level_difference[0] == pytest.approx(10)
    assert found.shoulder_level_difference[0] == pytest.approx(10)
    assert found.hip_tilt_deg[0] == pytest.approx(np.degrees(np.arctan2(10, 40)))
    lower = alignment(square(left_hip=(120.0, 210.0)))
    assert lower.hip_level_difference[0] < 0
    assert lower.shoulder_level_difference[0] == 0


def test_a_hidden_hip_hides_what_needs_it() -> None:
    found = alignment(without(series_2d(LEANING), "right_hip"))
    for name in ("spine_angle_deg", "lean_image_deg", "hip_level_difference", "hip_tilt_deg",
                 "shoulder_level_difference"):  # fmt: skip
        assert np.isnan(getattr(found, name)).all(), name
    # seen exactly from the side both shoulders fall on one spot: their line has no direction
    assert np.isfinite(alignment(without(square(), "right_hip")).shoulder_tilt_deg).all()


def test_a_trunk_of_no_length_has_no_direction() -> None:
    flat = square(left_shoulder=(120.0, 200.0), right_shoulder=(80.0, 200.0))
    found: Alignment = alignment(flat)
    assert np.isnan(found.spine_angle_deg[0])
    assert np.isnan(found.hip_level_difference[0])
    assert found.hip_tilt_deg[0] == 0
