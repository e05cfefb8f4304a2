"""Cuts of closed surfaces: loops, tapes, levels, and what is no closed surface."""

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from measurement_kit import (
    BOX_JOINTS,
    SIDES,
    Array,
    Mesh,
    ball,
    body_of,
    box_figure,
    boxes,
    free_body,
    lathe,
    polygon_m,
    rod,
)
from scipy.spatial import ConvexHull

from pose_service.measurement.levels import highest_at, lowest_at
from pose_service.measurement.loops import Loop, convex_hull, path_length_m
from pose_service.measurement.sections import Sections
from pose_service.measurement.surface import ClosedFaces, RestBody

FLOOR_AXES = np.array([[0.0, 0, 1], [1, 0, 0]])


def tall(mesh: Mesh) -> RestBody:
    """Any figure with the guides of the boxes, whose head is above their pelvis."""
    return body_of(mesh, BOX_JOINTS)


def unit(vector: Array) -> Array:
    length: Array = np.linalg.norm(vector)
    return vector / length


def test_a_cylinders_tape_is_its_circumference_at_any_slant_of_its_axis() -> None:
    for end in ([0, 1, 0], [0.6, 0.9, -0.3], [0, 0.2, 1]):
        body = tall(rod([0, 0, 0], end, 0.11))
        (loop,) = Sections(body, unit(np.array(end, float))).at(0.4)
        assert loop.tape_length_m == pytest.approx(polygon_m(0.11), rel=1e-9)
        # Gauss's formula for a regular polygon
        assert loop.area_m2 == pytest.approx(SIDES / 2 * 0.11**2 * np.sin(2 * np.pi / SIDES))


def test_a_slanting_cut_of_a_cylinder_is_an_ellipse() -> None:
    (loop,) = Sections(tall(rod([0, 0, 0], [0, 2, 0], 0.1)), unit(np.array([0.0, 1, 1]))).at(0.7)
    # area of a circle seen at 45 degrees
    flat = SIDES / 2 * 0.01 * np.sin(2 * np.pi / SIDES)
    assert loop.area_m2 == pytest.approx(flat * np.sqrt(2), rel=1e-9)


@given(st.floats(-0.39, 0.39))
def test_a_balls_tape_follows_pythagoras(offset_m: float) -> None:
    (loop,) = Sections(tall(ball([0, 0, 0], 0.4)), np.array([0.0, 1, 0])).at(offset_m)
    true_m = 2 * np.pi * np.sqrt(0.4**2 - offset_m**2)
    # the rings' chords lie inside the ball, by up to r (1 - cos(pi / 48)) = 0.86 mm, which counts
    # most near the poles
    assert true_m * 0.95 < loop.tape_length_m < true_m


def test_a_tape_bridges_hollows_and_a_line_does_not() -> None:
    cross = boxes([(-0.3, 0.3, 0, 1.8, -0.1, 0.1), (-0.1, 0.1, 0, 1.8, -0.3, 0.3)])
    (loop,) = Sections(tall(cross), np.array([0.0, 1, 0])).at(0.9)
    assert path_length_m(loop.points_m, closed=True) == pytest.approx(2.4)
    assert loop.tape_length_m == pytest.approx(8 * 0.1 + 4 * np.hypot(0.2, 0.2))


def test_a_hole_is_a_loop_that_runs_the_other_way_round() -> None:
    ring = [
        (-0.3, 0.3, 0, 1.8, -0.3, -0.1), (-0.3, 0.3, 0, 1.8, 0.1, 0.3),
        (-0.3, -0.1, 0, 1.8, -0.1, 0.1), (0.1, 0.3, 0, 1.8, -0.1, 0.1),
    ]  # fmt: skip
    sections = Sections(tall(boxes(ring)), np.array([0.0, 1, 0]))
    assert sorted(loop.area_m2 for loop in sections.at(0.5)) == pytest.approx([-0.04, 0.36])
    assert sections.around(np.array([0.0, 0.5, 0])).area_m2 == pytest.approx(0.36)


@pytest.mark.parametrize("level_m", [0.0, 0.8, 1.0, 1.4, 1.5, 1.82])
def test_planes_through_whole_faces_still_give_closed_loops(level_m: float) -> None:
    body = box_figure()
    for loop in Sections(body, body.up).at(level_m):
        assert np.linalg.norm(np.diff(loop.flat_m, axis=0), axis=1).max() < 1.6
        np.testing.assert_allclose(loop.points_m @ body.up, level_m, atol=1e-12)


