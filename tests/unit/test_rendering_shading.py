"""Colours of people and light on meshes."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.rendering.shading import PALETTE, colour_of, lit_colours, vertex_normals

GREY = np.array([128.0, 128.0, 128.0])


@pytest.fixture
def octahedron() -> tuple[FloatArray, IntArray]:
    """Corners at -+1 on each axis, around (0, 0, 5); its normals are the axes."""
    corners = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    faces = [
        (0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5),
    ]  # fmt: skip
    return corners + np.array([0, 0, 5]), np.array(faces)


def test_a_track_keeps_its_colour_and_its_neighbours_have_others() -> None:
    assert colour_of(3) == colour_of(3) == PALETTE[3]
    assert colour_of(3 + len(PALETTE)) == colour_of(3)
    assert colour_of(-1) in PALETTE
    assert all(colour_of(i) != colour_of(i + 1) for i in range(40))


def test_colours_are_apart_from_each_other() -> None:
    def distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
        return float(np.linalg.norm(np.subtract(one, other)))

    assert min(distance(one, other) for one, other in combinations(PALETTE, 2)) > 25
    assert min(distance(one, other) for one, other in pairwise(PALETTE)) > 50


def test_dark_text_can_be_read_on_every_colour() -> None:
    # relative luminance and contrast as WCAG 2 defines them; 4.5 is its level AA
    def luminance(colour: tuple[int, int, int]) -> float:
        share = np.array(colour) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark = luminance((24, 28, 36))
    assert all((luminance(colour) + 0.05) / (dark + 0.05) > 4.5 for colour in PALETTE)


def test_normals_of_an_octahedron_are_its_axes(octahedron: tuple[FloatArray, IntArray]) -> None:
    vertices, faces = octahedron
    np.testing.assert_allclose(vertex_normals(vertices, faces), vertices - [0, 0, 5], atol=1e-12)


def test_a_vertex_without_a_surface_has_no_normal() -> None:
    vertices = np.array([[0, 0, 1], [1, 0, 1], [2, 0, 1], [0, 1, 1]], float)
    np.testing.assert_array_equal(vertex_normals(vertices, np.array([[0, 1, 2]])), 0)


def test_light_comes_from_the_upper_left(octahedron: tuple[FloatArray, IntArray]) -> None:
    right, left, bottom, top, _, front = lit_colours(*octahedron, GREY)[:, 0]
    assert left > right
    assert top > bottom
    assert front > right


def test_light_stays_within_what_a_picture_can_show(
    octahedron: tuple[FloatArray, IntArray],
) -> None:
    lit = lit_colours(*octahedron, np.array([255.0, 255.0, 0.0]))
    assert lit.shape == (6, 3)
    assert lit.min() >= 0
    assert lit.max() <= 255


def test_every_vertex_may_have_its_own_colour(octahedron: tuple[FloatArray, IntArray]) -> None:
    own = np.tile(GREY, (6, 1))
    own[5] = [200, 0, 0]
    lit = lit_colours(*octahedron, own)
    np.testing.assert_array_equal(lit[:5], lit_colours(*octahedron, GREY)[:5])
    assert lit[5, 0] > lit[5, 1]


def test_wrong_shapes_are_named(octahedron: tuple[FloatArray, IntArray]) -> None:
    vertices, faces = octahedron
    with pytest.raises(ValueError, match="vertices_m: expected"):
        vertex_normals(vertices[:, :2], faces)
    with pytest.raises(ValueError, match="faces: expected"):
        vertex_normals(vertices, faces[:, :2])
