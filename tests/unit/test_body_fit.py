"""The fit on landmarks made from known bodies, so that every answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.fit_solve import Solver
from pose_service.bodies.fit_start import BodyState, first_guess
from pose_service.bodies.free_body import FreeBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import angle_deg, rotation_from_vector, vector_from_rotation
from pose_service.core.records import BodyPoses, Camera, Observation
from pose_service.core.skeletons import BLAZEPOSE33, SMPL24

CAMERA = Camera(focal_px=1536.0, width_px=1280, height_px=720)
FACING = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Root rotation of a body that stands upright and looks into the camera."""
LEGS = [
    BLAZEPOSE33.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("knee", "ankle", "heel", "foot_index")
]


@pytest.fixture(scope="module")
def anny() -> AnnyBody:
    return AnnyBody.load()


@pytest.fixture(scope="module")
def body(anny: AnnyBody) -> FreeBody:
    return FreeBody(anny)


@pytest.fixture(scope="module")
def fitter(anny: AnnyBody) -> BodyFitter:
    return BodyFitter(anny)


def make_poses(
    count: int, scale: float = 0.9, **turns_rad: tuple[float, float, float]
) -> BodyPoses:
    """`count` bodies 4 m away that face the camera, with the joints of `turns_rad` turned.

    `upperarm01_L=(0, 1, 0)` turns `upperarm01.L` by 1 rad about its second rest axis.
    """
    rotations = np.tile(np.eye(3), (count, len(FREE_JOINTS), 1, 1))
    rotations[:, 0] = FACING
    for name, vector in turns_rad.items():
        joint = FREE_JOINTS.index(name.replace("_", "."))
        rotations[:, joint] = rotation_from_vector(np.array(vector))
    return BodyPoses(rotations, np.tile([0.1, 0.0, 4.0], (count, 1)), np.full((count, 1), scale))


def random_poses(count: int) -> BodyPoses:
    """Moving people anywhere in the picture, looking anywhere."""
    random = np.random.default_rng(5)
    spread = np.full((20, 3), 0.12)
    for place, name in enumerate(FREE_JOINTS):
        if name.startswith(("upper", "lowerarm")):
            spread[place] = [0.7, 0.4, 0.4]
        elif name.startswith("lowerleg"):
            spread[place, 0] = 0.7  # a knee is a hinge
    rotations = rotation_from_vector(random.normal(size=(count, 20, 3)) * spread)
    yaw = np.zeros((count, 3))
    yaw[:, 1] = random.uniform(-np.pi, np.pi, count)
    rotations[:, 0] = rotation_from_vector(yaw) @ FACING @ rotations[:, 0]
    places = random.uniform([-1, -0.3, 3], [1, 0.3, 8], (count, 3))
    return BodyPoses(rotations, places, random.uniform(0.8, 1.1, (count, 1)))


def observe(body: FreeBody, poses: BodyPoses) -> list[Observation]:
    """What a faultless observer sees of `poses`."""
    landmarks_m = body.pose(poses, vertices=False).joint_sets_m["blazepose33"]
    pixels = CAMERA.project(landmarks_m + poses.translations_m[:, None])
    hips = [BLAZEPOSE33.index("left_hip"), BLAZEPOSE33.index("right_hip")]
    return [
        Observation(
            track_id=0, box_xyxy_px=np.array([0.0, 0, 9, 9]), confidence=1.0, roi=np.ones(4),
            landmarks_px=seen_px, landmarks_m=seen_m - seen_m[hips].mean(axis=0),
            landmark_confidence=np.ones(33), joint_confidence=np.ones(24),
        )
        for seen_px, seen_m in zip(pixels, landmarks_m, strict=True)
    ]  # fmt: skip


def joint(body: FreeBody, poses: BodyPoses, name: str) -> FloatArray:
    """(n, 3) joint of SMPL's set in camera axes, translation added."""
    joints = body.pose(poses, vertices=False).joints_m[:, SMPL24.index(name)]
    return joints + poses.translations_m


def joint_errors_mm(body: FreeBody, poses: BodyPoses, truth: BodyPoses) -> FloatArray:
    """(n, 24) distances, both roots at the origin."""
    joints, true_joints = (body.pose(p, vertices=False).joints_m for p in (poses, truth))
    return 1000 * np.linalg.norm(joints - true_joints, axis=-1)


