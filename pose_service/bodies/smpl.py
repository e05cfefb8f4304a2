"""SMPL by its published formulas (Loper et al. 2015), in PyTorch; single precision always.

Template, shape and pose corrections are one sum, the joints come from the shaped template before
the pose corrections, and each vertex follows the turns of its bones by linear blend skinning:
`v' = sum_j w_j (G_j v + t_j - G_j J_j)`.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from pose_service.bodies.smpl_file import POSE_COUNT, SHAPE_COUNT, VERTEX_COUNT, SmplFile
from pose_service.bodies.smpl_joints import (
    BODY25_SOURCES,
    COCO17_FROM_HMR44,
    HMR44,
    REGRESSED_COUNT,
    SURFACE_VERTICES,
)
from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import BodyPoses, PosedBodies
from pose_service.core.skeletons import COCO17, SMPL24


class SmplSurface(NamedTuple):
    """n posed bodies in the frame of their root rotation, metres, translation not added."""

    vertices_m: Tensor
    """(n, 6890, 3)"""
    joints_m: Tensor
    """(n, 24, 3) in SMPL's order"""


class Smpl(nn.Module):
    """Rotations and shapes to surface and joints: tensors in, tensors out, on any device."""

    template: Tensor
    corrections: Tensor
    rest_joints: Tensor
    joint_shapes: Tensor
    skin_weights: Tensor
    extra_joints: Tensor
    surface_places: Tensor
    body25_places: Tensor

    def __init__(self, body: SmplFile, extra_joints: FloatArray) -> None:
        """`extra_joints`: (19, 6890), the weights of the vertices in HMR44's last 19 joints."""
        super().__init__()
        expect_shape("extra_joints", extra_joints, (REGRESSED_COUNT, VERTEX_COUNT))
        corrections = np.concatenate([body.shape_basis_m, body.pose_basis_m], axis=2)
        # regressing the template and each shape by itself gives the same sum as regressing the body
        regressor = body.joint_regressor.astype(np.float64)
        joint_shapes = np.tensordot(regressor, body.shape_basis_m, axes=1)
        self._keep("template", body.template_m)
        self._keep("corrections", corrections.reshape(-1, SHAPE_COUNT + POSE_COUNT).T)
        self._keep("rest_joints", regressor @ body.template_m)
        self._keep("joint_shapes", joint_shapes.reshape(-1, SHAPE_COUNT).T)
        self._keep("skin_weights", body.skin_weights)
        self._keep("extra_joints", extra_joints)
        self.register_buffer("surface_places", torch.tensor(SURFACE_VERTICES), persistent=False)
        self.register_buffer("body25_places", torch.tensor(BODY25_SOURCES), persistent=False)

    def _keep(self, name: str, array: FloatArray) -> None:
        values = torch.from_numpy(np.array(array, np.float32, order="C"))
        self.register_buffer(name, values, persistent=False)

    def forward(self, rotations: Tensor, shapes: Tensor) -> SmplSurface:
        """`rotations`: (n, 24, 3, 3) local joint rotations, the root's first; `shapes`: (n, 10)."""
        with torch.autocast(rotations.device.type, enabled=False):
            return self._pose(rotations.float(), shapes.float())

    def joints44(self, surface: SmplSurface) -> Tensor:
        """(n, 44, 3) the joints of `HMR44` on a posed surface."""
        on_surface = surface.vertices_m[:, self.surface_places]
        body25 = torch.cat([surface.joints_m, on_surface], 1)[:, self.body25_places]
        with torch.autocast(body25.device.type, enabled=False):
            return torch.cat([body25, self.extra_joints @ surface.vertices_m], 1)

    def _pose(self, rotations: Tensor, shapes: Tensor) -> SmplSurface:
        count = len(rotations)
        rest = self.rest_joints + (shapes @ self.joint_shapes).view(count, len(SMPL24), 3)
        turns, joints = _follow_tree(rotations, rest)
        bends = rotations[:, 1:] - torch.eye(3, device=rotations.device)
        weights = torch.cat([shapes, bends.reshape(count, POSE_COUNT)], 1)
        body = self.template + (weights @ self.corrections).view(count, VERTEX_COUNT, 3)
        shifts = joints - (turns @ rest[..., None])[..., 0]
        motions = torch.cat([turns, shifts[..., None]], 3).view(count, len(SMPL24), 12)
        blended = (self.skin_weights @ motions).view(count, VERTEX_COUNT, 3, 4)
        vertices = (blended[..., :3] * body[:, :, None]).sum(3) + blended[..., 3]
        return SmplSurface(vertices, joints)


def _follow_tree(rotations: Tensor, rest_joints: Tensor) -> tuple[Tensor, Tensor]:
    """Turns (n, 24, 3, 3) and places (n, 24, 3) of the joints, from the root outwards."""
    turns, places = [rotations[:, 0]], [rest_joints[:, 0]]
    for joint, parent in enumerate(SMPL24.parents[1:], start=1):
        reach = rest_joints[:, joint] - rest_joints[:, parent]
        places.append(places[parent] + (turns[parent] @ reach[..., None])[..., 0])
        turns.append(turns[parent] @ rotations[:, joint])
    return torch.stack(turns, 1), torch.stack(places, 1)


class SmplBody:
    """SMPL behind the seam. A `BodyModel` whose shape is ten numbers, 0 for the mean body."""

    name = "smpl"
    vertex_count = VERTEX_COUNT
    rotation_names: tuple[str, ...] = SMPL24.joints

    def __init__(self, body: SmplFile, extra_joints: FloatArray, device: str = "cpu") -> None:
        self.net = Smpl(body, extra_joints).to(device).eval()
        self.faces: IntArray = body.faces
        self._device = device

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        """Camera axes, metres, translation not added; all float32.

        Joint sets: `hmr44` (n, 44, 3) and, taken from it, `coco17` (n, 17, 3). `vertices_m` is
        (n, 6890, 3), or None without `vertices`.
        """
        count = len(poses)
        expect_shape("rotations", poses.rotations, (count, len(SMPL24), 3, 3))
        expect_shape("shapes", poses.shapes, (count, SHAPE_COUNT))
        with torch.inference_mode():
            surface = self.net(self._tensor(poses.rotations), self._tensor(poses.shapes))
            joints44 = self.net.joints44(surface).cpu().numpy()
        sets = {HMR44.name: joints44, COCO17.name: joints44[:, list(COCO17_FROM_HMR44)]}
        return PosedBodies(
            surface.joints_m.cpu().numpy(),
            sets,
            surface.vertices_m.cpu().numpy() if vertices else None,
        )

    def _tensor(self, array: FloatArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self._device)
