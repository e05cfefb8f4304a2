"""SMPL in its T-pose: shape numbers to surface and joints, in NumPy alone.

With the pose zeroed there are no pose corrections and no skinning to do, so the body is linear in
its ten numbers: `v = template + basis @ betas`, `J = regressor @ v` (Loper et al. 2015, eq. 8, 10).
"""

from dataclasses import dataclass

import numpy as np

from pose_service.bodies.smpl_file import SHAPE_COUNT, VERTEX_COUNT, SmplFile
from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.skeletons import SMPL24


@dataclass(frozen=True, eq=False)
class SmplRest:
    """One body file's T-pose: x to the body's left, y up, z forward, metres.

    `template_m`: (6890, 3). `basis_m`: (6890, 3, 10). `joints_m`: (24, 3) and `joints_basis_m`:
    (24, 3, 10), the joints of the template and what each number adds. `faces`: (13776, 3).
    """

    template_m: FloatArray
    basis_m: FloatArray
    joints_m: FloatArray
    joints_basis_m: FloatArray
    faces: IntArray

    def __post_init__(self) -> None:
        expect_shape("template_m", self.template_m, (VERTEX_COUNT, 3))
        expect_shape("basis_m", self.basis_m, (VERTEX_COUNT, 3, SHAPE_COUNT))
        expect_shape("joints_m", self.joints_m, (len(SMPL24), 3))
        expect_shape("joints_basis_m", self.joints_basis_m, (len(SMPL24), 3, SHAPE_COUNT))
        expect_shape("faces", self.faces, ("f", 3))

    @classmethod
    def of(cls, body: SmplFile) -> "SmplRest":
        """What is needed of `body`; its large tables of skin and pose are not kept."""
        regressor = body.joint_regressor.astype(np.float64)
        template_m = body.template_m.astype(np.float64)
        basis_m = body.shape_basis_m.astype(np.float64)
        joints_basis_m = np.tensordot(regressor, basis_m, axes=1)
        return cls(template_m, basis_m, regressor @ template_m, joints_basis_m, body.faces)

    def vertices(self, betas: FloatArray) -> FloatArray:
        """(6890, 3) the surface of the shape `betas` (10,)."""
        expect_shape("betas", betas, (SHAPE_COUNT,))
        surface: FloatArray = self.template_m + self.basis_m @ betas
        return surface

    def joints(self, betas: FloatArray) -> FloatArray:
        """(24, 3) the joints of the shape `betas` (10,), in SMPL's order."""
        expect_shape("betas", betas, (SHAPE_COUNT,))
        joints: FloatArray = self.joints_m + self.joints_basis_m @ betas
        return joints


@dataclass(frozen=True, eq=False)
class ShapeMap:
    """Ten numbers of one SMPL body to those of another that look most alike: `matrix @ b + shift`.

    The bodies of the three genders have the same triangles but other templates and other meanings
    of their numbers, and HMR 2.0's are those of the neutral body.
    """

    matrix: FloatArray
    shift: FloatArray

    def __post_init__(self) -> None:
        expect_shape("matrix", self.matrix, (SHAPE_COUNT, SHAPE_COUNT))
        expect_shape("shift", self.shift, (SHAPE_COUNT,))

    @classmethod
    def between(cls, source: SmplRest, target: SmplRest) -> "ShapeMap":
        """Least squares of the distance of all vertices in the T-pose, wherever the body stands.

        A vertex counts by the surface around it, lest the fine mesh of face and hands decide.
        """
        roots = np.sqrt(_areas(source.template_m, source.faces))[:, None, None]
        wanted = np.concatenate(
            [source.basis_m, (source.template_m - target.template_m)[..., None]], axis=2
        )
        free = np.concatenate([target.basis_m, np.tile(np.eye(3), (VERTEX_COUNT, 1, 1))], axis=2)
        columns = free.shape[2]
        solution, *_ = np.linalg.lstsq(
            (roots * free).reshape(-1, columns), (roots * wanted).reshape(-1, SHAPE_COUNT + 1)
        )
        return cls(solution[:SHAPE_COUNT, :SHAPE_COUNT], solution[:SHAPE_COUNT, SHAPE_COUNT])

    def betas(self, betas: FloatArray) -> FloatArray:
        """(10,) numbers of the target for `betas` (10,) of the source."""
        mapped: FloatArray = self.matrix @ betas + self.shift
        return mapped

    def covariance(self, covariance: FloatArray) -> FloatArray:
        """(10, 10) of the target's numbers."""
        mapped: FloatArray = self.matrix @ covariance @ self.matrix.T
        return mapped


def _areas(vertices_m: FloatArray, faces: IntArray) -> FloatArray:
    """(v,) square metres: a third of each triangle around a vertex."""
    a, b, c = (vertices_m[faces[:, corner]] for corner in range(3))
    of_faces = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    third = np.repeat(of_faces / 3, 3)
    around: FloatArray = np.bincount(faces.ravel(), third, len(vertices_m)).astype(np.float64)
    return around
