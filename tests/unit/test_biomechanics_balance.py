"""Centre of mass, base of support and the scores, against figures reckoned by hand."""

import numpy as np
import pytest
from biomechanics_kit import Posture, moving, series_2d, series_3d, without

from pose_service.biomechanics.alignment import alignment
from pose_service.biomechanics.angles import ANGLES, angles_deg
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.biomechanics.mass import (
    HEAD_MASS_PCT,
    LIMBS,
    TRUNK,
    Sex,
    centre_of_mass,
    head,
    joint_weights,
)
from pose_service.biomechanics.scores import (
    athletic_readiness,
    pose_quality,
    stability_score,
    symmetry_index,
)
from pose_service.biomechanics.support import FOOT_REACH, PENDULUM_RATE_PER_S, support
from pose_service.core.skeletons import COCO17, SMPL24

TIMES_S = np.arange(5) / 10


def feet_at(left: tuple[float, float], right: tuple[float, float]) -> JointSeries:
    """Five frames of a trunk 100 pixels long over feet at these pixels."""
    places = {
        "left_shoulder": (110, 100), "right_shoulder": (90, 100),
        "left_hip": (110, 200), "right_hip": (90, 200), "left_ankle": left, "right_ankle": right,
    }  # fmt: skip
    points = np.array([[places.get(joint, (np.nan, np.nan)) for joint in COCO17.joints]] * 5)
    return observed(COCO17, TIMES_S, points, np.ones((5, 17)))


def centre_at(x_px: float, speed_px_s: float = 0.0) -> np.ndarray:
    return np.stack([x_px + speed_px_s * TIMES_S, np.full(5, 150.0)], axis=1)


@pytest.mark.parametrize(("sex", "column"), [(Sex.FEMALE, 0), (Sex.MALE, 1)])
def test_the_segments_of_the_table_are_a_whole_body(sex: Sex, column: int) -> None:
    total = TRUNK.mass_pct[column] + HEAD_MASS_PCT[column]
    total += 2 * sum(limb.mass_pct[column] for limb in LIMBS)
    assert total == pytest.approx(100, abs=0.011), "rounded to two digits in the table"
    assert sum(joint_weights(sex).values()) == pytest.approx(1, abs=1e-12)


def test_the_weights_of_joints_are_those_reckoned_by_hand() -> None:
    weights = joint_weights(Sex.MALE)
    by_hand = {
        "head": 0.0694,
        "shoulder": 0.4346 * 0.569 + 2 * 0.0271 * 0.4228,
        "elbow": 2 * (0.0271 * 0.5772 + 0.0162 * 0.5426),
        "wrist": 2 * (0.0162 * 0.4574 + 0.0061),
        "hip": 0.4346 * 0.431 + 2 * 0.1416 * 0.5905,
        "knee": 2 * (0.1416 * 0.4095 + 0.0433 * 0.5605),
        "ankle": 2 * (0.0433 * 0.4395 + 0.0137),
    }
    assert weights == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("sex", [Sex.FEMALE, Sex.MALE])
def test_the_centre_of_mass_is_the_mean_of_the_segments_centres(sex: Sex) -> None:
    column = [Sex.FEMALE, Sex.MALE].index(sex)
    seen = series_3d([Posture(), Posture((90, 45), (60, 90), (170, 5), (30, 179), 40)])
    whole, masses = HEAD_MASS_PCT[column] * head(seen), HEAD_MASS_PCT[column]
    upper, lower = seen.middle("shoulder"), seen.middle("hip")
    whole += TRUNK.mass_pct[column] * (upper + TRUNK.centre_pct[column] / 100 * (lower - upper))
    masses += TRUNK.mass_pct[column]
    for limb in LIMBS:
        for side in ("left", "right"):
            upper, lower = seen.point(f"{side}_{limb.upper}"), seen.point(f"{side}_{limb.lower}")
            at = upper + limb.centre_pct[column] / 100 * (lower - upper)
            whole, masses = whole + limb.mass_pct[column] * at, masses + limb.mass_pct[column]
    np.testing.assert_allclose(centre_of_mass(seen, sex), whole / masses, atol=1e-12)


