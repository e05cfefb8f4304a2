"""The free body: bone rotations in, bone heads, surface, keypoints and joints out.

The data file `data/anny_body.npz` was made by `scripts/export_body.py`; `data/LICENSE.md` says
from what. Nothing but NumPy is needed here.

Frames: the rest pose has x to the body's left, y to its back, z up, in metres, with the head of
the root bone at the origin. Bone rotations turn about these rest axes, in the parent's frame, so
all identities give the rest pose. Posed bodies are in whatever frame the root was placed in.

Kinematics (D turn, p head, h rest head, s scale):
`D_j = D_parent R_j`, `p_j = p_parent + D_parent s (h_j - h_parent)`, and a point v that bones hold
with weights w_j lies at `sum_j w_j (D_j s (v - h_j) + p_j)` (linear blend skinning).
"""

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import expect_shape

Floats = NDArray[np.floating[Any]]
Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

DATA_FILE = Path(__file__).parent / "data" / "anny_body.npz"

SEAM_M = 2e-5
"""Vertices nearer to the mirror plane lie on it; the left half and these come first."""

# The bone whose head stands for each of SMPL's 24 joints, in SMPL's order. Alike in place, not
# identical: SMPL regresses its joints from the surface.
SMPL24_BONES = (
    *("root", "upperleg01.L", "upperleg01.R", "spine04", "lowerleg01.L", "lowerleg01.R"),
    *("spine03", "foot.L", "foot.R", "spine01", "toe3-1.L", "toe3-1.R"),
    *("neck01", "clavicle.L", "clavicle.R", "head", "upperarm01.L", "upperarm01.R"),
    *("lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R", "finger3-1.L", "finger3-1.R"),
)