def test_known_bodies_are_found_again(body: FreeBody, fitter: BodyFitter) -> None:
    truth = random_poses(40)
    seen = observe(body, truth)
    poses = fitter.solve(seen, CAMERA)
    errors = joint_errors_mm(body, poses, truth)
    # The prior towards rest pulls on what is exact here: some millimetres of bias are its price.
    assert errors.mean() < 8
    assert np.percentile(errors, 99) < 35
    fit = fitter.errors(seen, CAMERA, poses)
    assert fit.mean_3d_mm.max() < 15
    assert fit.mean_2d_px.max() < 3
    assert np.allclose(poses.translations_m, truth.translations_m, rtol=0.02, atol=0.02)


def test_rotations_stay_rotations(body: FreeBody, fitter: BodyFitter) -> None:
    rotations = fitter.solve(observe(body, random_poses(10)), CAMERA).rotations
    assert np.allclose(rotations @ rotations.swapaxes(-1, -2), np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(rotations), 1)


def test_the_jacobian_is_the_slope_of_the_residuals(anny: AnnyBody, body: FreeBody) -> None:
    solver = Solver.of(anny)
    seen = Evidence.gather(observe(body, random_poses(3)), CAMERA)
    state = first_guess(solver.segments, solver.levers, seen)
    held = state.translations_m[:, 2, None, None]
    _, jacobian = solver.linearise(seen, state)

    def residuals(unknown: int, amount: float) -> FloatArray:
        change = np.zeros((3, 63))
        change[:, unknown] = amount
        turns = rotation_from_vector(change[:, :60].reshape(3, 20, 3))
        moved = BodyState(
            state.rotations @ turns, state.translations_m + change[:, 60:], state.scales
        )
        found, _ = solver.linearise(seen, moved)
        found[:, 3:] *= held / moved.translations_m[:, 2, None, None]  # t_z is held in a step
        return found

    step = 1e-5
    for unknown in range(63):
        slope = (residuals(unknown, step) - residuals(unknown, -step)) / (2 * step)
        # second-order differences are good to about step squared
        assert np.allclose(jacobian[:, unknown], slope, atol=1e-8), unknown


def test_a_right_angled_elbow_is_found_right_angled(
    anny: AnnyBody, body: FreeBody, fitter: BodyFitter
) -> None:
    shoulder, elbow, wrist = (
        anny.bone_heads_m[anny.bone_names.index(f"{name}.L")]
        for name in ("upperarm01", "lowerarm01", "wrist")
    )
    axis = np.cross(elbow - shoulder, wrist - elbow)
    missing = np.radians(angle_deg(shoulder, elbow, wrist) - 90)
    x, y, z = axis / np.linalg.norm(axis) * missing
    truth = make_poses(1, lowerarm01_L=(x, y, z))
    poses = fitter.solve(observe(body, truth), CAMERA)

    def elbow_deg(poses: BodyPoses) -> float:
        return float(
            angle_deg(
                *(joint(body, poses, f"left_{name}") for name in ("shoulder", "elbow", "wrist"))
            )[0]
        )

    assert elbow_deg(truth) == pytest.approx(90, abs=1e-6)
    assert elbow_deg(poses) == pytest.approx(90, abs=3)  # the prior's bias


def test_a_raised_left_arm_stays_the_left_arm(body: FreeBody, fitter: BodyFitter) -> None:
    truth = make_poses(1, upperarm01_L=(0.0, -2.0, 0.0))
    poses = fitter.solve(observe(body, truth), CAMERA)
    for found in (truth, poses):
        # camera axes: y points down, and the left of who looks at us is at the picture's right
        assert joint(body, found, "left_wrist")[0, 1] < joint(body, found, "head")[0, 1]
        assert joint(body, found, "right_wrist")[0, 1] > joint(body, found, "right_elbow")[0, 1]
        assert joint(body, found, "left_wrist")[0, 0] > joint(body, found, "right_wrist")[0, 0]