def test_the_picture_shows_the_centre_of_mass_where_space_has_it() -> None:
    in_space, in_picture = series_3d([Posture()]), series_2d([Posture()])
    wanted = 200 * centre_of_mass(in_space)[:, :2] + [640, 360]
    np.testing.assert_allclose(centre_of_mass(in_picture), wanted, atol=1e-9)


@pytest.mark.parametrize("joint", ["left_wrist", "right_ankle", "left_shoulder"])
def test_without_a_limb_there_is_no_centre_of_mass(joint: str) -> None:
    assert np.isnan(centre_of_mass(without(series_3d([Posture()]), joint))).all()


def test_one_ear_stands_for_both_and_smpl_has_a_head() -> None:
    seen = series_2d([Posture()])
    np.testing.assert_allclose(head(without(seen, "left_ear")), seen.point("right_ear"))
    np.testing.assert_allclose(head(seen), seen.middle("ear"))
    assert np.isnan(head(without(seen, "left_ear", "right_ear"))).all()
    smpl = series_3d([Posture()], skeleton=SMPL24)
    np.testing.assert_array_equal(head(smpl), smpl.point("head"))


@pytest.mark.parametrize(("x_px", "offset"), [(100, 0.0), (130, 30 / 55), (155, 1.0), (45, 1.0)])
def test_the_offset_is_0_in_the_middle_and_1_on_the_edge(x_px: float, offset: float) -> None:
    # ankles 30 either side of x = 100, and a reach of a quarter of the trunk of 100
    found = support(feet_at((130, 300), (70, 300)), centre_at(x_px))
    np.testing.assert_allclose(found.offset, offset, atol=1e-12)
    np.testing.assert_allclose(found.base_width, 0.6 + 2 * FOOT_REACH)
    np.testing.assert_allclose(found.stance_width, 0.6)
    assert found.feet.tolist() == [2] * 5


def test_a_lifted_foot_bears_nothing() -> None:
    found = support(feet_at((130, 300), (70, 270)), centre_at(130))
    assert found.feet.tolist() == [1] * 5
    np.testing.assert_allclose(found.offset, 0)
    np.testing.assert_allclose(found.base_width, 2 * FOOT_REACH)
    nearly = support(feet_at((130, 300), (70, 281)), centre_at(130))
    assert nearly.feet.tolist() == [2] * 5


def test_a_lifted_foot_does_not_reach_out_for_the_base() -> None:
    # the lifted foot hangs 60 to the left, where the centre of mass stands 30 away
    found = support(feet_at((130, 300), (70, 270)), centre_at(100))
    np.testing.assert_allclose(found.offset, 30 / 25)


def test_a_moving_centre_of_mass_is_as_far_on_as_it_would_swing() -> None:
    standing = support(feet_at((130, 300), (70, 300)), centre_at(100))
    moved = support(feet_at((130, 300), (70, 300)), centre_at(100, 64.0))
    wanted = (64.0 * TIMES_S + 64.0 / PENDULUM_RATE_PER_S) / 55
    np.testing.assert_allclose(moved.offset, wanted, atol=1e-12)
    assert np.all(standing.offset == 0)


def test_in_space_the_base_reaches_along_and_across_the_feet() -> None:
    seen = series_3d([Posture((180, 180), (180, 180), lean=0)] * 3)
    middle = seen.middle("ankle")
    # feet 0.32 m apart across (z), on one line along (x); the trunk is 0.5 m long
    across = support(seen, middle + np.array([0.0, -1.0, 0.10])).offset
    along = support(seen, middle + np.array([0.10, -1.0, 0.0])).offset
    np.testing.assert_allclose(across, 0.10 / (0.16 + 0.5 * FOOT_REACH), atol=1e-9)
    np.testing.assert_allclose(along, 0.10 / (0.5 * FOOT_REACH), atol=1e-9)
    np.testing.assert_allclose(support(seen, middle).base_width, 0.64 + 2 * FOOT_REACH)