def test_loops_are_those_that_trimesh_cuts() -> None:
    body = free_body()
    mesh = trimesh.Trimesh(body.vertices_m, body.surface.faces, process=False)
    rng = np.random.default_rng(5)
    compared = 0
    for _ in range(25):
        normal = unit(rng.normal(size=3))
        offset_m = float(body.joints_m[rng.integers(24)] @ normal)
        ours = Sections(body, normal).at(offset_m)
        theirs = mesh.section(plane_origin=offset_m * normal, plane_normal=normal).discrete
        lengths_m = sorted(path_length_m(loop.points_m, closed=True) for loop in ours)
        assert lengths_m == pytest.approx(
            sorted(path_length_m(line, closed=False) for line in theirs), abs=1e-6
        )
        compared += len(lengths_m)
    assert compared > 40


@given(st.integers(3, 60), st.integers(0, 2**32 - 1))
def test_tape_is_the_hull_that_qhull_finds_and_its_mean_width_times_pi(
    count: int, seed: int
) -> None:
    flat = np.random.default_rng(seed).normal(size=(count, 2))
    points = np.column_stack([flat, np.zeros(count)])
    loop = Loop(points, np.eye(3)[:2])
    assert loop.tape_length_m == pytest.approx(ConvexHull(flat).area, rel=1e-12)
    turns = 2 * np.pi * np.arange(4000) / 4000
    reach = (flat @ [np.cos(turns), np.sin(turns)]).max(axis=0)
    # Cauchy's formula, summed over 4000 directions
    assert loop.tape_length_m == pytest.approx(reach.mean() * 2 * np.pi, rel=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_hull_of_a_point_or_two_is_they(count: int) -> None:
    assert sorted(convex_hull(np.array([[0.0, 0], [1, 2]])[:count]).tolist()) == list(range(count))


@given(st.floats(-1, 3), st.floats(0.1, 5))
def test_levels_find_a_kink_or_the_end_next_to_it(place: float, slope: float) -> None:
    best = min(max(place, 0.0), 2.0)
    # the last bracket is 1.2 % of the window
    assert lowest_at(lambda x: slope * abs(x - place), 0.0, 2.0) == pytest.approx(best, abs=0.024)
    assert highest_at(lambda x: -slope * abs(x - place), 0.0, 2.0) == pytest.approx(best, abs=0.024)


def test_open_surface_is_refused_with_the_edge_where() -> None:
    _, faces = lathe([(0, 0.1), (1, 0.1)])
    with pytest.raises(ValueError, match=r"open: edge \d+-\d+ belongs to 1 triangle.*3 edge"):
        ClosedFaces.of(faces[:-1])


def test_edge_of_four_triangles_is_refused() -> None:
    touching = [(0, 1, 0, 1, 0, 1), (1, 2, 0, 1, 1, 2)]
    with pytest.raises(ValueError, match=r"not manifold: edge .* belongs to 4 triangle"):
        ClosedFaces.of(boxes(touching)[1])


def test_one_turned_triangle_is_refused() -> None:
    faces = boxes([(0, 1, 0, 1, 0, 1)])[1]
    faces[3] = faces[3][::-1]
    with pytest.raises(ValueError, match="turned against each other"):
        ClosedFaces.of(faces)


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (np.zeros((0, 3), int), "at least four triangles"),
        (np.array([[0, 1, -1]]), "vertex numbers"),
        (np.array([[0.0, 1, 2]]), "vertex numbers"),
        (np.array([[0, 1, 1]]), "one vertex twice"),
        (np.zeros((4, 4), int), "faces: expected"),
    ],
)
def test_what_are_no_triangles_is_refused(faces: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClosedFaces.of(faces)


def test_inside_out_tiny_and_huge_bodies_are_refused() -> None:
    vertices, faces = boxes([(-0.3, 0.3, 0, 1.8, -0.1, 0.1)])
    with pytest.raises(ValueError, match="inside out"):
        tall((vertices, faces[:, ::-1]))
    for factor in (0.001, 3.28084):
        with pytest.raises(ValueError, match="Give metres"):
            tall((vertices * factor, faces))


def test_upside_down_not_finite_and_slanting_bodies_are_refused() -> None:
    vertices, faces = boxes([(-0.3, 0.3, 0, 1.8, -0.1, 0.1)])
    closed = ClosedFaces.of(faces)
    with pytest.raises(ValueError, match="head joint above the pelvis"):
        RestBody(vertices, closed, BOX_JOINTS, np.array([0.0, -1, 0]))
    with pytest.raises(ValueError, match="unit vector"):
        RestBody(vertices, closed, BOX_JOINTS, np.array([0.0, 2, 0]))
    with pytest.raises(ValueError, match="finite"):
        RestBody(vertices * np.nan, closed, BOX_JOINTS)
    with pytest.raises(ValueError, match="below 7"):
        RestBody(vertices[:7], closed, BOX_JOINTS)
