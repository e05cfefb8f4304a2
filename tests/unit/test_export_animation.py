"""BVH and GLB: read back by other people's readers, and held against the body models themselves."""

import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from export_kit import FPS, frame_of, smpl_person, stored
from standin_smpl import standin_body, standin_extra_joints

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.free_body import FreeBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.bodies.smpl import SmplBody
from pose_service.bodies.smpl_file import SmplFile
from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.geometry import rotation_from_quaternion, rotation_from_vector
from pose_service.core.records import BodyPoses, Person, Provenance, TrackedFrame
from pose_service.core.rig import Rig
from pose_service.engines.seam import BodyModel
from pose_service.export.bvh import euler_zxy_deg
from pose_service.export.glb import JOINTS_PER_VERTEX, normals, strongest
from pose_service.export.posed import y_up
from pose_service.pipeline.exports import ClipExport, export
from pose_service.pipeline.results import StoredClip

FRAMES = 7
# BVH has six decimals of metres and degrees: 1e-6 rad over 2 m, through up to nine joints
BVH_LIMIT_M = 2e-5
# float32 quaternions, matrices and places 35 m away (one step: 4e-6 m), and stored poses
GLB_LIMIT_M = 3e-5
# so many vertices of the free body, at neck, hips and shoulders, follow five joints or six; the
# fifth and sixth, at most 0.08 of them, are left out
MANY_JOINTS = 183
CUT_LIMIT_M = 0.01


def _smpl(corrected: bool) -> SmplBody:
    """The stand-in with at most four joints to a vertex, as the official body has them."""
    arrays = standin_body()
    places, shares = strongest(arrays["weights"])
    weights = np.zeros_like(arrays["weights"])
    np.put_along_axis(weights, places.astype(np.int64), shares, axis=1)
    body = SmplFile(
        template_m=arrays["v_template"].astype(np.float32),
        shape_basis_m=arrays["shapedirs"].astype(np.float32),
        pose_basis_m=arrays["posedirs"].astype(np.float32) * corrected,
        joint_regressor=arrays["J_regressor"].astype(np.float32),
        skin_weights=weights.astype(np.float32),
        faces=arrays["f"].astype(np.int64),
        source=Path("stand-in"),
    )
    return SmplBody(body, standin_extra_joints())


@pytest.fixture(scope="module")
def smpl() -> SmplBody:
    return _smpl(corrected=False)


@pytest.fixture(scope="module")
def anny() -> FreeBody:
    return FreeBody(AnnyBody.load())


def anny_person(track_id: int, index: int) -> Person:
    turns = 0.4 * np.sin(np.arange(60) + track_id + index / 5).reshape(1, 20, 3)
    # upright before the camera: the body file's z is up, the camera's y down
    turns[0, 0] += [np.pi / 2, 0, 0]
    place = np.array([[0.2 * track_id + 0.01 * index, 0.1, 4.0]])
    pose = BodyPoses(rotation_from_vector(turns), place, np.array([[0.95]]))
    return replace(smpl_person(track_id, index), pose=pose)


def clip_of(folder: Path, frames: list[TrackedFrame], body: BodyModel) -> StoredClip:
    return stored(folder, frames, body.name)


def people(kind: str, track_id: int, index: int) -> Person:
    return (smpl_person if kind == "smpl" else anny_person)(track_id, index)


def two_tracks(kind: str) -> list[TrackedFrame]:
    """Track 1 in all frames, track 2 in frames 2 to 4."""
    return [
        frame_of(i, [people(kind, key, i) for key in (1, 2) if key == 1 or 2 <= i <= 4])
        for i in range(FRAMES)
    ]


def file_of(name: str, clip: StoredClip, body: BodyModel, track_id: int | None = None) -> bytes:
    return b"".join(export(name, ClipExport(clip, body, "a.mp4", f"a.{name}", track_id)))


@pytest.fixture(params=["smpl", "anny"])
def case(
    request: pytest.FixtureRequest, smpl: SmplBody, anny: FreeBody, tmp_path: Path
) -> tuple[StoredClip, Any]:
    body: Any = smpl if request.param == "smpl" else anny
    return clip_of(tmp_path, two_tracks(request.param), body), body


def wanted_joints_m(body: Any, person: Person) -> FloatArray:
    """(joints, 3) of the body model itself, y up; those that `rotations` turn."""
    if body.name == "smpl":
        joints_m: FloatArray = body.pose(person.pose).joints_m[0]
    else:
        turned = np.tile(np.eye(3), (1, len(body._body.bone_names), 1, 1))
        turned[:, body._turned] = person.pose.rotations
        scales = person.pose.shapes[:, 0]
        _, heads_m = body._body.world(turned, np.zeros((1, 3)), scales)
        joints_m = heads_m[0, body._turned]
    return y_up(joints_m + person.pose.translations_m[0])


