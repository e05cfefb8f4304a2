"""A body at rest as mesh files: OBJ and GLB, metres, y up, the floor at y = 0."""

from collections.abc import Iterator

import numpy as np

from pose_service.avatar.records import RestMesh
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.export.glb_buffer import TRIANGLES, VERTICES, GlbBuffer
from pose_service.rendering.shading import vertex_normals

_NAME = "body"
# calm skin-like grey, matt, as a tailor's dummy
_SURFACE = {
    "baseColorFactor": [0.78, 0.72, 0.67, 1.0],
    "metallicFactor": 0.0,
    "roughnessFactor": 0.9,
}


def obj_file(mesh: RestMesh) -> Iterator[str]:
    """Lines of a Wavefront OBJ: places to the micrometre, one normal for each vertex.

    Vertices have their order in the mesh, and their numbers count from 1.
    """
    yield "# metres, y up, z to the body's front\n"
    yield f"o {_NAME}\n"
    yield from _rows("v {:.6f} {:.6f} {:.6f}\n", mesh.vertices_m)
    yield from _rows("vn {:.4f} {:.4f} {:.4f}\n", vertex_normals(mesh.vertices_m, mesh.faces))
    yield from _rows("f {0}//{0} {1}//{1} {2}//{2}\n", mesh.faces + 1)


def _rows(form: str, rows: FloatArray | IntArray) -> Iterator[str]:
    return (form.format(*row) for row in rows.tolist())


def glb_file(mesh: RestMesh) -> Iterator[bytes]:
    """Pieces of a binary glTF 2.0 file: one mesh, one node, no skin."""
    buffer = GlbBuffer()
    normals = vertex_normals(mesh.vertices_m, mesh.faces)
    attributes = {
        "POSITION": buffer.add(mesh.vertices_m.astype(np.float32), VERTICES, bounds=True),
        "NORMAL": buffer.add(normals.astype(np.float32), VERTICES),
    }
    indices = buffer.add(mesh.faces.astype(np.uint32).reshape(-1), TRIANGLES)
    primitive = {"attributes": attributes, "indices": indices, "material": 0}
    return buffer.file(
        {
            "asset": {"version": "2.0", "generator": "pose-service"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"name": _NAME, "mesh": 0}],
            "meshes": [{"name": _NAME, "primitives": [primitive]}],
            "materials": [{"name": _NAME, "pbrMetallicRoughness": _SURFACE}],
        }
    )
