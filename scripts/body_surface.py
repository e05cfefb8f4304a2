"""The skin of the full body, closed and thinned, for scripts/export_body.py.

The body is mirrored in x = 0, so one half is worked on and the other is its mirror image: the
result is symmetric to the last bit. Vertices on the mirror plane, the seam, belong to both halves.

Arrays: vertices_m (V, 3) metres; weights (V, B) per bone; faces (F, 3) vertex numbers,
anticlockwise seen from outside.
"""

from typing import Any

import numpy as np
import pymeshlab
from body_holes import boundary_loops, eye_patch, least_area_patch, mouth_arc
from body_source import Floats, FullBody, Ints
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

FACES = 13776  # SMPL's count; a closed surface without handles then has 6890 vertices
SEAM_M = 2e-5


def thin_skin(body: FullBody) -> tuple[Floats, Floats, Ints]:
    """The closed skin in FACES triangles: vertices_m, weights, faces."""
    vertices, weights, faces = closed_half(body)
    kept, faces = thin_half(vertices, faces, detail(body, vertices, weights), FACES // 2)
    vertices, weights = vertices[kept], weights[kept]
    paired, faces = mirror_half(on_seam(vertices), faces)
    swap = [body.bone_names.index(mirror_name(name)) for name in body.bone_names]
    return (
        np.concatenate([vertices, vertices[paired] * [-1, 1, 1]]),
        np.concatenate([weights, weights[paired][:, swap]]),
        faces,
    )


def mirror_name(name: str) -> str:
    """The bone on the other side; a bone in the middle is its own mirror image."""
    side = {".L": ".R", ".R": ".L"}.get(name[-2:])
    return name[:-2] + side if side else name


def on_seam(vertices_m: Floats) -> NDArray[np.bool_]:
    """(V,) which vertices lie on the mirror plane."""
    return np.asarray(np.abs(vertices_m[:, 0]) < SEAM_M)


def outer_faces(body: FullBody) -> Ints:
    """The largest connected part (not the eyes, not the tongue) without the cavity walls."""
    ends = np.concatenate([body.faces[:, :2], body.faces[:, 1:]])
    count = len(body.vertices_m)
    links = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    part = connected_components(links, directed=False)[1]
    skin = part == np.bincount(part).argmax()
    outer: Ints = body.faces[skin[body.faces[:, 0]] & ~body.inside[body.faces].all(axis=1)]
    return outer


def closed_half(body: FullBody) -> tuple[Floats, Floats, Ints]:
    """The body's left half (x > 0), closed but for the seam: vertices, weights, faces."""
    vertices = np.where(on_seam(body.vertices_m)[:, None], [0, 1, 1], 1) * body.vertices_m
    faces = outer_faces(body)
    faces = faces[vertices[faces][:, :, 0].max(axis=1) > 0]
    seam = on_seam(vertices)
    eye, seam_loop = sorted(boundary_loops(faces), key=len)
    eyeball = vertices[body.weights[:, body.bone_names.index("eye.L")] > 0.5]
    lid, lid_faces = eye_patch(vertices[eye], eyeball, eye, len(vertices))
    lips = least_area_patch(vertices, mouth_arc(seam_loop, seam))
    # The patch must not tear from the lids, so it follows their bones, not the eyeball's.
    lid_weights = np.tile(body.weights[eye].mean(axis=0), (len(lid), 1))
    return (
        np.concatenate([vertices, lid]),
        np.concatenate([body.weights, lid_weights]),
        np.concatenate([faces, lips, lid_faces]),
    )


def detail(body: FullBody, vertices_m: Floats, weights: Floats) -> Floats:
    """(V,) how dear an error is: fingers, toes and the face are small but looked at."""

    def share(*starts: str) -> Floats:
        held: Floats = weights[:, [name.startswith(starts) for name in body.bone_names]].sum(axis=1)
        return held

    def near(centre: Floats, radius_m: float) -> Floats:
        return np.asarray(np.exp(-(((vertices_m - centre) / radius_m) ** 2).sum(axis=1)))

    eye = body.bone_heads_m[body.bone_names.index("eye.L")]
    nose = eye * [0, 1, 1] - [0, 0, 0.04]
    limbs = 2 * share("metacarpal", "toe") + 5 * share("finger")
    return 1 + limbs + share("head") + 5 * near(nose, 0.07) + 15 * near(eye, 0.03)


def thin_half(vertices_m: Floats, faces: Ints, detail: Floats, count: int) -> tuple[Ints, Ints]:
    """Collapse edges of the half body until `count` faces are left.

    detail (V,): how much dearer an error is at this vertex. Vertices are dropped, never moved,
    so each that stays keeps its own skinning weights. Returns the numbers of those that stay,
    and the faces in the new numbering.
    """
    used, compact = np.unique(faces, return_inverse=True)
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(
        pymeshlab.Mesh(
            vertex_matrix=vertices_m[used],
            face_matrix=compact.reshape(faces.shape),
            v_scalar_array=detail[used],
        )
    )
    meshes.meshing_decimation_quadric_edge_collapse(
        targetfacenum=count,
        preserveboundary=True,
        boundaryweight=10,
        preservenormal=True,
        preservetopology=True,
        optimalplacement=False,
        qualityweight=True,
        qualitythr=0.3,
        autoclean=False,
    )
    thin = meshes.current_mesh()
    number = {point.tobytes(): index for point, index in zip(vertices_m[used], used, strict=True)}
    kept = np.array([number[point.tobytes()] for point in thin.vertex_matrix()], np.int64)
    return kept, thin.face_matrix().astype(np.int64)


def mirror_half(seam: NDArray[np.bool_], faces: Ints) -> tuple[Ints, Ints]:
    """Join a half body to its mirror image.

    seam (V,): the half's vertices on the plane. Returns the half's vertices that get a twin
    (the twins follow the half in this order) and the faces of the whole.
    """
    paired = np.flatnonzero(~seam)
    twin = np.arange(len(seam))
    twin[paired] = len(seam) + np.arange(len(paired))
    return paired, np.concatenate([faces, twin[faces][:, ::-1]])


def distances_mm(points_m: Floats, vertices_m: Floats, faces: NDArray[np.integer[Any]]) -> Floats:
    """(P,) how far each point lies from a surface, millimetres."""
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=vertices_m, face_matrix=faces))
    meshes.add_mesh(pymeshlab.Mesh(vertex_matrix=points_m))
    meshes.compute_scalar_by_distance_from_another_mesh_per_vertex(
        measuremesh=1, refmesh=0, signeddist=False
    )
    distances: Floats = meshes.mesh(1).vertex_scalar_array() * 1000
    return distances