def test_a_mirrored_person_gives_the_mirrored_body(body: FreeBody, fitter: BodyFitter) -> None:
    seen = observe(body, random_poses(4))
    swap = mirror_order(BLAZEPOSE33.joints)
    mirrored = [
        replace(
            one,
            landmarks_m=(one.landmarks_m * [-1, 1, 1])[swap],
            landmarks_px=(one.landmarks_px * [-1, 1] + [CAMERA.width_px, 0])[swap],
        )
        for one in seen
    ]
    there, here = fitter.solve(mirrored, CAMERA), fitter.solve(seen, CAMERA)
    joints = body.pose(here, vertices=False).joints_m[:, mirror_order(SMPL24.joints)]
    # the rest body itself is symmetric to a fraction of a millimetre only
    assert np.allclose(body.pose(there).joints_m, joints * [-1, 1, 1], atol=2e-3)
    assert np.allclose(there.translations_m, here.translations_m * [-1, 1, 1], atol=5e-3)


def mirror_order(names: tuple[str, ...]) -> list[int]:
    """Places of the same joints on the other side."""
    words = {"left": "right", "right": "left"}
    return [names.index("_".join(words.get(w, w) for w in name.split("_"))) for name in names]


@pytest.mark.parametrize("scale", [0.55, 0.9, 1.2])
def test_the_scale_of_one_person_is_found_from_all_frames(
    body: FreeBody, fitter: BodyFitter, scale: float
) -> None:
    truth = random_poses(12)
    seen = observe(body, replace(truth, shapes=np.full((12, 1), scale)))
    shape = fitter.shared_shape(seen, CAMERA)
    assert shape.shape == (1,)
    assert shape[0] == pytest.approx(scale, rel=0.02)  # the prior's bias


def test_a_given_shape_is_kept(body: FreeBody, fitter: BodyFitter) -> None:
    poses = fitter.solve(observe(body, random_poses(3)), CAMERA, np.array([0.77]))
    assert poses.shapes.tolist() == [[0.77]] * 3


def test_legs_that_nobody_saw_stay_near_rest(body: FreeBody, fitter: BodyFitter) -> None:
    (seen,) = observe(body, make_poses(1))
    points = seen.landmarks_m.copy()
    points[LEGS] += [0.0, -0.6, -0.5]
    visibility = np.where(np.isin(np.arange(33), LEGS), 0.0, 1.0)
    raised = replace(seen, landmarks_m=points)
    unseen = replace(raised, landmark_confidence=visibility)
    legs = [FREE_JOINTS.index(f"{bone}.L") for bone in ("upperleg01", "lowerleg01")]

    def turns_rad(one: Observation) -> FloatArray:
        vectors = vector_from_rotation(fitter.solve([one], CAMERA).rotations[0, legs])
        return np.asarray(np.linalg.norm(vectors, axis=1))

    assert turns_rad(raised).max() > 0.5
    assert turns_rad(unseen).max() < 0.1


def test_a_person_cut_at_the_waist_keeps_arms_and_head(body: FreeBody, fitter: BodyFitter) -> None:
    truth = make_poses(1, upperarm01_L=(0.0, -1.0, 0.0))
    (seen,) = observe(body, truth)
    pixels, points = seen.landmarks_px.copy(), seen.landmarks_m.copy()
    pixels[LEGS] = [640.0, 700.0]  # the net piles up at the border what it cannot see
    points[LEGS] *= 0.3
    visibility = np.where(np.isin(np.arange(33), LEGS), 0.01, 1.0)
    cut = replace(seen, landmarks_px=pixels, landmarks_m=points, landmark_confidence=visibility)
    poses = fitter.solve([cut], CAMERA, np.array([0.9]))
    for name in ("head", "left_shoulder", "left_elbow", "left_wrist", "right_wrist"):
        off = np.linalg.norm(joint(body, poses, name) - joint(body, truth, name))
        assert off < 0.06, name  # of 4 m away; mostly depth


def test_one_wild_landmark_does_not_pull_the_body(body: FreeBody, fitter: BodyFitter) -> None:
    truth = make_poses(1)
    (seen,) = observe(body, truth)
    wrist = BLAZEPOSE33.index("left_wrist")
    points, pixels = seen.landmarks_m.copy(), seen.landmarks_px.copy()
    points[wrist] += [0.8, -0.8, 0.5]
    pixels[wrist] += [300, -300]
    wild = replace(seen, landmarks_m=points, landmarks_px=pixels)
    clean, spoilt = (fitter.solve([one], CAMERA, np.array([0.9])) for one in (seen, wild))
    moved = joint_errors_mm(body, spoilt, clean)[0]
    arm = [SMPL24.index(f"left_{name}") for name in ("shoulder", "elbow", "wrist", "hand")]
    assert np.delete(moved, arm).max() < 25
    assert moved[arm].max() < 150  # of the 1.2 m by which the landmark is off


