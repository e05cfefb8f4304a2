"""Angles of figures whose angles are known, in the picture and in space."""

import numpy as np
import pytest
from biomechanics_kit import Posture, figure_m, series_2d, series_3d, without

from pose_service.biomechanics.angles import ANGLES, angles_deg, rates
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.free_body import FreeBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.joint_angles import CORNERS, joint_angles_deg
from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import BLAZEPOSE33, COCO17, HMR44, SMPL24, Skeleton

POSTURES = [
    Posture(),
    Posture((90, 45), (60, 90), (170, 5), (30, 179), 40),
    Posture((180, 180), (180, 180), (0.5, 90), (90, 180), 0),
]
KNOWN_DEG = np.stack([posture.angles_deg() for posture in POSTURES])
# arccos loses half the digits where a limb is straight: 1e-8 of a cosine are 0.01 degrees
ROUNDING_DEG = 2e-6


def any_turn(seed: int) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return turn * np.sign(np.linalg.det(turn))


def test_angles_in_the_picture_are_those_of_the_figure() -> None:
    np.testing.assert_allclose(angles_deg(series_2d(POSTURES)), KNOWN_DEG, atol=ROUNDING_DEG)


@pytest.mark.parametrize("seed", range(5))
def test_angles_in_space_are_the_same_in_any_rotation(seed: int) -> None:
    turned = series_3d(POSTURES, turn=any_turn(seed))
    np.testing.assert_allclose(angles_deg(turned), KNOWN_DEG, atol=ROUNDING_DEG)


@pytest.mark.parametrize("skeleton", [SMPL24, BLAZEPOSE33, HMR44], ids=lambda one: one.name)
def test_every_joint_set_gives_the_same_angles(skeleton: Skeleton) -> None:
    seen = series_3d(POSTURES, skeleton=skeleton)
    np.testing.assert_allclose(angles_deg(seen), KNOWN_DEG, atol=ROUNDING_DEG)


def test_shoulders_and_hips_are_measured_to_the_trunks_middle_line() -> None:
    # seen from the front, broad shoulders over narrow hips: arms hang and legs stand upright
    places = {
        "left_shoulder": (140, 100), "right_shoulder": (60, 100), "left_hip": (115, 220),
        "right_hip": (85, 220), "left_elbow": (140, 160), "left_wrist": (140, 210),
        "left_knee": (115, 320), "right_knee": (185, 320), "right_elbow": (0, 100),
    }  # fmt: skip
    points = np.array([[places.get(joint, (np.nan, np.nan)) for joint in COCO17.joints]])
    found = angles_deg(observed(COCO17, np.zeros(1), points, np.ones((1, 17))))[0]
    angles = dict(zip(ANGLES, found.tolist(), strict=True))
    assert angles["left_shoulder"] == pytest.approx(0, abs=ROUNDING_DEG)
    assert angles["right_shoulder"] == pytest.approx(90)
    assert angles["left_hip"] == pytest.approx(180, abs=ROUNDING_DEG)
    assert angles["right_hip"] == pytest.approx(135)


def test_angles_agree_with_those_of_the_other_answers() -> None:
    # the figure is as broad at the hips as at the shoulders: its sides run along its middle line
    seen = series_3d(POSTURES[:1], skeleton=SMPL24)
    other = joint_angles_deg(np.nan_to_num(seen.points[0]))
    # those are rounded to two digits
    assert [other[name] for name in ANGLES] == pytest.approx(KNOWN_DEG[0], abs=0.006)


@pytest.mark.parametrize("name", ANGLES)
def test_angles_in_the_picture_are_differences_of_directions(name: str) -> None:
    seen = series_2d(POSTURES)
    first, corner, last = CORNERS[name]
    x, y = np.moveaxis(seen.named(first, last) - seen.named(corner), -1, 0)
    first_deg, last_deg = np.degrees(np.arctan2(y, x)).T
    turn = np.abs((first_deg - last_deg + 180) % 360 - 180)
    found = angles_deg(seen)[:, ANGLES.index(name)]
    np.testing.assert_allclose(found, turn, atol=ROUNDING_DEG)


@pytest.mark.parametrize(
    ("bone", "above", "joint", "below"),
    [
        ("lowerleg01.L", "left_hip", "left_knee", "left_ankle"),
        ("lowerarm01.R", "right_shoulder", "right_elbow", "right_wrist"),
    ],
)
def test_a_bodys_joint_is_bent_by_what_its_rotation_turns(
    bone: str, above: str, joint: str, below: str
) -> None:
    body, rotations = FreeBody(AnnyBody.load()), np.tile(np.eye(3), (4, len(FREE_JOINTS), 1, 1))
    upper, corner, lower = body_series(body, rotations).named(above, joint, below)[0]
    axis = np.cross(corner - upper, lower - corner)
    turns = np.radians([0.0, 20, 55, 90])[:, None] * axis / np.linalg.norm(axis)
    rotations[:, FREE_JOINTS.index(bone)] = rotation_from_vector(turns)
    found = angles_deg(body_series(body, rotations))[:, ANGLES.index(joint)]
    # the body's rest joints are float32: micrometres of a limb
    np.testing.assert_allclose(found[0] - found, [0, 20, 55, 90], atol=1e-3)