# --- BVH


def read_bvh(data: bytes, path: Path) -> Any:
    """By bvhio, which also poses the skeleton."""
    with warnings.catch_warnings(action="ignore"):
        import bvhio
    path.write_bytes(data)
    return bvhio.readAsBvh(str(path)), bvhio.readAsHierarchy(str(path))


def test_a_bvh_skeleton_poses_to_the_bodys_own_joints(
    case: tuple[StoredClip, Any], tmp_path: Path
) -> None:
    clip, body = case
    plain, root = read_bvh(file_of("bvh", clip, body), tmp_path / "a.bvh")
    assert plain.FrameCount == FRAMES
    assert plain.FrameTime == pytest.approx(1 / FPS, abs=1e-8)
    for frame in clip.frames():
        root.loadPose(frame.index)
        found = {joint.Name: joint.PositionWorld for joint, _, _ in root.layout()}
        wanted = wanted_joints_m(body, frame.people[0])
        for name, place in zip(body.rotation_names, wanted, strict=True):
            np.testing.assert_allclose(np.array(found[name]), place, atol=BVH_LIMIT_M)


def test_a_bvh_file_of_another_track_has_its_frames_only(
    case: tuple[StoredClip, Any], tmp_path: Path
) -> None:
    clip, body = case
    plain, root = read_bvh(file_of("bvh", clip, body, track_id=2), tmp_path / "a.bvh")
    assert plain.FrameCount == 3
    root.loadPose(0)
    second = next(frame for frame in clip.frames() if frame.index == 2).people[1]
    place = np.array(root.PositionWorld)
    np.testing.assert_allclose(place, wanted_joints_m(body, second)[0], atol=BVH_LIMIT_M)


def test_a_bvh_file_stands_still_where_the_track_has_a_hole(smpl: SmplBody, tmp_path: Path) -> None:
    frames = [frame_of(i, [] if i == 1 else [smpl_person(1, i)]) for i in range(3)]
    clip = clip_of(tmp_path, frames, smpl)
    *_, first, hole, last = file_of("bvh", clip, smpl).decode().splitlines()
    assert first == hole != last


def turning_frames() -> list[TrackedFrame]:
    """Somebody who turns about the camera's axis, twice and more, half a radian a frame."""
    frames = []
    for index in range(30):
        person = smpl_person(1, index)
        rotations = person.pose.rotations.copy()
        rotations[0, 0] = rotation_from_vector(np.array([0, 0, 0.5 * index]))
        pose = BodyPoses(rotations, person.pose.translations_m, person.pose.shapes)
        frames.append(frame_of(index, [replace(person, pose=pose)]))
    return frames


def test_angles_of_a_bvh_file_never_jump(tmp_path: Path, smpl: SmplBody) -> None:
    clip = clip_of(tmp_path, turning_frames(), smpl)
    lines = file_of("bvh", clip, smpl).decode().splitlines()[-30:]
    about_z = np.array([float(line.split()[3]) for line in lines])
    assert np.abs(np.diff(about_z)).max() < 40
    assert np.ptp(about_z) > 700, "two whole turns and more"


def test_euler_angles_multiply_back_to_the_rotation() -> None:
    random = np.random.default_rng(3)
    rotations = rotation_from_vector(random.normal(size=(200, 3)) * 2)
    locked = rotation_from_vector(np.array([[np.pi / 2, 0, 0], [-np.pi / 2, 0, 0]]))
    about_z = rotation_from_vector(np.array([0, 0, 0.7]))
    rotations = np.concatenate([rotations, about_z @ locked])
    for rotation, turns_deg in zip(rotations, euler_zxy_deg(rotations), strict=True):
        z, x, y = np.radians(turns_deg)
        about = [[0, 0, z], [x, 0, 0], [0, y, 0]]
        rz, rx, ry = rotation_from_vector(np.array(about))
        # arcsin near a right angle halves the digits
        np.testing.assert_allclose(rz @ rx @ ry, rotation, atol=1e-7)


# --- GLB


