"""A body as animation programs know it: a skeleton at rest, and a skin that follows it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape


@dataclass(frozen=True, eq=False)
class Rig:
    """One body at rest: x to its left, y up, z to its front, metres.

    `joint_names`, `parents`: j, parents before children, -1 for the root, which comes first.
    `joints_m`: (j, 3). `vertices_m`: (v, 3), `faces`: (f, 3). `weights`: (v, j), how far each
    vertex follows each joint; a vertex' add up to 1. `rest_axes`: (3, 3) takes the axes about which
    `BodyPoses.rotations` turn to the rig's. `root_cam_m`: (3,) where the root joint lies with a
    translation of zero, camera axes.
    """

    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    joints_m: FloatArray
    vertices_m: FloatArray
    faces: IntArray
    weights: FloatArray
    rest_axes: FloatArray
    root_cam_m: FloatArray

    def __post_init__(self) -> None:
        joints, vertices = len(self.joint_names), len(self.vertices_m)
        expect_shape("joints_m", self.joints_m, (joints, 3))
        expect_shape("vertices_m", self.vertices_m, ("v", 3))
        expect_shape("faces", self.faces, ("f", 3))
        expect_shape("weights", self.weights, (vertices, joints))
        expect_shape("rest_axes", self.rest_axes, (3, 3))
        expect_shape("root_cam_m", self.root_cam_m, (3,))
        if len(self.parents) != joints:
            raise ValueError(f"parents: expected {joints}, got {len(self.parents)}")

    @property
    def offsets_m(self) -> FloatArray:
        """(j, 3) each joint's place from its parent's; the root's from the origin."""
        above = self.joints_m[np.maximum(self.parents, 0)]
        return np.where(np.array(self.parents)[:, None] < 0, self.joints_m, self.joints_m - above)


class Rigged(Protocol):
    """A body model that knows its rig."""

    def rig(self, shape: FloatArray) -> Rig:
        """At rest with this shape (shape parameters,), the joints those of `rotation_names`."""
        ...
