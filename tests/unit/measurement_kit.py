"""Figures of boxes, cylinders and balls whose measures are known, and the free body."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pose_service.bodies.anny import AnnyBody
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.skeletons import SMPL24
from pose_service.measurement.surface import ClosedFaces, RestBody

Array = NDArray[Any]
Mesh = tuple[Array, Array]  # vertices (v, 3), faces (f, 3)
SIDES = 48


def polygon_m(radius_m: float) -> float:
    """Once around the regular polygon that stands for a circle."""
    return 2 * SIDES * radius_m * float(np.sin(np.pi / SIDES))


def boxes(spans: Sequence[tuple[float, ...]]) -> Mesh:
    """The closed surface of a union of boxes (x0, x1, y0, y1, z0, z1), outward, welded."""
    ticks = [np.unique(np.array(spans)[:, 2 * axis : 2 * axis + 2]) for axis in range(3)]
    inside = np.zeros([len(tick) + 1 for tick in ticks], bool)
    for span in spans:
        ends = [np.searchsorted(ticks[axis], span[2 * axis : 2 * axis + 2]) for axis in range(3)]
        inside[tuple(slice(low + 1, high + 1) for low, high in ends)] = True
    corners: list[Array] = []
    for axis in range(3):
        step = np.diff(inside.astype(int), axis=axis)
        u, v = np.roll(np.eye(3, dtype=int), -axis, axis=0)[1:]
        for cell in np.argwhere(step):
            # between cell `cell` and the next along `axis`: ticks count from the padding's end
            base = cell - 1 + np.eye(3, dtype=int)[axis]
            quad = [base, base + u, base + u + v, base + v]
            corners.append(np.array(quad if step[tuple(cell)] < 0 else quad[::-1]))
    quads = np.array(corners)
    places, numbers = np.unique(quads.reshape(-1, 3), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1, 4)
    vertices = np.stack([ticks[axis][places[:, axis]] for axis in range(3)], axis=1)
    return vertices, np.concatenate([numbers[:, [0, 1, 2]], numbers[:, [0, 2, 3]]])


def lathe(profile: Sequence[tuple[float, float]]) -> Mesh:
    """Turned about the y axis, capped flat or pointed: rings of (height, radius), upwards."""
    turns = 2 * np.pi * np.arange(SIDES) / SIDES
    rings = [
        np.stack([r * np.sin(turns), np.full(SIDES, y), r * np.cos(turns)], axis=1)
        for y, r in profile
    ]
    ends = [[0.0, profile[0][0], 0.0], [0.0, profile[-1][0], 0.0]]
    vertices = np.concatenate([*rings, ends])
    here, after = np.arange(SIDES), (np.arange(SIDES) + 1) % SIDES
    faces = []
    for ring in range(len(profile) - 1):
        low, high = ring * SIDES, (ring + 1) * SIDES
        faces += [np.stack([low + here, low + after, high + after], axis=1)]
        faces += [np.stack([low + here, high + after, high + here], axis=1)]
    bottom, top = len(vertices) - 2, len(vertices) - 1
    last = (len(profile) - 1) * SIDES
    faces += [np.stack([after, here, np.full(SIDES, bottom)], axis=1)]
    faces += [np.stack([last + here, last + after, np.full(SIDES, top)], axis=1)]
    return vertices, np.concatenate(faces)


def rod(start: ArrayLike, end: ArrayLike, radius_m: float) -> Mesh:
    """A cylinder between two points."""
    axis = np.subtract(end, start)
    length = float(np.linalg.norm(axis))
    vertices, faces = lathe([(0.0, radius_m), (length, radius_m)])
    turn = np.cross([0, 1, 0], axis / length)
    sine = float(np.linalg.norm(turn))
    angle = float(np.arctan2(sine, axis[1] / length))
    if sine > 0:
        vertices = vertices @ rotation_from_vector(turn / sine * angle).T
    return np.add(vertices, start), faces


def ball(centre: ArrayLike, radius_m: float) -> Mesh:
    """A sphere of rings; its poles are the caps' middles."""
    slopes = np.linspace(-np.pi / 2, np.pi / 2, SIDES // 2 + 1)[1:-1]
    vertices, faces = lathe([(radius_m * np.sin(a), radius_m * np.cos(a)) for a in slopes])
    vertices[-2:, 1] = -radius_m, radius_m
    return np.add(vertices, centre), faces


def union(parts: Sequence[Mesh]) -> Mesh:
    """One surface of meshes that overlap (exact booleans of libigl through MeshLab)."""
    import pymeshlab

    meshes: Any = pymeshlab.MeshSet()
    for vertices, faces in parts:
        meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=vertices, face_matrix=faces))
        if meshes.mesh_number() > 1:
            meshes.generate_boolean_union(
                first_mesh=meshes.mesh_number() - 2, second_mesh=meshes.mesh_number() - 1
            )
    result = meshes.current_mesh()
    return result.vertex_matrix(), result.face_matrix()


def guides(**places: Sequence[float]) -> Array:
    """(24, 3) SMPL joints: those given, a `side_` joint mirrored to both sides, others at 0."""
    joints = np.zeros((24, 3))
    for name, (x, y, z) in places.items():
        joint = name.removeprefix("side_")
        if joint == name:
            joints[SMPL24.index(name)] = x, y, z
        else:
            joints[SMPL24.index(f"left_{joint}")] = x, y, z
            joints[SMPL24.index(f"right_{joint}")] = -x, y, z
    return joints


