"""The free body as 20 rigid segments: each free joint and all bones that follow it unturned.

Linear blend skinning makes every point of the body linear in the bones' turns, and a bone that is
not free turns with its segment. So a point is, at scale s and with the root at t,

    X = t + s * sum over segments f of D_f g_f

with D_f the segment's turn into camera axes and g_f a constant of the point, its *lever* on f. The
joints' pivots are inside the levers: no joint position is needed to place a point.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray, IntArray

FREE_JOINTS = (
    "root", "spine04", "spine02", "spine01", "neck01", "head",
    "clavicle.L", "clavicle.R", "upperarm01.L", "upperarm01.R",
    "lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R",
    "upperleg01.L", "upperleg01.R", "lowerleg01.L", "lowerleg01.R", "foot.L", "foot.R",
)  # fmt: skip
"""Bones of the free body that are turned, the root first; the others keep their rest turn."""


@dataclass(frozen=True)
class Segments:
    """How the free joints hang together, and which bones follow each of them.

    `parents`: (20,) places in `FREE_JOINTS`, -1 for the root. `heads_m`: (20, 3) rest pivots.
    `of_bone`: (bones,) the segment that each bone belongs to. `below`: (20, 20), 1 where the
    column's segment is the row's or hangs below it.
    """

    parents: tuple[int, ...]
    heads_m: FloatArray
    of_bone: IntArray
    below: FloatArray

    @classmethod
    def of(cls, body: AnnyBody) -> Self:
        """Raises `ValueError` if `body` lacks one of `FREE_JOINTS`."""
        names = tuple(body.bone_names)
        missing = [name for name in FREE_JOINTS if name not in names]
        if missing:
            raise ValueError(f"bone_names: the free joints {', '.join(missing)} are not there")
        bones = [names.index(name) for name in FREE_JOINTS]
        of_bone = np.zeros(len(names), np.int64)
        for bone, parent in enumerate(body.bone_parents):
            of_bone[bone] = bones.index(bone) if bone in bones else of_bone[parent]
        parents = tuple(
            -1 if body.bone_parents[bone] < 0 else int(of_bone[body.bone_parents[bone]])
            for bone in bones
        )
        below = np.eye(len(bones))
        for child in reversed(range(1, len(bones))):
            below[parents[child]] += below[child]
        return cls(parents, np.asarray(body.bone_heads_m, np.float64)[bones], of_bone, below)

    def turns(self, rotations: FloatArray) -> FloatArray:
        """(n, 20, 3, 3) local rotations about rest axes to (n, 20, 3, 3) turns, camera axes."""
        turns = np.empty_like(rotations)
        turns[:, 0] = rotations[:, 0]
        for joint, parent in enumerate(self.parents[1:], start=1):
            np.matmul(turns[:, parent], rotations[:, joint], out=turns[:, joint])
        return turns

    def levers(self, moment_m: FloatArray, mass: FloatArray) -> FloatArray:
        """(points, 20, 3) levers, metres, of points that are carried by the bones.

        `moment_m`: (points, bones, 3) and `mass`: (points, bones), the sums of weight times rest
        position and of weight over what the bone carries of the point; a point's masses sum to 1.
        """
        onto = np.eye(len(FREE_JOINTS))[self.of_bone]
        carried = mass @ onto
        levers: FloatArray = np.einsum("kbx,bf->kfx", moment_m, onto)
        levers -= carried[:, :, None] * self.heads_m
        hanging = carried @ self.below.T
        for joint, parent in enumerate(self.parents[1:], start=1):
            offset = self.heads_m[joint] - self.heads_m[parent]
            levers[:, parent] += hanging[:, joint, None] * offset
        return levers


def place(levers: FloatArray, turns: FloatArray) -> FloatArray:
    """(n, points, 3) positions at scale 1 with the root at the origin, in the turns' axes."""
    count = len(turns)
    rows = turns.swapaxes(1, 2).reshape(count, 3, -1)
    return (rows @ levers.reshape(len(levers), -1).T).swapaxes(1, 2)
