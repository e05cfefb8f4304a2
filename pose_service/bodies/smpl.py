"""SMPL by its published formulas (Loper et al. 2015), in PyTorch; single precision always.

Template, shape and pose corrections are one sum, the joints come from the shaped template before
the pose corrections, and each vertex follows the turns of its bones by linear blend skinning:
`v' = sum_j w_j (G_j v + t_j - G_j J_j)`.

That is linear in `v`, so a mean of vertices needs no vertices: the joints that HMR 2.0 takes from
the surface are summed up once, bone by bone, when the body is read.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.bodies.smpl_file import POSE_COUNT, SHAPE_COUNT, VERTEX_COUNT, SmplFile
from pose_service.bodies.smpl_joints import (
    BODY25_SOURCES,
    COCO17_FROM_HMR44,
    REGRESSED_COUNT,
    SURFACE_VERTICES,
)
from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import BodyPoses, PosedBodies
from pose_service.core.rig import Rig
from pose_service.core.skeletons import COCO17, HMR44, SMPL24

_JOINTS = len(SMPL24)
_SURFACE_JOINTS = len(SURFACE_VERTICES) + REGRESSED_COUNT


class SmplBodies(NamedTuple):
    """n posed bodies in the frame of their root rotation, metres, translation not added."""

    joints_m: Tensor
    """(n, 24, 3) in SMPL's order"""
    joints44_m: Tensor
    """(n, 44, 3) the joints of `HMR44`"""
    vertices_m: Tensor | None
    """(n, 6890, 3), or None where they were not asked for"""


class Smpl(nn.Module):
    """Rotations and shapes to surface and joints: tensors in, tensors out, on any device."""

    rest_joints: Tensor
    joint_shapes: Tensor
    template: Tensor
    corrections: Tensor
    skin_weights: Tensor
    levers: Tensor
    lever_corrections: Tensor
    parents: Tensor
    joints44_places: Tensor

    def __init__(self, body: SmplFile, extra_joints: FloatArray) -> None:
        """`extra_joints`: (19, 6890), the weights of the vertices in HMR44's last 19 joints."""
        super().__init__()
        expect_shape("extra_joints", extra_joints, (REGRESSED_COUNT, VERTEX_COUNT))
        corrections = np.concatenate([body.shape_basis_m, body.pose_basis_m], axis=2)
        # regressing the template and each shape by itself gives the same sum as regressing the body
        regressor = body.joint_regressor.astype(np.float64)
        joint_shapes = np.tensordot(regressor, body.shape_basis_m, axes=1)
        levers, lever_corrections = _levers(body, extra_joints, corrections)
        places = *BODY25_SOURCES, *range(_JOINTS + len(SURFACE_VERTICES), _JOINTS + _SURFACE_JOINTS)
        self._keep("rest_joints", regressor @ body.template_m)
        self._keep("joint_shapes", joint_shapes.reshape(-1, SHAPE_COUNT).T)
        # one coordinate of all vertices after the other: each operation runs through them in a row
        self._keep("template", body.template_m.T.ravel())
        self._keep("corrections", corrections.transpose(2, 1, 0).reshape(len(corrections.T), -1))
        self._keep("skin_weights", body.skin_weights.T)
        self._keep("levers", levers)
        self._keep("lever_corrections", lever_corrections)
        self.register_buffer("parents", torch.tensor(SMPL24.parents[1:]), persistent=False)
        self.register_buffer("joints44_places", torch.tensor(places), persistent=False)

    def _keep(self, name: str, array: FloatArray) -> None:
        values = torch.from_numpy(np.array(array, np.float32, order="C"))
        self.register_buffer(name, values, persistent=False)

    def forward(self, rotations: Tensor, shapes: Tensor, *, vertices: bool = True) -> SmplBodies:
        """`rotations`: (n, 24, 3, 3) local joint rotations, the root's first; `shapes`: (n, 10).

        Joints are the same bits with and without `vertices`, and cost a tenth without.
        """
        with torch.autocast(rotations.device.type, enabled=False):
            return self._pose(rotations.float(), shapes.float(), vertices)

    def _pose(self, rotations: Tensor, shapes: Tensor, vertices: bool) -> SmplBodies:
        count = len(rotations)
        rest = torch.addmm(self.rest_joints.view(-1), shapes, self.joint_shapes)
        rest = rest.view(count, _JOINTS, 3)
        reaches = torch.cat([rest[:, :1], rest[:, 1:] - rest[:, self.parents]], 1)
        turns, joints = _follow_tree(rotations, reaches)
        shifts = joints - (turns @ rest[..., None])[..., 0]
        motions = torch.cat([turns, shifts[..., None]], 3)
        bends = rotations[:, 1:] - torch.eye(3, device=rotations.device)
        weights = torch.cat([shapes, bends.reshape(count, POSE_COUNT)], 1)
        on_surface = self._surface_joints(weights, motions)
        joints44 = torch.cat([joints, on_surface], 1)[:, self.joints44_places]
        return SmplBodies(joints, joints44, self._skinned(weights, motions) if vertices else None)

    def _surface_joints(self, weights: Tensor, motions: Tensor) -> Tensor:
        levers = torch.addmm(self.levers, weights, self.lever_corrections)
        by_bone = levers.view(-1, _SURFACE_JOINTS, _JOINTS * 4)
        return by_bone @ motions.transpose(2, 3).flatten(1, 2)

    def _skinned(self, weights: Tensor, motions: Tensor) -> Tensor:
        body = torch.addmm(self.template, weights, self.corrections).view(-1, 3, VERTEX_COUNT)
        by_vertex = motions.flatten(2).transpose(1, 2) @ self.skin_weights
        *turns, vertices = by_vertex.view(-1, 3, 4, VERTEX_COUNT).unbind(2)
        for axis, turn in enumerate(turns):
            vertices = torch.addcmul(vertices, turn, body[:, axis : axis + 1])
        return vertices.transpose(1, 2).contiguous()