def body_of(mesh: Mesh, joints_m: Array) -> RestBody:
    return RestBody(mesh[0], ClosedFaces.of(mesh[1]), joints_m)


BOX_JOINTS = guides(
    pelvis=(0, 0.93, 0), neck=(0, 1.5, 0), head=(0, 1.65, 0), side_hip=(0.12, 0.9, 0),
    side_knee=(0.12, 0.45, 0), side_ankle=(0.12, 0.08, 0), side_shoulder=(0.19, 1.45, 0),
    side_elbow=(0.45, 1.45, 0), side_wrist=(0.7, 1.45, 0),
)  # fmt: skip
BOX_PARTS = (
    *((0.04, 0.2, 0, 0.8, -0.08, 0.08), (-0.2, -0.04, 0, 0.8, -0.08, 0.08)),  # legs
    (-0.2, 0.2, 0.8, 1.0, -0.12, 0.12),  # hips
    (-0.15, 0.15, 1.0, 1.2, -0.1, 0.1),  # waist
    (-0.18, 0.18, 1.2, 1.5, -0.11, 0.11),  # chest
    (-0.75, 0.75, 1.4, 1.5, -0.05, 0.05),  # arms
    (-0.06, 0.06, 1.5, 1.6, -0.06, 0.06),  # neck
    (-0.08, 0.08, 1.6, 1.82, -0.09, 0.09),  # head
)
BOX_CM = {
    "height": 182, "chest": 116, "waist": 100, "hip": 128, "inseam": 72, "shoulder_width": 38,
    "arm_length": 51, "thigh": 64, "neck": 48,
}  # fmt: skip


def box_figure(parts: Sequence[tuple[float, ...]] = BOX_PARTS) -> RestBody:
    """A T of boxes that measures BOX_CM."""
    return body_of(boxes(parts), BOX_JOINTS)


SHOULDER_M, ARM_M = 1.4, 0.55


def round_figure(droop_rad: float = 0.0, bumps: Sequence[Mesh] = ()) -> RestBody:
    """A lathe's trunk on slanting legs, arms that droop from level, a neck that leans forward.

    Known: chest and hip radius 0.16 and 0.165, waist 0.12, thigh 0.07, neck 0.05, crotch at 0.85.
    `bumps` are joined to the chest.
    """
    arm = np.array([np.cos(droop_rad), -np.sin(droop_rad), 0]) * ARM_M
    shoulder, hip, ankle = np.array([0.17, SHOULDER_M, 0]), (0.085, 0.95, 0), (0.14, 0.0, 0.01)
    neck, head = np.array([0, 1.48, 0.0]), np.array([0, 1.68, 0.06])
    trunk = lathe(
        [
            *((0.85, 0.05), (0.93, 0.165), (1.0, 0.165)),
            *((1.14, 0.12), (1.28, 0.16), (1.47, 0.16), (1.5, 0.05)),
        ]
    )
    mirror = np.array([-1, 1, 1])
    limbs = [
        rod(start * sign, end * sign, radius)
        for sign in (1, mirror)
        for start, end, radius in (
            (np.array(ankle), np.array(hip), 0.07),
            (shoulder - arm / 4, shoulder + arm, 0.04),
        )
    ]
    mesh = union(
        [trunk, *limbs, rod(neck - (head - neck) / 3, head, 0.05), ball(head, 0.12), *bumps]
    )
    joints = guides(
        pelvis=(0, 0.97, 0), neck=tuple(neck), head=tuple(head), side_hip=hip, side_ankle=ankle,
        side_knee=tuple((np.array(hip) + ankle) / 2), side_shoulder=tuple(shoulder),
        side_elbow=tuple(shoulder + arm / 2), side_wrist=tuple(shoulder + arm),
    )  # fmt: skip
    return body_of(mesh, joints)


def moved(body: RestBody, turn: Array, scale: float, shift_m: Array) -> RestBody:
    """Turned, scaled and shifted, and told where up is now."""
    vertices_m, joints_m = (
        scale * points @ turn.T + shift_m for points in (body.vertices_m, body.joints_m)
    )
    return replace(body, vertices_m=vertices_m, joints_m=joints_m, up=turn @ body.up)


def subdivided(mesh: Mesh) -> Mesh:
    """The same surface with four triangles for each."""
    vertices, faces = mesh
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
    ends, middle = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    a, b, c = faces.T
    ab, bc, ca = middle.reshape(-1, 3).T + len(vertices)
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    fine = np.concatenate([np.stack(part, axis=1) for part in parts])
    return np.concatenate([vertices, vertices[ends].mean(axis=1)]), fine


def free_body(height_m: float = 1.75) -> RestBody:
    """The free body at rest; z is up."""
    body = AnnyBody.load()
    vertices_m = body.rest_vertices_m.astype(np.float64)
    scale = height_m / float(np.ptp(vertices_m[:, 2]))
    return RestBody(
        scale * vertices_m,
        ClosedFaces.of(body.faces),
        scale * body.joints24(body.bone_heads_m[None])[0],
        np.array([0.0, 0.0, 1.0]),
    )