def test_a_batch_gives_what_each_gives_alone(body: FreeBody, fitter: BodyFitter) -> None:
    seen = observe(body, random_poses(70))
    together = fitter.solve(seen, CAMERA)
    for place in (0, 1, 63, 64, 69):
        alone = fitter.solve(seen[place : place + 1], CAMERA)
        # rounding differs with the size of the matrix products
        assert np.allclose(together.rotations[place], alone.rotations[0], atol=1e-9)
        assert np.allclose(together.translations_m[place], alone.translations_m[0], atol=1e-9)


def test_nobody_gives_an_empty_batch(fitter: BodyFitter) -> None:
    poses = fitter.solve([], CAMERA)
    assert len(poses) == 0
    assert poses.rotations.shape == (0, 20, 3, 3)
    assert poses.shapes.shape == (0, 1)


def test_a_shape_of_nobody_is_refused(fitter: BodyFitter) -> None:
    with pytest.raises(ValueError, match="at least one, got none"):
        fitter.shared_shape([], CAMERA)


@pytest.mark.parametrize("field", ["landmarks_px", "landmarks_m", "landmark_confidence"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_landmark_that_is_no_number_is_named(
    body: FreeBody, fitter: BodyFitter, field: str, value: float
) -> None:
    seen = observe(body, make_poses(2))
    broken = getattr(seen[1], field).copy()
    broken[13] = value
    seen[1] = replace(seen[1], **{field: broken})
    with pytest.raises(ValueError, match=rf"{field}: .*{value}.*left_elbow of observation 1"):
        fitter.solve(seen, CAMERA)


def test_landmarks_of_another_set_are_refused(body: FreeBody, fitter: BodyFitter) -> None:
    (seen,) = observe(body, make_poses(1))
    short = replace(
        seen,
        landmarks_px=seen.landmarks_px[:17],
        landmarks_m=seen.landmarks_m[:17],
        landmark_confidence=seen.landmark_confidence[:17],
    )
    with pytest.raises(ValueError, match=r"landmarks_m: expected \(33, 3\), got \(17, 3\)"):
        fitter.solve([short], CAMERA)


@pytest.mark.parametrize("shape", [[0.0], [-1.0], [np.nan], [5.0], [0.9, 0.9]])
def test_an_impossible_shape_is_refused(
    body: FreeBody, fitter: BodyFitter, shape: list[float]
) -> None:
    with pytest.raises(ValueError, match="shape: expected"):
        fitter.solve(observe(body, make_poses(1)), CAMERA, np.array(shape))


def bad_observation(kind: str, seen: Observation) -> Observation:
    random = np.random.default_rng(3)
    match kind:
        case "nothing visible":
            return replace(seen, landmark_confidence=np.zeros(33))
        case "all points equal":
            return replace(
                seen, landmarks_m=np.zeros((33, 3)), landmarks_px=np.full((33, 2), 300.0)
            )
        case "noise":
            return replace(
                seen,
                landmarks_m=random.normal(size=(33, 3)),
                landmarks_px=random.uniform(0, 700, (33, 2)),
            )
        case "upside down in the picture only":
            return replace(seen, landmarks_px=720 - seen.landmarks_px)
        case "far outside":
            return replace(seen, landmarks_px=seen.landmarks_px + 1e6)
        case _:
            return replace(
                seen, landmarks_px=(seen.landmarks_px - 640) * 50, landmark_confidence=np.ones(33)
            )


@pytest.mark.parametrize(
    "kind",
    [
        "nothing visible", "all points equal", "noise", "upside down in the picture only",
        "far outside", "closer than close",
    ],
)  # fmt: skip
def test_bad_evidence_gives_a_finite_body_before_the_camera(
    body: FreeBody, fitter: BodyFitter, kind: str
) -> None:
    seen = bad_observation(kind, observe(body, make_poses(1))[0])
    poses = fitter.solve([seen], CAMERA)
    assert np.isfinite(poses.rotations).all()
    assert np.allclose(np.linalg.det(poses.rotations), 1)
    assert np.isfinite(poses.translations_m).all()
    assert poses.translations_m[0, 2] > 0.1
    assert 0.3 <= poses.shapes[0, 0] <= 1.6
