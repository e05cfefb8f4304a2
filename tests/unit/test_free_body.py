"""The free body behind the seam: where its joints, landmarks and mesh lie."""

from dataclasses import replace

import numpy as np
import pytest

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.body_landmarks import landmark_masses, landmark_moments
from pose_service.bodies.free_body import FreeBody
from pose_service.bodies.segments import FREE_JOINTS, Segments, place
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses, PosedBodies
from pose_service.core.skeletons import BLAZEPOSE33, COCO17, SMPL24
from pose_service.engines.seam import BodyModel

FACING = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Root rotation of a body that stands upright and looks into the camera."""


@pytest.fixture(scope="module")
def anny() -> AnnyBody:
    return AnnyBody.load()


@pytest.fixture(scope="module")
def body(anny: AnnyBody) -> FreeBody:
    return FreeBody(anny)


def standing(count: int = 1) -> BodyPoses:
    rotations = np.tile(np.eye(3), (count, len(FREE_JOINTS), 1, 1))
    rotations[:, 0] = FACING
    return BodyPoses(rotations, np.tile([1.0, 2.0, 3.0], (count, 1)), np.ones((count, 1)))


def turned(poses: BodyPoses, joint: str, vector_rad: list[float]) -> BodyPoses:
    rotations = poses.rotations.copy()
    rotations[:, FREE_JOINTS.index(joint)] @= rotation_from_vector(np.array(vector_rad))
    return replace(poses, rotations=rotations)


def moving(count: int) -> BodyPoses:
    vectors = np.random.default_rng(2).normal(size=(count, len(FREE_JOINTS), 3)) * 0.4
    rotations = rotation_from_vector(vectors)
    return replace(standing(count), rotations=rotations, shapes=np.full((count, 1), 0.8))


def test_it_fills_the_seam(body: FreeBody) -> None:
    model: BodyModel = body
    assert model.name == "anny"
    assert model.rotation_names[0] == "root"
    assert len(model.rotation_names) == 20
    assert model.faces.max() == model.vertex_count - 1


def test_who_faces_the_camera_has_the_left_hand_at_the_right(body: FreeBody) -> None:
    joints = dict(zip(SMPL24.joints, body.pose(standing()).joints_m[0], strict=True))
    assert np.allclose(joints["pelvis"], 0)
    assert joints["left_wrist"][0] > 0.3
    assert joints["right_wrist"][0] < -0.3
    assert joints["head"][1] < joints["neck"][1] < 0  # y points down
    assert joints["left_ankle"][1] > joints["left_knee"][1] > 0.3


def test_the_nose_is_nearer_than_the_ears_and_the_mouth_is_below_it(body: FreeBody) -> None:
    points = body.pose(standing()).joint_sets_m["blazepose33"][0]
    face = dict(zip(BLAZEPOSE33.joints, points, strict=True))
    assert face["nose"][2] < face["left_eye"][2] < face["left_ear"][2]
    assert face["mouth_left"][1] > face["nose"][1] > face["left_eye"][1]
    across = [face[f"left_{part}"][0] for part in ("eye_inner", "eye", "eye_outer", "ear")]
    assert across == sorted(across)
    assert 0.03 < face["mouth_left"][0] - face["mouth_right"][0] < 0.08


def test_every_landmark_lies_on_or_in_the_mesh(body: FreeBody) -> None:
    posed = body.pose(standing())
    assert posed.vertices_m is not None
    low, high = posed.vertices_m[0].min(axis=0), posed.vertices_m[0].max(axis=0)
    for name, points in posed.joint_sets_m.items():
        assert np.all((points[0] >= low) & (points[0] <= high)), name
        near = np.linalg.norm(points[0][:, None] - posed.vertices_m[0], axis=-1).min(axis=1)
        assert near.max() < 0.13, name  # the hips lie deepest


def test_a_landmark_mixture_is_a_weighted_mean(anny: AnnyBody) -> None:
    of_keypoints, of_heads = landmark_masses(anny)
    assert np.allclose(of_keypoints.sum(axis=1) + of_heads.sum(axis=1), 1)
    tip = of_keypoints[BLAZEPOSE33.index("right_foot_index")]
    shares = {anny.keypoint_names[k]: tip[k] for k in np.flatnonzero(tip)}
    assert shares == {"right_big_toe": 0.65, "right_small_toe": 0.35}


def test_levers_and_skinning_place_the_landmarks_alike(anny: AnnyBody, body: FreeBody) -> None:
    poses = moving(5)
    segments = Segments.of(anny)
    placed = 0.8 * place(segments.levers(*landmark_moments(anny)), segments.turns(poses.rotations))
    skinned = body.pose(poses, vertices=False).joint_sets_m["blazepose33"]
    # the file's weights add up to 1 in single precision
    assert np.allclose(placed, skinned, atol=1e-6)


def test_coco_joints_are_landmarks_of_the_same_name(body: FreeBody) -> None:
    sets = body.pose(moving(2), vertices=False).joint_sets_m
    for row, name in enumerate(COCO17.joints):
        same = sets["blazepose33"][:, BLAZEPOSE33.index(name)]
        assert np.array_equal(sets["coco17"][:, row], same)


def test_a_bent_elbow_moves_the_hand_only(body: FreeBody) -> None:
    before = body.pose(standing()).joints_m[0]
    after = body.pose(turned(standing(), "lowerarm01.L", [0.0, 0.5, 0.0])).joints_m[0]
    moved = np.linalg.norm(after - before, axis=1) > 1e-9
    assert {SMPL24.joints[i] for i in np.flatnonzero(moved)} == {"left_wrist", "left_hand"}


def all_points(posed: PosedBodies) -> list[np.ndarray]:
    assert posed.vertices_m is not None
    return [posed.joints_m, posed.vertices_m, *posed.joint_sets_m.values()]


def test_the_root_turns_everything_together(body: FreeBody) -> None:
    turn = rotation_from_vector(np.array([0.3, -0.8, 0.5]))
    poses = moving(1)
    rotations = poses.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    there = body.pose(replace(poses, rotations=rotations))
    for here, after in zip(all_points(body.pose(poses)), all_points(there), strict=True):
        assert np.allclose(after, here @ turn.T, atol=1e-5)  # vertices are in single precision


def test_translation_is_not_added(body: FreeBody) -> None:
    far = replace(standing(), translations_m=np.array([[9.0, 9.0, 9.0]]))
    for here, there in zip(
        all_points(body.pose(standing())), all_points(body.pose(far)), strict=True
    ):
        assert np.array_equal(here, there)


def test_twice_the_scale_is_twice_the_body(body: FreeBody) -> None:
    double = replace(standing(), shapes=np.full((1, 1), 2.0))
    for once, twice in zip(
        all_points(body.pose(standing())), all_points(body.pose(double)), strict=True
    ):
        assert np.allclose(2 * once, twice, atol=1e-5)


def test_no_mesh_is_made_unless_asked_for(body: FreeBody) -> None:
    assert body.pose(standing(2), vertices=False).vertices_m is None


def test_nobody_gives_empty_arrays(body: FreeBody) -> None:
    posed = body.pose(standing(0))
    assert posed.joints_m.shape == (0, 24, 3)
    assert posed.vertices_m is not None
    assert posed.vertices_m.shape == (0, body.vertex_count, 3)
    assert posed.joint_sets_m["blazepose33"].shape == (0, 33, 3)


def test_poses_of_another_body_are_refused(body: FreeBody) -> None:
    smpl = BodyPoses(np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)), np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"rotations: expected \(1, 20, 3, 3\)"):
        body.pose(smpl)
    with pytest.raises(ValueError, match=r"shapes: expected \(1, 1\), got \(1, 10\)"):
        body.pose(replace(standing(), shapes=np.ones((1, 10))))


def test_a_body_without_a_free_joint_is_refused(anny: AnnyBody) -> None:
    names = tuple("other" if name == "spine02" else name for name in anny.bone_names)
    with pytest.raises(ValueError, match="spine02"):
        Segments.of(replace(anny, bone_names=names))
