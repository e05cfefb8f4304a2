"""All measures together: what mirrors, scales and time may change, and what is None."""

import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
from biomechanics_kit import SIDE_ON, mirrored, moving, series_2d, series_3d, swapped, without

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.filters import Butterworth
from pose_service.biomechanics.joints import LIMB_JOINTS, JointSeries, observed
from pose_service.biomechanics.movement import Movement, measure
from pose_service.biomechanics.smoothing import smoothed
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.skeletons import COCO17, SMPL24

FACING = rotation_from_vector(np.array([0.0, 0.9, 0.0])) @ SIDE_ON
SIGNED = ("lean_image_deg", "lean_left_deg", "hip_level_difference", "shoulder_level_difference",
          "hip_tilt_deg", "shoulder_tilt_deg")  # fmt: skip


def clips() -> list[JointSeries]:
    postures, times_s = moving()
    # the camera looks down a little, so that nothing is level or upright by construction
    down = rotation_from_vector(np.array([0.2, 0.0, 0.1]))
    return [series_2d(postures, times_s), series_3d(postures, times_s, turn=down @ FACING)]


def columns(movement: Movement) -> dict[str, np.ndarray]:
    """Every measure that has no unit of length, by name."""
    named = {f"angle {name}": movement.angle_deg(name) for name in ANGLES}
    for name, rate in zip(ANGLES, movement.angular_velocities_deg_s.T, strict=True):
        named[f"rate {name}"] = rate
    for group in (movement.alignment, movement.support, movement.scores):
        named |= {field.name: getattr(group, field.name) for field in fields(group)}
    return named


@pytest.mark.parametrize("seen", clips(), ids=["picture", "space"])
def test_a_mirror_swaps_left_and_right_and_nothing_else(seen: JointSeries) -> None:
    straight, turned = columns(measure(seen)), columns(measure(mirrored(seen)))
    for name, values in straight.items():
        kind, _, angle = name.partition(" ")
        other = f"{kind} {swapped(angle)}" if angle else name
        wanted = -values if name in SIGNED else values
        np.testing.assert_allclose(turned[other], wanted, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("seen", clips(), ids=["picture", "space"])
def test_scale_and_place_change_nothing(seen: JointSeries) -> None:
    elsewhere = seen.with_points(3.7 * seen.points + np.array([300.0, -80.0, 9.0])[: seen.axes])
    here, there = columns(measure(seen)), columns(measure(elsewhere))
    for name, values in here.items():
        np.testing.assert_allclose(there[name], values, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("seen", clips(), ids=["picture", "space"])
def test_time_run_backwards_turns_velocities_round(seen: JointSeries) -> None:
    back = observed(seen.skeleton, -seen.times_s[::-1], seen.points[::-1], seen.confidence)
    forwards, backwards = measure(seen), measure(back)
    for name in ("angular_velocities_deg_s", "centre_of_mass_velocity"):
        wanted = -getattr(forwards, name)[::-1]
        # differences of the same numbers, divided by the same steps but for rounding
        np.testing.assert_allclose(getattr(backwards, name), wanted, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(backwards.angles_deg, forwards.angles_deg[::-1])


def test_space_and_picture_agree_where_the_camera_looks_square_on() -> None:
    postures, times_s = moving()
    in_space, in_picture = (measure(of(postures, times_s)) for of in (series_3d, series_2d))
    np.testing.assert_allclose(in_picture.angles_deg, in_space.angles_deg, atol=1e-5)
    spines = [one.alignment.spine_angle_deg for one in (in_space, in_picture)]
    np.testing.assert_allclose(*spines, atol=1e-9)


def test_coco_and_smpl_joints_measure_alike() -> None:
    postures, times_s = moving()
    coco, smpl = (
        columns(measure(series_3d(postures, times_s, turn=FACING, skeleton=skeleton)))
        for skeleton in (COCO17, SMPL24)
    )
    # toes, which SMPL has and COCO has not, widen the base of support
    for name in set(coco) - {"base_width", "offset", "stability_score", "athletic_readiness"}:
        np.testing.assert_allclose(smpl[name], coco[name], atol=1e-9, err_msg=name)


def test_frames_say_none_where_a_joint_was_hidden() -> None:
    seen = without(clips()[0], "left_knee", frames=slice(20, 21))
    hidden = measure(seen).frame(20)
    assert hidden.joint_angles_deg["left_knee"] is None
    assert hidden.joint_angles_deg["left_hip"] is None
    assert hidden.joint_angles_deg["right_knee"] is not None
    assert hidden.movement_analysis["athletic_readiness"] is None
    assert hidden.movement_analysis["stability_score"] is None
    assert hidden.movement_analysis["symmetry_index"] is not None
    assert hidden.centre_of_mass is None
    beside = measure(seen).frame(21)
    assert beside.joint_angles_deg["left_knee"] is not None
    assert beside.angular_velocities_deg_s["left_knee"] is None


def test_frames_without_the_person_have_only_a_quality_of_nought() -> None:
    seen = without(clips()[0], *COCO17.joints, frames=slice(5, 9))
    gone = measure(seen).frame(6)
    said = {
        **gone.joint_angles_deg,
        **gone.body_alignment,
        **gone.support,
        **gone.movement_analysis,
    }
    assert {name for name, value in said.items() if value is not None} == {"pose_quality"}
    assert gone.movement_analysis["pose_quality"] == 0


def test_frames_are_the_rows_of_the_arrays() -> None:
    movement = measure(clips()[1])
    frames = list(movement.frames())
    assert len(frames) == 60
    assert list(frames[7].joint_angles_deg.values()) == movement.angles_deg[7].tolist()
    assert frames[7].centre_of_mass == tuple(movement.centre_of_mass[7].tolist())
    assert frames[7].time_s == pytest.approx(7 / 30)


@pytest.mark.parametrize("joint", LIMB_JOINTS)
def test_any_hidden_limb_is_survived(joint: str) -> None:
    for seen in clips():
        movement = measure(without(seen, joint))
        assert np.isfinite(movement.scores.pose_quality).all()
        assert np.isnan(movement.centre_of_mass).all()


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_clips_of_few_frames_are_measured(count: int) -> None:
    postures, times_s = moving(5)
    whole = series_2d(postures, times_s)
    few = observed(
        COCO17, times_s[:count], whole.points[:count], whole.confidence[:count]
    )  # fmt: skip
    movement = measure(smoothed(few, Butterworth()))
    assert len(list(movement.frames())) == count
    assert np.isfinite(movement.angles_deg).all()
    assert np.isfinite(movement.angular_velocities_deg_s).all() == (count != 1)


def test_measuring_loads_nothing_but_numpy() -> None:
    code = (
        "import sys, pose_service.biomechanics.summary, pose_service.biomechanics.comparison; "
        "import pose_service.biomechanics.smoothing; "
        "heavy = {'torch', 'scipy', 'cv2', 'flask', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_at_240_frames_a_second_velocities_are_those_at_30() -> None:
    fast, slow = (
        measure(series_2d(*moving(round(2 * fps), fps))).angular_velocities_deg_s
        for fps in (240.0, 30.0)
    )
    # central differences of a sine of 1 Hz lose 1 - sinc(2 / 30) = 0.7 % at 30 frames a second
    peak = np.nanmax(np.abs(fast))
    np.testing.assert_allclose(fast[8:-8:8], slow[1:-1], atol=0.01 * peak)