@dataclass(frozen=True, eq=False)
class AnnyBody:
    """One body in its rest pose, with V vertices, F triangles, B bones and K keypoints."""

    rest_vertices_m: Float32s  # (V, 3)
    faces: NDArray[np.int32]  # (F, 3) vertex numbers, anticlockwise seen from outside
    bone_names: tuple[str, ...]  # B, parents before children, ".L" and ".R" are the body's sides
    bone_parents: NDArray[np.int64]  # (B,) -1 for the root, which comes first
    bone_heads_m: Float64s  # (B, 3) at rest
    bone_weights: Float32s  # (B, V) skinning weights, every vertex' add up to 1
    keypoint_names: tuple[str, ...]  # K
    keypoint_moment_m: Float64s  # (K, B, 3) sum over the full surface of r_kv w_vj v
    keypoint_mass: Float64s  # (K, B) sum over the full surface of r_kv w_vj

    def __post_init__(self) -> None:
        vertices, bones, points = self.vertex_count, len(self.bone_names), len(self.keypoint_names)
        expect_shape("rest_vertices_m", self.rest_vertices_m, (vertices, 3))
        expect_shape("faces", self.faces, ("faces", 3))
        expect_shape("bone_parents", self.bone_parents, (bones,))
        expect_shape("bone_heads_m", self.bone_heads_m, (bones, 3))
        expect_shape("bone_weights", self.bone_weights, (bones, vertices))
        expect_shape("keypoint_moment_m", self.keypoint_moment_m, (points, bones, 3))
        expect_shape("keypoint_mass", self.keypoint_mass, (points, bones))
        if self.faces.min() < 0 or self.faces.max() >= vertices:
            raise ValueError(f"faces: expected vertex numbers below {vertices}")
        if self.bone_parents[0] != -1 or np.any(self.bone_parents >= np.arange(bones)):
            raise ValueError("bone_parents: expected the root first and parents before children")
        if missing := set(SMPL24_BONES) - set(self.bone_names):
            raise ValueError(f"bone_names: {', '.join(sorted(missing))} missing")

    @classmethod
    def load(cls, path: Path | None = None) -> "AnnyBody":
        """Read a body file, by default the one that comes with the service.

        Raises `ValueError` if the file is missing, damaged or something else.
        """
        path = path or DATA_FILE
        remedy = "Restore it from the repository or make it again: python scripts/export_body.py"
        if not zipfile.is_zipfile(path):
            came = "a file of another kind" if path.exists() else "nothing"
            raise ValueError(f"{path}: expected the body's .npz file, found {came}. {remedy}")
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls._from_arrays(dict(file))
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: expected the body's arrays, but they do not read ({error}). {remedy}"
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "AnnyBody":
        bone_names = tuple(arrays["bone_names"].tolist())
        holders, weights = arrays["weight_bones"].astype(np.int64), arrays["weights"]
        expect_shape("weights", weights, holders.shape)
        if holders.max() >= len(bone_names) or not np.allclose(weights.sum(axis=1), 1, atol=1e-4):
            raise ValueError(f"weights: expected sums of 1 over bones below {len(bone_names)}")
        dense = np.zeros((len(bone_names), len(holders)), np.float32)
        np.put_along_axis(dense, holders.T, weights.T.astype(np.float32), axis=0)
        return cls(
            rest_vertices_m=arrays["rest_vertices_m"].astype(np.float32),
            faces=arrays["faces"].astype(np.int32),
            bone_names=bone_names,
            bone_parents=arrays["bone_parents"].astype(np.int64),
            bone_heads_m=arrays["bone_heads_m"].astype(np.float64),
            bone_weights=dense,
            keypoint_names=tuple(arrays["keypoint_names"].tolist()),
            keypoint_moment_m=arrays["keypoint_moment_m"].astype(np.float64),
            keypoint_mass=arrays["keypoint_mass"].astype(np.float64),
        )

    @property
    def vertex_count(self) -> int:
        """How many vertices the surface has."""
        return len(self.rest_vertices_m)

    def world(
        self, rotations: Floats, translations_m: Floats, scales: Floats
    ) -> tuple[Float64s, Float64s]:
        """Pose n skeletons.

        rotations (n, B, 3, 3): each bone's own turn; translations_m (n, 3): where the root's head
        goes; scales (n,): body sizes. Returns the bones' turns (n, B, 3, 3), rest to world, and
        their heads (n, B, 3), metres.
        """
        count, bones = len(rotations), len(self.bone_names)
        expect_shape("rotations", rotations, (count, bones, 3, 3))
        expect_shape("translations_m", translations_m, (count, 3))
        expect_shape("scales", scales, (count,))
        turns = np.empty((count, bones, 3, 3))
        heads = np.empty((count, bones, 3))
        turns[:, 0], heads[:, 0] = rotations[:, 0], translations_m
        for level in self._levels:
            parents = self.bone_parents[level]
            above = turns[:, parents]
            reach = scales[:, None, None] * (self.bone_heads_m[level] - self.bone_heads_m[parents])
            turns[:, level] = above @ rotations[:, level]
            heads[:, level] = heads[:, parents] + (above @ reach[..., None])[..., 0]
        return turns, heads

    def vertices(self, turns: Floats, heads_m: Floats, scales: Floats) -> Float32s:
        """(n, V, 3) the surfaces of n posed skeletons; arguments as `world` gives and takes them.

        Blends the bones' 3x4 matrices with one dense product per body: 0.25 ms on one core, less
        than gathering the few bones of each vertex costs.
        """
        linear, offset = self._motions(turns, heads_m, scales)
        matrices = np.concatenate([linear, offset[..., None]], axis=3).astype(np.float32)
        rows = matrices.reshape(len(matrices), matrices.shape[1], 12).transpose(0, 2, 1)
        posed = np.empty((len(rows), self.vertex_count, 3), np.float32)
        for surface, row in zip(posed, rows, strict=True):
            blended = (row @ self.bone_weights).reshape(3, 4, -1)
            blended[:, :3] *= self.rest_vertices_m.T
            surface[:] = blended.sum(axis=1).T
        return posed

    def keypoints(self, turns: Floats, heads_m: Floats, scales: Floats) -> Float64s:
        """(n, K, 3) the keypoints of n posed skeletons, without touching a vertex.

        A keypoint is a weighted sum of skinned vertices, hence linear in the bones:
        `X_k = sum_j (D_j s c_kj + m_kj (p_j - D_j s h_j))`, c the moments and m the masses.
        """
        linear, offset = self._motions(turns, heads_m, scales)
        turned = np.tensordot(linear, self.keypoint_moment_m, axes=([1, 3], [1, 2]))
        points: Float64s = turned.transpose(0, 2, 1) + self.keypoint_mass @ offset
        return points

    def joints24(self, heads_m: Floats) -> Floats:
        """(n, 24, 3) joints in SMPL's order, from bone heads (n, B, 3)."""
        expect_shape("heads_m", heads_m, ("n", len(self.bone_names), 3))
        return heads_m[:, self._smpl24]

    def _motions(self, turns: Floats, heads_m: Floats, scales: Floats) -> tuple[Float64s, Float64s]:
        """Each bone's motion of the rest frame, x -> linear x + offset: (n, B, 3, 3), (n, B, 3)."""
        linear = np.asarray(turns, np.float64) * np.asarray(scales)[:, None, None, None]
        offset = heads_m - (linear @ self.bone_heads_m[:, :, None])[..., 0]
        return linear, offset

    @cached_property
    def _levels(self) -> tuple[NDArray[np.int64], ...]:
        """The bones below the root by depth, so that a whole depth is posed at once."""
        depth = np.zeros(len(self.bone_parents), np.int64)
        for bone, parent in enumerate(self.bone_parents[1:], start=1):
            depth[bone] = depth[parent] + 1
        return tuple(np.flatnonzero(depth == level) for level in range(1, depth.max() + 1))

    @cached_property
    def _smpl24(self) -> list[int]:
        return [self.bone_names.index(name) for name in SMPL24_BONES]