class GlbReader:
    """A file as pygltflib reads it, skinned by the formulas of the specification."""

    def __init__(self, data: bytes) -> None:
        with warnings.catch_warnings(action="ignore"):
            from pygltflib import GLTF2
        self.gltf: Any = GLTF2().load_from_bytes(data)
        self.blob: bytes = self.gltf.binary_blob()
        self.animation: Any = self.gltf.animations[0]

    def array(self, number: int) -> FloatArray:
        accessor = self.gltf.accessors[number]
        view = self.gltf.bufferViews[accessor.bufferView]
        kind = {5126: np.float32, 5125: np.uint32, 5121: np.uint8}[accessor.componentType]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor.type]
        raw = self.blob[view.byteOffset : view.byteOffset + view.byteLength]
        rows = np.frombuffer(raw, kind).reshape(accessor.count, width)
        return rows.astype(np.float64)

    def worlds(self, time_s: float) -> list[FloatArray]:
        """(4, 4) of each node at a key of the animation."""
        local = [_matrix(node.translation, None, None) for node in self.gltf.nodes]
        moved: dict[int, dict[str, FloatArray]] = {}
        for channel in self.animation.channels:
            sampler = self.animation.samplers[channel.sampler]
            times = self.array(sampler.input)[:, 0]
            key = max(0, int(np.searchsorted(times, time_s + 1e-6) - 1))
            values = self.array(sampler.output)[key]
            moved.setdefault(channel.target.node, {})[channel.target.path] = values
        for node, parts in moved.items():
            translation = parts.get("translation", self.gltf.nodes[node].translation)
            local[node] = _matrix(translation, parts.get("rotation"), parts.get("scale"))
        worlds = list(local)
        for node in range(len(self.gltf.nodes)):
            above = self._parent(node)
            while above is not None:
                worlds[node] = local[above] @ worlds[node]
                above = self._parent(above)
        return worlds

    def _parent(self, child: int) -> int | None:
        nodes = enumerate(self.gltf.nodes)
        return next((i for i, node in nodes if child in (node.children or [])), None)

    def vertices(self, track: int, time_s: float) -> FloatArray:
        skin, primitive = self.gltf.skins[track], self.gltf.meshes[track].primitives[0]
        worlds = self.worlds(time_s)
        inverse = self.array(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
        motions = np.stack([worlds[joint] for joint in skin.joints]) @ inverse
        joints = self.array(primitive.attributes.JOINTS_0).astype(int)
        weights = self.array(primitive.attributes.WEIGHTS_0)
        blended = np.einsum("vk,vkij->vij", weights, motions[joints])
        rest = self.array(primitive.attributes.POSITION)
        homogeneous = np.column_stack([rest, np.ones(len(rest))])
        return np.einsum("vij,vj->vi", blended, homogeneous)[:, :3]


def _matrix(
    translation: Any, quaternion: FloatArray | None, scale: FloatArray | None
) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, 3] = 0 if translation is None else translation
    if quaternion is not None:
        matrix[:3, :3] = rotation_from_quaternion(np.roll(quaternion, 1))
    if scale is not None:
        matrix[:3, :3] = matrix[:3, :3] * scale
    return matrix


def wanted_vertices_m(body: BodyModel, person: Person) -> FloatArray:
    vertices_m = body.pose(person.pose).vertices_m
    assert vertices_m is not None
    return y_up(vertices_m[0] + person.pose.translations_m[0])


def test_a_skin_at_any_frame_is_the_body_models_own_surface(case: tuple[StoredClip, Any]) -> None:
    clip, body = case
    reader = GlbReader(file_of("glb", clip, body))
    frames = list(clip.frames())
    for index, track, place in ((0, 0, 0), (3, 0, 0), (6, 0, 0), (2, 1, 1), (4, 1, 1)):
        found = reader.vertices(track, frames[index].time_s)
        wanted = wanted_vertices_m(body, frames[index].people[place])
        distances = np.linalg.norm(found - wanted, axis=1)
        many = (body.rig(np.ones_like(frames[0].people[0].pose.shapes[0])).weights > 0).sum(1) > 4
        assert many.sum() == (0 if body.name == "smpl" else MANY_JOINTS)
        assert distances[~many].max() < GLB_LIMIT_M
        assert distances.max() < CUT_LIMIT_M


def test_without_its_pose_corrections_smpls_surface_is_off_by_no_more_than_they_are(
    tmp_path: Path,
) -> None:
    body = _smpl(corrected=True)
    clip = clip_of(tmp_path, two_tracks("smpl"), body)
    person = next(clip.frames()).people[0]
    found = GlbReader(file_of("glb", clip, body)).vertices(0, 0.0)
    distances = np.linalg.norm(found - wanted_vertices_m(body, person), axis=1)
    bends = (person.pose.rotations[0, 1:] - np.eye(3)).ravel()
    corrections_m = standin_body()["posedirs"] @ bends
    largest_m = np.linalg.norm(corrections_m, axis=1)
    assert distances.max() > 1e-4
    assert (distances <= largest_m + GLB_LIMIT_M).all()