def _levers(
    body: SmplFile, extra_joints: FloatArray, corrections: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """What each bone carries of each surface joint: (numbers,) and its corrections (217, numbers).

    The numbers are (30, 24, 4): with m the weight of a vertex in the joint and w that of the bone
    in the vertex, the sums of m w v and of m w; the latter is not corrected.
    """
    chosen = np.eye(VERTEX_COUNT)[list(SURFACE_VERTICES)]
    means = np.concatenate([chosen, extra_joints])
    shares = (means[:, None] * body.skin_weights.T).reshape(-1, VERTEX_COUNT)
    levers = shares @ np.column_stack([body.template_m, np.ones(VERTEX_COUNT)])
    corrected = shares @ corrections.reshape(VERTEX_COUNT, -1)
    padded = np.pad(corrected.reshape(len(shares), 3, -1), ((0, 0), (0, 1), (0, 0)))
    return levers.ravel(), padded.reshape(levers.size, -1).T


def _follow_tree(rotations: Tensor, reaches: Tensor) -> tuple[Tensor, Tensor]:
    """Turns (n, 24, 3, 3) and places (n, 24, 3) of the joints, from the root outwards.

    `reaches`: (n, 24, 3) from each joint's parent to it at rest.
    """
    steps = F.pad(torch.cat([rotations, reaches[..., None]], 3), (0, 0, 0, 1))
    steps[..., 3, 3] = 1
    worlds = [steps[:, 0]]
    for step, parent in zip(steps.unbind(1)[1:], SMPL24.parents[1:], strict=True):
        worlds.append(worlds[parent] @ step)
    moved = torch.stack(worlds, 1)
    return moved[..., :3, :3], moved[..., :3, 3]


class SmplBody:
    """SMPL behind the seam. A `BodyModel` whose shape is ten numbers, 0 for the mean body.

    Nothing is written after it is made: several threads may pose at once.
    """

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
        expect_shape("rotations", poses.rotations, (count, _JOINTS, 3, 3))
        expect_shape("shapes", poses.shapes, (count, SHAPE_COUNT))
        with torch.inference_mode():
            bodies: SmplBodies = self.net(
                self._tensor(poses.rotations), self._tensor(poses.shapes), vertices=vertices
            )
        joints44 = bodies.joints44_m.cpu().numpy()
        sets = {HMR44.name: joints44, COCO17.name: joints44[:, list(COCO17_FROM_HMR44)]}
        surface = bodies.vertices_m
        return PosedBodies(
            bodies.joints_m.cpu().numpy(), sets, None if surface is None else surface.cpu().numpy()
        )

    def rig(self, shape: FloatArray) -> Rig:
        """At rest with `shape` (10,). Without the pose corrections, which a skin cannot hold."""
        rest = BodyPoses(np.tile(np.eye(3), (1, _JOINTS, 1, 1)), np.zeros((1, 3)), shape[None])
        posed = self.pose(rest)
        return Rig(
            joint_names=SMPL24.joints,
            parents=SMPL24.parents,
            joints_m=posed.joints_m[0],
            vertices_m=np.asarray(posed.vertices_m)[0],
            faces=self.faces,
            weights=self.net.skin_weights.T.cpu().numpy(),
            rest_axes=np.eye(3),
            root_cam_m=posed.joints_m[0, 0],
        )

    def _tensor(self, array: FloatArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self._device)
