"""SMPL against recorded figures of the reference implementation, and against plain geometry.

The recorded ones were computed with the stand-in body by smplx 0.1.28 and HMR 2.0's own joint
code, in float32. Limit 5e-6 m: eight times what two float32 orderings of the same sums differ by
here (6e-7 m, bodies of about 2 m), a quarter of what the reference recommends.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from standin_smpl import standin_body, standin_extra_joints

from pose_service.bodies.smpl import Smpl, SmplBody
from pose_service.bodies.smpl_file import SmplFile
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import COCO17, HMR44, SMPL24

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "smpl" / "golden.npz"
PARITY_M = 5e-6

Floats = NDArray[np.floating]
# Places among the 45 raw joints of smplx, as the reference lists them for HMR 2.0's first 25.
RAW_OF_BODY25 = (
    24, 12, 17, 19, 21, 16, 18, 20, 0, 2, 5, 8, 1, 4, 7, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34,
)  # fmt: skip


@pytest.fixture(scope="module")
def golden() -> Mapping[str, Floats]:
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def standin() -> SmplFile:
    arrays = standin_body()
    return SmplFile(
        source=Path("none"),
        template_m=arrays["v_template"].astype(np.float32),
        shape_basis_m=arrays["shapedirs"].astype(np.float32),
        pose_basis_m=arrays["posedirs"].astype(np.float32),
        joint_regressor=arrays["J_regressor"].astype(np.float32),
        skin_weights=arrays["weights"].astype(np.float32),
        faces=arrays["f"].astype(np.int32),
    )


@pytest.fixture(scope="module")
def rigid(standin: SmplFile) -> SmplFile:
    """The stand-in with each vertex on one bone and no pose corrections: limbs stay rigid."""
    owners = np.eye(24, dtype=np.float32)[np.arange(6890) % 24]
    return replace(standin, skin_weights=owners, pose_basis_m=np.zeros_like(standin.pose_basis_m))


@pytest.fixture(scope="module")
def body(standin: SmplFile) -> SmplBody:
    return SmplBody(standin, standin_extra_joints())


def poses(rotations: Floats, shapes: Floats | None = None) -> BodyPoses:
    count = len(rotations)
    shapes = np.zeros((count, 10)) if shapes is None else shapes
    return BodyPoses(rotations, np.zeros((count, 3)), shapes)


def rest(count: int = 1) -> Floats:
    return np.tile(np.eye(3), (count, 24, 1, 1))


def surface(body: SmplBody, rotations: Floats, shapes: Floats | None = None) -> Floats:
    vertices_m = body.pose(poses(rotations, shapes)).vertices_m
    assert vertices_m is not None
    return vertices_m


@pytest.mark.parametrize("run", ["alone", "tiny"])
def test_surfaces_and_joints_are_those_of_the_reference(
    body: SmplBody, golden: Mapping[str, Floats], run: str
) -> None:
    posed = body.pose(poses(golden[f"{run}/rotmat"], golden[f"{run}/betas"]))
    assert posed.vertices_m is not None
    assert np.abs(posed.vertices_m - golden[f"{run}/vertices"]).max() < PARITY_M
    assert np.abs(posed.joint_sets_m["hmr44"] - golden[f"{run}/joints44"]).max() < PARITY_M


def test_the_full_size_run_of_the_reference_has_the_same_body(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    posed = body.pose(poses(golden["full/rotmat"], golden["full/betas"]))
    assert posed.vertices_m is not None
    every10 = posed.vertices_m[:, ::10]
    assert np.abs(every10 - golden["full/vertices_every10"]).max() < PARITY_M
    assert np.abs(posed.joint_sets_m["hmr44"] - golden["full/joints44"]).max() < PARITY_M


def test_the_24_joints_are_the_first_raw_joints_of_the_reference(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    posed = body.pose(poses(golden["alone/rotmat"], golden["alone/betas"]))
    raw = golden["alone/joints45_raw"]
    assert np.abs(posed.joints_m - raw[:, :24]).max() < PARITY_M
    chosen = raw[:, list(RAW_OF_BODY25)]
    assert np.abs(posed.joint_sets_m["hmr44"][:, :25] - chosen).max() < PARITY_M


def test_the_formulas_written_out_joint_by_joint_give_the_same_surface(
    body: SmplBody, standin: SmplFile
) -> None:
    """4x4 matrices in double precision, one joint and one term at a time."""
    random = np.random.default_rng(3)
    rotations = rotation_from_vector(random.normal(0, 0.8, (2, 24, 3)))
    shapes = random.normal(0, 1, (2, 10))
    for posed, turns, betas in zip(
        surface(body, rotations, shapes), rotations, shapes, strict=True
    ):
        shaped = standin.template_m + standin.shape_basis_m.astype(np.float64) @ betas
        joints = standin.joint_regressor.astype(np.float64) @ shaped
        bends = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
        corrected = shaped + standin.pose_basis_m.astype(np.float64) @ bends
        worlds: list[Floats] = []
        for joint, parent in enumerate(SMPL24.parents):
            local = np.eye(4)
            local[:3, :3] = turns[joint]
            local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
            worlds.append(worlds[parent] @ local if parent >= 0 else local)
        expected = np.zeros((6890, 3))
        for joint, world in enumerate(worlds):
            moved = (corrected - joints[joint]) @ world[:3, :3].T + world[:3, 3]
            expected += standin.skin_weights[:, [joint]] * moved
        assert np.abs(posed - expected).max() < PARITY_M


def test_at_rest_the_surface_is_the_template(body: SmplBody, standin: SmplFile) -> None:
    # float32 weights add up to 1 within 1e-7, on coordinates below 1.1 m
    np.testing.assert_allclose(surface(body, rest())[0], standin.template_m, atol=1e-6)


def test_a_turned_root_turns_the_whole_body_about_the_pelvis(body: SmplBody) -> None:
    turn = rotation_from_vector(np.array([0.3, -2.0, 1.1]))
    random = rotation_from_vector(np.random.default_rng(5).normal(0, 0.5, (1, 24, 3)))
    random[:, 0] = np.eye(3)
    still = body.pose(poses(random))
    turned = random.copy()
    turned[:, 0] = turn
    pelvis = still.joints_m[0, 0]
    assert still.vertices_m is not None
    expected = (still.vertices_m[0] - pelvis) @ turn.T + pelvis
    np.testing.assert_allclose(surface(body, turned)[0], expected, atol=PARITY_M)


def test_a_bent_left_elbow_carries_forearm_and_hand_and_nothing_else(rigid: SmplFile) -> None:
    body = SmplBody(rigid, standin_extra_joints())
    elbow, wrist, hand = (SMPL24.index(f"left_{part}") for part in ("elbow", "wrist", "hand"))
    right_angle = rotation_from_vector(np.array([0.0, 0.0, np.pi / 2]))
    bent = rest()
    bent[0, elbow] = right_angle
    still, moved = body.pose(poses(rest())), body.pose(poses(bent))
    place = still.joints_m[0, elbow]
    for joint in range(24):
        expected = still.joints_m[0, joint]
        if joint in (wrist, hand):
            expected = right_angle @ (expected - place) + place
        np.testing.assert_allclose(moved.joints_m[0, joint], expected, atol=1e-6)
    assert still.vertices_m is not None and moved.vertices_m is not None
    owners = np.arange(6890) % 24
    forearm = np.isin(owners, (elbow, wrist, hand))
    expected = (still.vertices_m[0, forearm] - place) @ right_angle.T + place
    np.testing.assert_allclose(moved.vertices_m[0, forearm], expected, atol=1e-6)
    np.testing.assert_array_equal(moved.vertices_m[0, ~forearm], still.vertices_m[0, ~forearm])


def test_a_template_that_lies_elsewhere_gives_the_same_body_elsewhere(standin: SmplFile) -> None:
    shift = np.array([1.0, -2.0, 0.5], np.float32)
    moved = replace(standin, template_m=standin.template_m + shift)
    bent = rotation_from_vector(np.random.default_rng(7).normal(0, 0.5, (1, 24, 3)))
    bent[:, 0] = np.eye(3)
    here = surface(SmplBody(standin, standin_extra_joints()), bent)
    there = surface(SmplBody(moved, standin_extra_joints()), bent)
    np.testing.assert_allclose(there, here + shift, atol=PARITY_M)


def test_shapes_add_up_and_the_joints_follow_them(body: SmplBody, standin: SmplFile) -> None:
    random = np.random.default_rng(9).normal(0, 1, (2, 10))
    shapes = np.stack([np.zeros(10), random[0], random[1], random[0] + 2 * random[1]])
    posed = body.pose(poses(rest(4), shapes))
    assert posed.vertices_m is not None
    for values in (posed.vertices_m, posed.joints_m):
        mean, first, second, both = values
        np.testing.assert_allclose(both - mean, (first - mean) + 2 * (second - mean), atol=PARITY_M)
    np.testing.assert_allclose(
        posed.joints_m[1], standin.joint_regressor @ posed.vertices_m[1], atol=PARITY_M
    )


def test_a_body_does_not_depend_on_its_neighbours(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    together = surface(body, golden["tiny/rotmat"], golden["tiny/betas"])
    for i in range(3):
        alone = surface(body, golden["tiny/rotmat"][i : i + 1], golden["tiny/betas"][i : i + 1])
        np.testing.assert_allclose(together[i], alone[0], atol=1e-6)


def test_names_lie_on_their_side_and_at_their_height(body: SmplBody) -> None:
    sets = body.pose(poses(rest())).joint_sets_m
    for skeleton, joints_m in ((HMR44, sets["hmr44"][0]), (COCO17, sets["coco17"][0])):
        for name, (x, _, _) in zip(skeleton.joints, joints_m, strict=True):
            # the face and foot vertices of the real body are other places on the stand-in
            if any(part in name for part in ("eye", "ear", "toe", "heel")):
                continue
            if name.startswith("left_"):
                assert x > 0.03, name
            if name.startswith("right_"):
                assert x < -0.03, name
    at = {name: sets["hmr44"][0, HMR44.index(name)] for name in HMR44.joints}
    assert at["head_top_lsp"][1] > at["neck"][1] > at["pelvis_mpii"][1] > at["left_knee_lsp"][1]
    assert at["left_knee_lsp"][1] > at["left_ankle"][1]
    np.testing.assert_allclose(at["mid_hip"], at["pelvis_mpii"], atol=0.03)


def test_coco_joints_are_the_joints_of_the_same_name(body: SmplBody) -> None:
    sets = body.pose(poses(rest())).joint_sets_m
    for place, name in enumerate(COCO17.joints):
        np.testing.assert_array_equal(sets["coco17"][0, place], sets["hmr44"][0, HMR44.index(name)])
    assert HMR44.joints[39] == "pelvis_mpii"
    assert len(set(HMR44.joints)) == len(HMR44) == 44


def test_the_seam_is_kept(body: SmplBody) -> None:
    assert (body.name, body.vertex_count, body.faces.shape) == ("smpl", 6890, (13776, 3))
    assert body.rotation_names == SMPL24.joints
    posed = body.pose(poses(rest(2)))
    assert posed.vertices_m is not None
    assert posed.joints_m.dtype == posed.vertices_m.dtype == np.float32


def test_joints_are_the_same_with_and_without_the_surface(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    given = poses(golden["tiny/rotmat"], golden["tiny/betas"])
    without, posed = body.pose(given, vertices=False), body.pose(given)
    assert without.vertices_m is None
    np.testing.assert_array_equal(without.joints_m, posed.joints_m)
    for name, joints_m in posed.joint_sets_m.items():
        np.testing.assert_array_equal(without.joint_sets_m[name], joints_m)


def test_joints_of_the_surface_are_its_vertices_and_their_means(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    """They are computed bone by bone, without the vertices."""
    posed = body.pose(poses(golden["tiny/rotmat"], golden["tiny/betas"]))
    assert posed.vertices_m is not None
    joints44 = posed.joint_sets_m["hmr44"]
    # two float32 ways of one sum, on coordinates below 2 m
    np.testing.assert_allclose(joints44[:, 0], posed.vertices_m[:, 332], atol=2e-6)
    np.testing.assert_allclose(joints44[:, 24], posed.vertices_m[:, 6787], atol=2e-6)
    means = standin_extra_joints() @ posed.vertices_m
    np.testing.assert_allclose(joints44[:, 25:], means, atol=2e-6)


def test_several_threads_may_pose_at_once(body: SmplBody, golden: Mapping[str, Floats]) -> None:
    given = list(poses(golden["tiny/rotmat"], golden["tiny/betas"])) * 8
    alone = [body.pose(each).vertices_m for each in given]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda each: body.pose(each).vertices_m, given))
    for one, other in zip(alone, together, strict=True):
        assert one is not None
        np.testing.assert_array_equal(one, other)


def test_nobody_is_a_result_too(body: SmplBody) -> None:
    posed = body.pose(poses(rest(0)))
    assert posed.vertices_m is not None
    assert posed.vertices_m.shape == (0, 6890, 3)
    assert posed.joint_sets_m["coco17"].shape == (0, 17, 3)


@pytest.mark.parametrize(
    ("rotations", "shapes", "named"),
    [
        (np.zeros((1, 23, 3, 3)), np.zeros((1, 10)), r"rotations: expected \(1, 24, 3, 3\)"),
        (np.zeros((1, 24, 3, 3)), np.zeros((1, 300)), r"shapes: expected \(1, 10\)"),
    ],
)
def test_poses_of_another_body_are_refused(
    body: SmplBody, rotations: Floats, shapes: Floats, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        body.pose(poses(rotations, shapes))


def test_half_precision_around_the_body_does_not_reach_into_it(
    body: SmplBody, golden: Mapping[str, Floats]
) -> None:
    rotations, shapes = (torch.from_numpy(golden[f"tiny/{name}"]) for name in ("rotmat", "betas"))
    exact = body.net(rotations, shapes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = body.net(rotations, shapes)
    for came, wanted in zip(inside, exact, strict=True):
        assert torch.equal(came, wanted)
    from_half = body.net(rotations.bfloat16(), shapes.bfloat16())
    assert {part.dtype for part in from_half} == {torch.float32}


def test_the_body_never_travels_in_a_checkpoint(standin: SmplFile) -> None:
    """The licensed numbers stay in the user's file, and no checkpoint can replace them."""
    assert not Smpl(standin, standin_extra_joints()).state_dict()