def test_a_track_is_shown_from_its_first_frame_to_its_last(case: tuple[StoredClip, Any]) -> None:
    clip, body = case
    reader = GlbReader(file_of("glb", clip, body))
    heights = [np.ptp(reader.vertices(1, index / FPS)[:, 1]) for index in range(FRAMES)]
    assert [height > 1 for height in heights] == [False, False, True, True, True, False, False]
    assert max(heights[:2] + heights[5:]) == 0
    assert all(np.ptp(reader.vertices(0, index / FPS)[:, 1]) > 1 for index in range(FRAMES))


def test_quaternions_go_the_short_way_from_key_to_key(tmp_path: Path, smpl: SmplBody) -> None:
    clip = clip_of(tmp_path, turning_frames(), smpl)
    reader = GlbReader(file_of("glb", clip, smpl))
    for channel in reader.animation.channels:
        if channel.target.path == "rotation":
            turns = reader.array(reader.animation.samplers[channel.sampler].output)
            np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)
            assert (np.sum(turns[1:] * turns[:-1], axis=1) > 0).all()


def test_trimesh_opens_the_scene_with_all_bodies(case: tuple[StoredClip, Any]) -> None:
    clip, body = case
    scene: Any = trimesh.load(BytesIO(file_of("glb", clip, body)), file_type="glb")
    counts = [len(mesh.vertices) for mesh in scene.geometry.values()]
    assert counts == [body.vertex_count] * 2
    for mesh in scene.geometry.values():
        assert len(mesh.faces) == len(body.faces)
        assert 1.2 < np.ptp(mesh.vertices[:, 1]) < 2.2, "it stands upright at rest"


def test_normals_point_outwards(anny: FreeBody) -> None:
    rig = anny.rig(np.ones(1))
    outward = normals(rig)
    np.testing.assert_allclose(np.linalg.norm(outward, axis=1), 1)
    grown = rig.vertices_m + 0.001 * outward
    assert _volume(rig, grown) > _volume(rig, rig.vertices_m)


def _volume(rig: Rig, vertices_m: FloatArray) -> float:
    a, b, c = np.moveaxis(vertices_m[rig.faces], 1, 0)
    return float(np.sum(a * np.cross(b, c)) / 6)


def test_a_vertex_follows_the_joints_it_follows_most() -> None:
    weights = np.array([[0.1, 0.3, 0.05, 0.15, 0.4], [0, 0, 1, 0, 0]])
    joints, shares = strongest(weights)
    assert joints.shape == shares.shape == (2, JOINTS_PER_VERTEX)
    assert joints.tolist() == [[4, 1, 3, 0], [2, 0, 0, 0]]
    np.testing.assert_allclose(shares[0], np.array([0.4, 0.3, 0.15, 0.1]) / 0.95, rtol=1e-6)
    assert shares[1].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("name", ["bvh", "glb"])
def test_a_clip_of_nobody_cannot_be_animated(name: str, anny: FreeBody, tmp_path: Path) -> None:
    clip = clip_of(tmp_path, [frame_of(0, [])], anny)
    with pytest.raises(BadRequestError, match="nobody was found"):
        file_of(name, clip, anny)


@pytest.mark.parametrize("place_m", [[np.nan, 0, 4], [0, 0, -4.0]])
@pytest.mark.parametrize("name", ["npz", "csv", "trc", "mot", "bvh", "glb"])
def test_a_person_who_is_not_finite_or_behind_us_is_left_out_of_every_file(
    name: str, place_m: list[float], anny: FreeBody, tmp_path: Path
) -> None:
    broken = anny_person(2, 1)
    pose = BodyPoses(broken.pose.rotations, np.array([place_m]), broken.pose.shapes)
    people = [anny_person(1, 1), replace(broken, pose=pose, provenance=Provenance.PREDICTED)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    frames = [frame_of(0, [anny_person(1, 0)])]
    with_it = clip_of(tmp_path / "a", [*frames, frame_of(1, people)], anny)
    without = clip_of(tmp_path / "b", [*frames, frame_of(1, people[:1])], anny)
    first, second = (file_of(name, clip, anny) for clip in (with_it, without))
    if name == "npz":
        first, second = (_arrays(file) for file in (first, second))
    assert first == second


def _arrays(file: bytes) -> bytes:
    """Without the times that a zip archive tells."""
    with np.load(BytesIO(file)) as archive:
        return b"".join(archive[key].tobytes() for key in sorted(archive.files))


def test_joints_of_the_free_rig_are_its_free_joints(anny: FreeBody) -> None:
    rig = anny.rig(np.array([1.1]))
    assert rig.joint_names == FREE_JOINTS
    assert rig.joints_m[FREE_JOINTS.index("head"), 1] > rig.joints_m[0, 1], "y is up"
    left = FREE_JOINTS.index("wrist.L")
    assert rig.joints_m[left, 0] > 0, "x is left"
