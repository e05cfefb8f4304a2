"""The free body's shapes: six numbers in, a body of the same kind out."""

from pathlib import Path

import numpy as np
import pytest

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.shapes import (
    ANCHORS,
    DATA_FILE,
    PHENOTYPES,
    BodyShapes,
    corner_shares,
    quadratic_terms,
)
from pose_service.core.arrays import FloatArray

BASE = np.array([0.5, 0.67, 0.55, 0.45, 0.5, 0.5])
"""The phenotype of anny_body.npz."""


@pytest.fixture(scope="module")
def shapes() -> BodyShapes:
    return BodyShapes.load()


def with_number(name: str, value: float) -> FloatArray:
    phenotypes = BASE.copy()
    phenotypes[PHENOTYPES.index(name)] = value
    return phenotypes


def stature_m(body: AnnyBody) -> float:
    return float(np.ptp(body.rest_vertices_m[:, 2]))


def test_the_body_files_own_phenotype_gives_its_own_body(shapes: BodyShapes) -> None:
    body = shapes.body(BASE)
    # what blending between corners costs: data/LICENSE.md has 1.0 mm mean, 5.1 mm at most
    off_mm = 1000 * np.linalg.norm(body.rest_vertices_m - shapes.base.rest_vertices_m, axis=1)
    assert off_mm.mean() < 2
    assert off_mm.max() < 6
    np.testing.assert_allclose(body.bone_heads_m, shapes.base.bone_heads_m, atol=0.006)
    np.testing.assert_allclose(body.keypoint_moment_m, shapes.base.keypoint_moment_m, atol=0.006)


def test_left_and_right_are_exact_mirror_images(shapes: BodyShapes) -> None:
    vertices = shapes.body(with_number("weight", 0.9)).rest_vertices_m
    mirrored = vertices * np.array([-1, 1, 1], np.float32)
    order, other = (np.lexsort(points.T) for points in (vertices, mirrored))
    np.testing.assert_array_equal(vertices[order], mirrored[other])


def test_each_number_blends_linearly_between_its_corners(shapes: BodyShapes) -> None:
    for name, anchors in ANCHORS.items():
        low, high = anchors[-2:]
        ends = [shapes.body(with_number(name, value)).rest_vertices_m for value in (low, high)]
        between = shapes.body(with_number(name, low + 0.25 * (high - low))).rest_vertices_m
        np.testing.assert_allclose(between, 0.75 * ends[0] + 0.25 * ends[1], atol=1e-5)


def test_numbers_do_what_their_names_say(shapes: BodyShapes) -> None:
    heights = [stature_m(shapes.body(with_number("height", value))) for value in (0.2, 0.5, 0.8)]
    assert np.all(np.diff(heights) > 0.2)
    ages = [stature_m(shapes.body(with_number("age", value))) for value in (0, 1 / 3, 2 / 3)]
    # the package's children of one and about ten years and its adult (STUDY: 0.67, 1.42, 1.84 m)
    np.testing.assert_allclose(ages, [0.67, 1.42, 1.84], atol=0.02)
    slight, heavy = (shapes.values_cm(with_number("weight", value))["waist"] for value in (0.2, 1))
    assert heavy > slight + 5


def test_scale_enlarges_all_of_the_body(shapes: BodyShapes) -> None:
    once, twice = shapes.body(BASE), shapes.body(BASE, 2.0)
    for name in ("rest_vertices_m", "bone_heads_m", "keypoint_moment_m"):
        np.testing.assert_allclose(getattr(twice, name), 2 * getattr(once, name), atol=1e-6)


def test_keypoints_follow_the_shape(shapes: BodyShapes) -> None:
    """A knee's keypoint lies about its bone's head whatever the shape: both come from one state."""
    for value in (0.2, 0.8):
        body = shapes.body(with_number("height", value))
        turns = np.tile(np.eye(3), (1, len(body.bone_names), 1, 1))
        keypoints = body.keypoints(turns, body.bone_heads_m[None], np.ones(1))[0]
        knee = keypoints[body.keypoint_names.index("left_knee")]
        head = body.bone_heads_m[body.bone_names.index("lowerleg01.L")]
        assert np.linalg.norm(knee - head) < 0.05 * stature_m(body)


def test_numbers_beyond_the_corners_count_as_the_nearest(shapes: BodyShapes) -> None:
    inside, beyond = (shapes.body(with_number("muscle", value)) for value in (1.0, 1.7))
    np.testing.assert_array_equal(inside.rest_vertices_m, beyond.rest_vertices_m)


@pytest.mark.parametrize("wrong", [np.zeros(5), np.full(6, np.nan)], ids=["five", "nan"])
def test_other_than_six_finite_numbers_are_refused(wrong: FloatArray) -> None:
    with pytest.raises(ValueError, match="phenotypes: expected"):
        corner_shares(wrong)


def test_shares_of_the_corners_add_up_to_one() -> None:
    shares = corner_shares(np.array([0.3, 0.8, 0.1, 0.9, 0.45, 0.6]))
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0
    assert np.count_nonzero(shares) == 2 ** len(ANCHORS)


def test_terms_are_those_of_a_quadratic() -> None:
    values = np.array([[2.0, 3.0], [1.0, -1.0]])
    assert quadratic_terms(values).tolist() == [[1, 2, 3, 4, 6, 9], [1, 1, -1, 1, -1, 1]]


def test_a_missing_or_broken_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    for content in (None, b"nonsense", DATA_FILE.read_bytes()[:5000]):
        path = tmp_path / "shapes.npz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=r"shapes\.npz: .*export_body_shapes"):
            BodyShapes.load(path)


def test_a_file_with_other_numbers_is_refused(tmp_path: Path) -> None:
    with np.load(DATA_FILE, allow_pickle=False) as file:
        arrays = dict(file)
    arrays["phenotype_names"] = arrays["phenotype_names"][::-1]
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match="phenotype_names: expected gender, age"):
        BodyShapes.load(tmp_path / "other.npz")
