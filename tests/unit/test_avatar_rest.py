"""The free body in its T-pose."""

import numpy as np
import pytest

from pose_service.avatar.free.rest import free_rotations, rest_mesh
from pose_service.avatar.measured import rest_measures
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.skeletons import SMPL24
from pose_service.measurement.extract import measure
from pose_service.measurement.surface import ClosedFaces, RestBody


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody.load()


def test_arms_are_level_and_straight(body: AnnyBody) -> None:
    joints = rest_mesh(body).joints_m
    for side, outward in (("left", 1), ("right", -1)):
        arm = joints[[SMPL24.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "wrist")]]
        assert np.ptp(arm[:, 1:], axis=0) == pytest.approx([0, 0], abs=1e-9)
        assert np.all(np.diff(arm[:, 0]) * outward > 0.2)


def test_it_stands_on_the_floor_upright_and_looks_to_the_front(body: AnnyBody) -> None:
    rest = rest_mesh(body)
    assert rest.vertices_m[:, 1].min() == pytest.approx(0, abs=1e-12)
    assert rest.joints_m[SMPL24.index("head"), 1] > rest.joints_m[SMPL24.index("pelvis"), 1]
    toes, ankles = (
        rest.joints_m[[SMPL24.index(f"{side}_{joint}") for side in ("left", "right")]]
        for joint in ("foot", "ankle")
    )
    assert np.all(toes[:, 2] > ankles[:, 2])


def test_lifting_the_arms_keeps_their_length_and_everything_below(body: AnnyBody) -> None:
    level, down = rest_mesh(body), rest_mesh(body, arms_level=False)
    surface = ClosedFaces.of(body.faces)
    values, as_filed = (
        measure(RestBody(rest.vertices_m, surface, rest.joints_m)).centimetres()
        for rest in (level, down)
    )
    assert values["arm_length"] == pytest.approx(as_filed["arm_length"], rel=1e-6)
    assert values["chest"] > as_filed["chest"] + 2
    for name in ("height", "waist", "hip", "inseam", "thigh"):
        assert values[name] == pytest.approx(as_filed[name], rel=2e-3)


def test_the_chest_is_taken_with_the_arms_down_and_the_rest_in_the_t(body: AnnyBody) -> None:
    surface = ClosedFaces.of(body.faces)
    taken = rest_measures(body).centimetres()
    level, down = rest_mesh(body), rest_mesh(body, arms_level=False)
    in_t = measure(RestBody(level.vertices_m, surface, level.joints_m)).centimetres()
    lowered = measure(RestBody(down.vertices_m, surface, down.joints_m)).centimetres()
    assert taken == in_t | {"chest": lowered["chest"]}


def test_free_joints_get_their_turns_and_the_others_none(body: AnnyBody) -> None:
    turns = np.tile(np.diag([-1.0, -1, 1]), (2, len(FREE_JOINTS), 1, 1))
    every = free_rotations(body, turns)
    free = [body.bone_names.index(name) for name in FREE_JOINTS]
    others = np.setdiff1d(np.arange(len(body.bone_names)), free)
    assert np.all(every[:, free] == turns)
    assert np.all(every[:, others] == np.eye(3))
