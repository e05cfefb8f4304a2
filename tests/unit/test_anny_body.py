"""The free body: a closed, upright, symmetric surface that bends where trigonometry says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pose_service.bodies.anny import DATA_FILE, AnnyBody

Array = NDArray[np.floating[Any]]
QUARTER_TURN_ABOUT_Z = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody.load()


def identities(body: AnnyBody, count: int = 1) -> Array:
    return np.tile(np.eye(3), (count, len(body.bone_names), 1, 1))


def turn_about(axis: Array, angle: float) -> Array:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turn


def test_counts_are_those_of_smpl(body: AnnyBody) -> None:
    assert body.vertex_count == 6890
    assert body.faces.shape == (13776, 3)
    assert body.faces.dtype == np.int32
    assert len(np.unique(body.faces)) == 6890


def test_surface_is_closed_and_consistently_oriented(body: AnnyBody) -> None:
    edges = {edge for a, b, c in body.faces.tolist() for edge in ((a, b), (b, c), (c, a)) if a != b}
    assert len(edges) == 3 * len(body.faces), "a directed edge belongs to exactly one triangle"
    assert {(b, a) for a, b in edges} == edges, "every edge has a triangle on its other side"
    assert body.vertex_count - len(edges) // 2 + len(body.faces) == 2


def test_surface_is_one_piece(body: AnnyBody) -> None:
    label = np.arange(body.vertex_count)
    for _ in range(body.vertex_count):
        lowest = label[body.faces].min(axis=1)
        before = label.copy()
        np.minimum.at(label, body.faces, lowest[:, None])
        if np.array_equal(before, label):
            break
    assert not label.any()


def test_triangles_face_outward_and_none_is_degenerate(body: AnnyBody) -> None:
    corners = body.rest_vertices_m.astype(np.float64)[body.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume_m3 = (corners[:, 0] * normals).sum() / 6
    assert 0.06 < volume_m3 < 0.09
    assert np.linalg.norm(normals, axis=1).min() / 2 > 1e-8


def test_body_has_a_persons_size_and_its_left_at_positive_x(body: AnnyBody) -> None:
    width, depth, height = np.ptp(body.rest_vertices_m, axis=0)
    assert 1.75 < height < 1.9
    assert 1.0 < width < 1.6
    assert 0.2 < depth < 0.6
    sides = {name[-1]: body.bone_heads_m[j, 0] for j, name in enumerate(body.bone_names)}
    assert sides["L"] > 0 > sides["R"]
    nose = body.keypoint_names.index("nose")
    assert body.keypoint_moment_m[nose].sum(axis=0)[1] < body.rest_vertices_m[:, 1].mean()


def test_surface_is_its_own_mirror_image(body: AnnyBody) -> None:
    def ordered(points: Array) -> Array:
        return points[np.lexsort(points.T)]

    mirrored = body.rest_vertices_m * np.array([-1, 1, 1], np.float32)
    np.testing.assert_array_equal(ordered(body.rest_vertices_m), ordered(mirrored + 0.0))


def test_weights_are_shares(body: AnnyBody) -> None:
    assert body.bone_weights.min() >= 0
    np.testing.assert_allclose(body.bone_weights.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(body.keypoint_mass.sum(axis=1), 1, atol=1e-5)


def test_rest_pose_returns_the_rest_surface(body: AnnyBody) -> None:
    posed = body.world(identities(body, 2), np.zeros((2, 3)), np.ones(2))
    surface = body.vertices(*posed, np.ones(2))
    assert surface.shape == (2, 6890, 3)
    assert surface.dtype == np.float32
    np.testing.assert_allclose(surface[1], body.rest_vertices_m, atol=1e-6)
    np.testing.assert_allclose(posed[1][0], body.bone_heads_m, atol=1e-12)


def test_turning_the_root_turns_and_places_the_whole_body(body: AnnyBody) -> None:
    rotations, place = identities(body), np.array([[1.0, -2, 3]])
    rotations[0, 0] = QUARTER_TURN_ABOUT_Z
    turns, heads = body.world(rotations, place, np.ones(1))
    np.testing.assert_allclose(heads[0, 0], place[0])
    np.testing.assert_allclose(turns[0], np.tile(QUARTER_TURN_ABOUT_Z, (len(turns[0]), 1, 1)))
    expected = body.rest_vertices_m @ QUARTER_TURN_ABOUT_Z.T + place
    np.testing.assert_allclose(body.vertices(turns, heads, np.ones(1))[0], expected, atol=2e-6)


def test_scale_grows_bones_surface_and_keypoints_alike(body: AnnyBody) -> None:
    sizes = np.array([1.0, 0.5])
    posed = body.world(identities(body, 2), np.zeros((2, 3)), sizes)
    for shape in (posed[1], body.vertices(*posed, sizes), body.keypoints(*posed, sizes)):
        np.testing.assert_allclose(shape[1], 0.5 * shape[0], atol=1e-6)


@pytest.mark.parametrize("side", ["L", "R"])
def test_elbow_bent_by_a_right_angle_moves_the_wrist_sideways(body: AnnyBody, side: str) -> None:
    elbow, wrist = (body.bone_names.index(f"{name}.{side}") for name in ("lowerarm01", "wrist"))
    forearm = body.bone_heads_m[wrist] - body.bone_heads_m[elbow]
    axis = np.cross(forearm, [1.0, 0, 0])
    axis /= np.linalg.norm(axis)
    rotations = identities(body)
    rotations[0, elbow] = turn_about(axis, np.pi / 2)
    turns, heads = body.world(rotations, np.zeros((1, 3)), np.ones(1))
    # A vector at right angles to the axis, turned by 90 degrees, is the cross product.
    expected = body.bone_heads_m[elbow] + np.cross(axis, forearm)
    np.testing.assert_allclose(heads[0, wrist], expected, atol=1e-9)
    np.testing.assert_allclose(heads[0, elbow], body.bone_heads_m[elbow], atol=1e-9)
    moved_m = np.linalg.norm(
        body.vertices(turns, heads, np.ones(1))[0] - body.rest_vertices_m, axis=1
    )
    fingers = [name.startswith("finger") and name[-1] == side for name in body.bone_names]
    head = body.bone_names.index("head")
    assert moved_m[body.bone_weights[fingers].sum(axis=0) > 0.99].min() > 0.2
    assert moved_m[body.bone_weights[head] > 0.99].max() < 1e-6


def test_vertices_agree_with_the_formula_written_out(body: AnnyBody) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(scale=0.5, size=(len(body.bone_names), 3))
    angles = np.linalg.norm(vectors, axis=1)
    rotations = np.stack([turn_about(v / a, a) for v, a in zip(vectors, angles, strict=True)])
    turns, heads = body.world(rotations[None], np.array([[0.1, 0.2, 5]]), np.array([1.1]))
    vertex = 4321
    expected = sum(
        share * (turns[0, j] @ (1.1 * (body.rest_vertices_m[vertex] - body.bone_heads_m[j])) + head)
        for j, (share, head) in enumerate(zip(body.bone_weights[:, vertex], heads[0], strict=True))
    )
    np.testing.assert_allclose(
        body.vertices(turns, heads, np.array([1.1]))[0, vertex], expected, atol=5e-6
    )


def test_bodies_of_a_batch_do_not_touch_each_other(body: AnnyBody) -> None:
    rotations = identities(body, 2)
    rotations[1, 5] = QUARTER_TURN_ABOUT_Z
    places, sizes = np.array([[0.0, 0, 0], [0, 0, 4]]), np.array([1, 0.9])
    both = body.vertices(*body.world(rotations, places, sizes), sizes)
    alone = body.vertices(*body.world(rotations[1:], places[1:], sizes[1:]), sizes[1:])
    np.testing.assert_allclose(both[1], alone[0], atol=1e-6)


def test_keypoints_at_rest_lie_by_their_bones(body: AnnyBody) -> None:
    posed = body.world(identities(body), np.zeros((1, 3)), np.ones(1))
    points = dict(zip(body.keypoint_names, body.keypoints(*posed, np.ones(1))[0], strict=True))
    bones = dict(zip(body.bone_names, body.bone_heads_m, strict=True))
    pairs = {"elbow": "lowerarm01", "wrist": "wrist", "knee": "lowerleg01", "ankle": "foot"}
    pairs |= {"shoulder": "upperarm01", "hip": "upperleg01", "eye": "eye", "big_toe": "toe1-2"}
    for point, bone in pairs.items():
        for side in ("left", "right"):
            away = points[f"{side}_{point}"] - bones[f"{bone}.{side[0].upper()}"]
            assert np.linalg.norm(away) < 0.08, (side, point)


def test_joints24_stand_in_smpls_order(body: AnnyBody) -> None:
    joints = body.joints24(body.bone_heads_m[None])[0]
    assert joints.shape == (24, 3)
    x, z = joints[:, 0], joints[:, 2]
    for upper, lower in [(15, 12), (12, 9), (9, 6), (6, 3), (3, 0), (0, 4), (4, 7), (7, 10)]:
        assert z[upper] > z[lower], (upper, lower)
    left = [1, 4, 7, 10, 13, 16, 18, 20, 22]
    right = [2, 5, 8, 11, 14, 17, 19, 21, 23]
    np.testing.assert_allclose(joints[left], joints[right] * [-1, 1, 1], atol=1e-5)
    assert (x[left] > 0).all()
    assert x[13] < x[16] < x[18] < x[20] < x[22], "collar, shoulder, elbow, wrist, hand"


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found nothing\. .*export_body\.py"):
        AnnyBody.load(tmp_path / "anny_body.npz")


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "anny_body.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="a file of another kind"):
        AnnyBody.load(path)


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(DATA_FILE.read_bytes())
    content[5000] ^= 0xFF
    path = tmp_path / "anny_body.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="do not read"):
        AnnyBody.load(path)


def test_file_without_an_array_or_with_a_wrong_one_is_refused(tmp_path: Path) -> None:
    with np.load(DATA_FILE, allow_pickle=False) as file:
        arrays = dict(file)
    path = tmp_path / "anny_body.npz"
    np.savez(path, **{name: value for name, value in arrays.items() if name != "faces"})
    with pytest.raises(ValueError, match="faces"):
        AnnyBody.load(path)
    np.savez(path, **(arrays | {"weights": arrays["weights"] * 2}))
    with pytest.raises(ValueError, match="sums of 1"):
        AnnyBody.load(path)


def test_world_refuses_rotations_for_other_bones(body: AnnyBody) -> None:
    with pytest.raises(ValueError, match="rotations: expected"):
        body.world(np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)), np.ones(1))