def test_feet_longer_than_the_ankle_widen_the_base() -> None:
    stand = [Posture((180, 180), (180, 180), lean=0)] * 3
    with_toes = series_3d(stand, skeleton=SMPL24)
    # ankle and toes 0.15 m apart, 0.32 m between the feet
    widest = np.hypot(0.15, 0.32) / 0.5 + 2 * FOOT_REACH
    np.testing.assert_allclose(support(with_toes, with_toes.middle("ankle")).base_width, widest)


@pytest.mark.parametrize("joint", ["left_ankle", "right_hip"])
def test_without_a_foot_or_the_trunk_the_base_is_not_known(joint: str) -> None:
    hidden = without(feet_at((130, 300), (70, 300)), joint)
    found = support(hidden, centre_at(100))
    assert np.isnan(found.offset).all()
    assert np.isnan(found.base_width).all()
    assert np.isnan(found.feet).all()


def test_pose_quality_is_the_mean_confidence_and_hidden_joints_lower_it() -> None:
    seen = series_2d([Posture()])
    assert pose_quality(seen)[0] == pytest.approx(90)
    assert pose_quality(without(seen, "left_knee", "left_ankle", "left_ear"))[0] == pytest.approx(
        90 * 10 / 12
    )
    assert pose_quality(without(seen, *COCO17.joints))[0] == 0


def test_stability_falls_from_the_middle_to_the_edge() -> None:
    found = stability_score(np.array([0.0, 0.25, 1.0, 3.0, np.nan]))
    np.testing.assert_array_equal(found, [100, 75, 0, 0, np.nan])


def test_symmetry_is_1_less_the_mean_difference_by_a_right_angle() -> None:
    angles = np.full((1, len(ANGLES)), 120.0)
    assert symmetry_index(angles)[0] == 1
    angles[0, ANGLES.index("left_knee")] = 156.0  # one pair of four differs by 36: 9 in the mean
    assert symmetry_index(angles)[0] == pytest.approx(1 - 9 / 90)
    angles[0, [ANGLES.index("right_elbow"), ANGLES.index("left_hip")]] = np.nan
    assert symmetry_index(angles)[0] == pytest.approx(1 - 18 / 90)
    angles[0, ANGLES.index("left_shoulder")] = np.nan
    assert np.isnan(symmetry_index(angles)[0]), "one pair is too few"


def test_readiness_is_full_in_a_ready_position_and_low_upright() -> None:
    ready = series_2d([Posture((130, 130), (120, 120), lean=25)])
    upright = series_2d([Posture((180, 180), (180, 180), lean=0)])
    full = np.array([100.0])

    def readiness(seen: JointSeries) -> float:
        spine = alignment(seen).spine_angle_deg
        return float(athletic_readiness(angles_deg(seen), spine, full)[0])

    assert readiness(ready) == pytest.approx(100)
    # only the balance is left of the four parts
    assert readiness(upright) == pytest.approx(25, abs=1e-4)
    # knees bent half-way up to the plateau's first figure of 25 degrees: half of that part
    half = series_2d([Posture((167.5, 167.5), (120, 120), lean=25)])
    assert readiness(half) == pytest.approx(87.5, abs=1e-4)
    assert np.isnan(readiness(without(ready, "left_ankle")))


def test_a_squat_is_balanced_and_the_same_thrown_forward_is_not() -> None:
    postures, times_s = moving()
    still = series_2d(postures, times_s)
    ankle = still.point("left_ankle") - still.point("left_ankle")[:1]
    planted = still.with_points(still.points - ankle[:, None])
    thrown = planted.with_points(planted.points + (600 * times_s)[:, None, None] * [1.0, 0.0])
    calm, wild = (
        stability_score(support(seen, centre_of_mass(seen)).offset) for seen in (planted, thrown)
    )
    assert calm.mean() > 10
    assert wild.max() == 0
