"""SMPL's T-pose as a `RestMesh`: on the floor, as tall as it is or as wished."""

import numpy as np

from pose_service.avatar.records import RestMesh
from pose_service.bodies.smpl_rest import SmplRest
from pose_service.core.arrays import FloatArray


def rest_mesh(
    body: SmplRest, betas: FloatArray, height_cm: float | None = None
) -> tuple[RestMesh, float]:
    """The T-pose on the floor, `height_cm` tall if given, and what it was multiplied by for it."""
    vertices_m, joints_m = body.vertices(betas), body.joints(betas)
    floor_m, top_m = vertices_m[:, 1].min(), vertices_m[:, 1].max()
    scale = 1.0 if height_cm is None else height_cm / (100 * float(top_m - floor_m))
    floor = np.array([0.0, floor_m, 0.0])
    return RestMesh(scale * (vertices_m - floor), body.faces, scale * (joints_m - floor)), scale
