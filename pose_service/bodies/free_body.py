"""The free body behind the seam: `BodyPoses` of 20 joints in, mesh and joint sets out."""

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.body_landmarks import landmark_masses
from pose_service.bodies.segments import FREE_JOINTS, Segments
from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import BodyPoses, PosedBodies
from pose_service.core.rig import Rig
from pose_service.core.skeletons import BLAZEPOSE33, COCO17, COCO17_FROM_BLAZEPOSE33

REST_AXES = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""(3, 3) the body file's x left, y back, z up to x left, y up, z front."""


class FreeBody:
    """A `BodyModel` over `AnnyBody`. Its shape is one number, the scale (1: about 1.8 m tall).

    `rotation_names` are the joints that `BodyPoses.rotations` turns; every other bone keeps its
    rest turn.
    """

    name = "anny"
    rotation_names: tuple[str, ...] = FREE_JOINTS

    def __init__(self, body: AnnyBody) -> None:
        self._body = body
        self.faces: IntArray = body.faces
        self.vertex_count = body.vertex_count
        self._turned = [body.bone_names.index(name) for name in FREE_JOINTS]
        self._of_keypoints, self._of_heads = landmark_masses(body)

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        """Camera axes, metres, the root bone's head at the origin.

        Joint sets: `blazepose33` (n, 33, 3), points on the skin and in the joints where the
        landmarks of that name are seen, and `coco17` (n, 17, 3), taken from it. `vertices_m` is
        (n, vertex_count, 3), or None without `vertices`.
        """
        count = len(poses)
        expect_shape("rotations", poses.rotations, (count, len(FREE_JOINTS), 3, 3))
        expect_shape("shapes", poses.shapes, (count, 1))
        scales = poses.shapes[:, 0]
        rotations = np.tile(np.eye(3), (count, len(self._body.bone_names), 1, 1))
        rotations[:, self._turned] = poses.rotations
        turns, heads_m = self._body.world(rotations, np.zeros((count, 3)), scales)
        landmarks_m = self._of_keypoints @ self._body.keypoints(turns, heads_m, scales)
        landmarks_m += self._of_heads @ heads_m
        return PosedBodies(
            self._body.joints24(heads_m),
            {
                BLAZEPOSE33.name: landmarks_m,
                COCO17.name: landmarks_m[:, list(COCO17_FROM_BLAZEPOSE33)],
            },
            self._body.vertices(turns, heads_m, scales) if vertices else None,
        )

    def rig(self, shape: FloatArray) -> Rig:
        """At rest with `shape`, the scale (1,). Exact: the free joints carry all other bones."""
        segments = Segments.of(self._body)
        onto = np.eye(len(FREE_JOINTS))[segments.of_bone]
        return Rig(
            joint_names=FREE_JOINTS,
            parents=segments.parents,
            joints_m=shape[0] * segments.heads_m @ REST_AXES.T,
            vertices_m=shape[0] * self._body.rest_vertices_m @ REST_AXES.T,
            faces=self.faces,
            weights=self._body.bone_weights.T @ onto,
            rest_axes=REST_AXES,
            root_cam_m=np.zeros(3),
        )
