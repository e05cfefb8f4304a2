"""Poses of people in sessions who are not seen: what the net is asked, and what it decides."""

from dataclasses import replace

import numpy as np
import pytest
from standin_phalp import IDENTITIES
from toy_engine import toy_engine

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.config import Settings
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses
from pose_service.engines.registry import plug_in
from pose_service.fourdhumans.foretelling import Foretelling
from pose_service.temporal.kinematic import KinematicModel

KINEMATIC = KinematicModel()


class Asked:
    """A `PosePredictor` that remembers what it was asked, and turns every joint alike."""

    def __init__(self, turn: float = 0.3) -> None:
        self.turned = rotation_from_vector(np.array([turn, 0.0, 0.0]))
        self.asked: list[tuple[FloatArray, IntArray, IntArray]] = []

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        self.asked.append((poses, times, missed))
        rotations = np.tile(self.turned.ravel(), (len(poses), 24))
        return np.hstack([rotations, np.full((len(poses), 13), 9.0)])


def walk(count: int) -> tuple[BodyPoses, FloatArray]:
    """`count` sights, 30 a second, of somebody who goes 3 cm a frame to the right and turns."""
    turns = rotation_from_vector(np.linspace(0, 1, count)[:, None] * (0.0, 1.0, 0.0))
    rotations = np.tile(np.eye(3), (count, 24, 1, 1))
    rotations[:, 0] = turns
    places_m = np.stack([0.03 * np.arange(count), np.zeros(count), np.full(count, 20.0)], 1)
    shapes = np.tile(np.linspace(-1, 1, 10), (count, 1))
    return BodyPoses(rotations, places_m, shapes), np.arange(count) / 30


def test_poses_after_the_known_ones_are_the_nets_and_all_else_is_kinematic() -> None:
    poses, times_s = walk(9)
    wanted_s = np.array([9.0, 10, 12]) / 30
    net = Asked()
    found = Foretelling(net, KINEMATIC).predict(poses, times_s, wanted_s)
    np.testing.assert_allclose(found.rotations, np.tile(net.turned, (3, 24, 1, 1)))
    by_movement = KINEMATIC.predict(poses, times_s, wanted_s)
    np.testing.assert_array_equal(found.translations_m, by_movement.translations_m)
    np.testing.assert_array_equal(found.shapes, np.repeat(poses.shapes[-1:], 3, axis=0))


def test_the_net_sees_the_last_seven_poses_and_the_frames_they_were_in() -> None:
    poses, times_s = walk(9)
    net = Asked()
    Foretelling(net, KINEMATIC).predict(poses, times_s, np.array([9.0, 12]) / 30)
    ((features, frames, missed),) = net.asked
    assert features.shape == (2, 7, 229)
    np.testing.assert_array_equal(frames, np.tile(np.arange(2, 9), (2, 1)))
    # in the frame right after the last sight nobody has been missed yet
    assert missed.tolist() == [0, 3]
    np.testing.assert_allclose(features[1, 6, :9], poses.rotations[8, 0].ravel(), atol=1e-6)
    np.testing.assert_allclose(features[1, 6, 9:216], IDENTITIES[9:], atol=1e-6)
    np.testing.assert_allclose(features[1, 6, 216:226], poses.shapes[8], atol=1e-6)
    np.testing.assert_allclose(features[1, 6, 226:], [0.24, 0, 20 / 200], atol=1e-6)


def test_somebody_seen_twice_has_the_first_sight_in_all_places_before() -> None:
    poses, times_s = walk(2)
    net = Asked()
    Foretelling(net, KINEMATIC).predict(poses, times_s, np.array([0.1]))
    ((_, frames, missed),) = net.asked
    assert frames.tolist() == [[0, 0, 0, 0, 0, 0, 1]]
    assert missed.tolist() == [1]


@pytest.mark.parametrize("wanted_s", [[-0.1, -0.05], []])
def test_before_the_known_poses_no_net_is_asked(wanted_s: list[float]) -> None:
    poses, times_s = walk(5)
    net = Asked()
    found = Foretelling(net, KINEMATIC).predict(poses, times_s, np.array(wanted_s))
    assert net.asked == []
    by_movement = KINEMATIC.predict(poses, times_s, np.array(wanted_s))
    np.testing.assert_array_equal(found.rotations, by_movement.rotations)


def test_poses_that_are_not_finite_are_not_taken() -> None:
    poses, times_s = walk(5)
    found = Foretelling(Asked(turn=np.nan), KINEMATIC).predict(poses, times_s, np.array([1.0]))
    by_movement = KINEMATIC.predict(poses, times_s, np.array([1.0]))
    np.testing.assert_array_equal(found.rotations, by_movement.rotations)


def test_smoothing_is_the_kinematic_models() -> None:
    poses, times_s = walk(5)
    model = Foretelling(Asked(), KINEMATIC)
    smoothed = model.smooth_poses(poses, times_s)
    np.testing.assert_array_equal(
        smoothed.rotations, KINEMATIC.smooth_poses(poses, times_s).rotations
    )
    assert model.smooth_observations([], times_s[:0]) == []


def test_a_temporal_model_that_is_plugged_in_predicts_in_sessions_too() -> None:
    engine = replace(toy_engine(), foretell=Foretelling(Asked(), KINEMATIC))
    assert engine.live is engine.foretell
    plugged = plug_in(engine, Settings(POSE_TEMPORAL="test_fourdhumans_foretelling:temporal"))
    assert plugged.live is plugged.temporal is KINEMATIC


def temporal(settings: Settings) -> KinematicModel:
    return KINEMATIC