def body_series(body: FreeBody, rotations: np.ndarray) -> JointSeries:
    count = len(rotations)
    poses = BodyPoses(rotations, np.zeros((count, 3)), np.ones((count, 1)))
    joints_m = body.pose(poses, vertices=False).joints_m
    return observed(SMPL24, np.arange(float(count)), joints_m, np.ones((count, 24)))


def test_a_hidden_joint_hides_its_angles_and_no_others() -> None:
    angles = angles_deg(without(series_2d(POSTURES), "left_hip", frames=slice(1, 2)))
    hidden = [name for name, value in zip(ANGLES, angles[1], strict=True) if np.isnan(value)]
    # the trunk's middle line, to which shoulders and hips are measured, needs both hips
    shoulders_and_hips = ["left_shoulder", "right_shoulder", "left_hip", "right_hip"]
    assert hidden == [*shoulders_and_hips, "left_knee"]
    assert np.isfinite(angles[[0, 2]]).all()


def test_joints_on_one_spot_have_no_angle() -> None:
    seen = series_2d(POSTURES)
    points = seen.points.copy()
    points[:, COCO17.index("right_wrist")] = points[:, COCO17.index("right_elbow")]
    angles = angles_deg(seen.with_points(points))
    assert np.isnan(angles[:, ANGLES.index("right_elbow")]).all()
    assert np.isfinite(angles[:, ANGLES.index("right_shoulder")]).all()


def test_a_place_that_is_no_number_is_a_joint_not_seen() -> None:
    seen = series_2d(POSTURES)
    for bad in (np.nan, np.inf):
        points = seen.points.copy()
        points[0, COCO17.index("left_elbow"), 0] = bad
        again = observed(COCO17, seen.times_s, points, seen.confidence)
        assert again.confidence[0, COCO17.index("left_elbow")] == 0
        assert np.isnan(again.point("left_elbow")[0]).all()


@pytest.mark.parametrize(("sure", "seen"), [(0.29, False), (0.3, True), (np.nan, False)])
def test_a_joint_counts_from_the_least_confidence_on(sure: float, seen: bool) -> None:
    joints = figure_m(Posture())
    points = np.array([[joints.get(joint, np.zeros(3)) for joint in COCO17.joints]])
    series = observed(COCO17, np.zeros(1), points, np.full((1, 17), sure))
    assert np.isfinite(series.points).all() == seen


def test_without_any_confidence_a_joint_is_not_seen_even_where_none_is_asked_for() -> None:
    points, sure = np.ones((1, 17, 2)), np.zeros((1, 17))
    sure[0, :5] = [0.01, 0.2, 1.0, 1.7, 0.5]
    series = observed(COCO17, np.zeros(1), points, sure, least_confidence=0.0)
    assert np.isfinite(series.points[0, :, 0]).tolist() == [True] * 5 + [False] * 12
    assert series.confidence.max() == 1


@pytest.mark.parametrize(
    ("times_s", "points", "confidence", "said"),
    [
        (np.zeros(2), np.zeros((2, 17, 2)), np.ones((2, 17)), "times_s: expected increasing"),
        (np.arange(2.0), np.zeros((2, 16, 2)), np.ones((2, 17)), r"points: expected \(2, 17, axes"),
        (np.arange(2.0), np.zeros((2, 17, 2)), np.ones((2, 16)), r"confidence: expected \(2, 17\)"),
        (np.arange(2.0), np.zeros((2, 17, 4)), np.ones((2, 17)), "points: expected 2 or 3 axes"),
        (np.array([0, np.nan]), np.zeros((2, 17, 2)), np.ones((2, 17)), "times_s"),
    ],
)
def test_arrays_that_do_not_fit_are_named(
    times_s: np.ndarray, points: np.ndarray, confidence: np.ndarray, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        observed(COCO17, times_s, points, confidence)


def test_a_direction_of_no_length_is_not_down() -> None:
    with pytest.raises(ValueError, match="down: expected a direction"):
        observed(COCO17, np.zeros(1), np.zeros((1, 17, 2)), np.ones((1, 17)), down=np.zeros(2))


def test_rates_of_a_parabola_are_exact_at_uneven_times() -> None:
    times_s = np.cumsum([0.0, 0.02, 0.05, 0.03, 0.04, 0.01])
    found = rates(np.stack([3 * times_s**2, 1 - times_s], axis=1), times_s)
    # of second order inside; at the ends one-sided, exact for the line only
    np.testing.assert_allclose(found[1:-1, 0], 6 * times_s[1:-1], atol=1e-10)
    np.testing.assert_allclose(found[:, 1], -1, atol=1e-10)


def test_rates_next_to_a_hidden_frame_are_not_known() -> None:
    values = np.arange(6.0)[:, None]
    values[3] = np.nan
    found = rates(values, np.arange(6.0))[:, 0]
    assert np.isnan(found[2:5]).all()
    assert found[[0, 1, 5]].tolist()[:2] == [1, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_frames_have_no_rates(count: int) -> None:
    assert np.isnan(rates(np.zeros((count, 2)), np.arange(float(count)))).all()


def test_a_frame_in_which_nobody_is_seen_has_no_angles() -> None:
    assert np.isnan(angles_deg(without(series_2d(POSTURES[:1]), *COCO17.joints))).all()
