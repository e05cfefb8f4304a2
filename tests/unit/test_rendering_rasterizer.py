"""Triangles to pixels, against rays computed one by one and against figures of known size."""

from itertools import product

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.records import Camera
from pose_service.rendering import rasterizer
from pose_service.rendering.rasterizer import NEAR_M, rasterize

CAMERA = Camera(200.0, 160, 120)


def quad(side_m: float, z_m: float, x_m: float = 0.0) -> tuple[FloatArray, IntArray]:
    """A square that faces the camera: counter-clockwise as the camera sees it, with y down."""
    half = side_m / 2
    corners = [(-half, -half), (-half, half), (half, half), (half, -half)]
    vertices = np.array([(x + x_m, y, z_m) for x, y in corners])
    return vertices, np.array([[0, 1, 2], [0, 2, 3]])


def sphere(radius_m: float, z_m: float, rings: int = 60) -> tuple[FloatArray, IntArray]:
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings + 1), indexing="ij"
    )
    unit = np.stack(
        [np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1
    )
    place = np.arange(polar.size).reshape(polar.shape)
    a, b, c, d = place[:-1, :-1], place[1:, :-1], place[1:, 1:], place[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    return radius_m * unit.reshape(-1, 3) + [0, 0, z_m], faces


def ray_hits(origin_to_pixel: FloatArray, corners: FloatArray) -> tuple[float, float] | None:
    """Depth, and how far inside (a share of the triangle) the ray from the camera meets it.

    Möller and Trumbore 1997; the ray's z is 1, so its parameter is the depth.
    """
    a, b, c = corners
    across = np.cross(origin_to_pixel, c - a)
    determinant = np.dot(b - a, across)
    if determinant <= 0:
        return None
    u = np.dot(-a, across) / determinant
    along = np.cross(-a, b - a)
    v = np.dot(origin_to_pixel, along) / determinant
    inside = min(u, v, 1 - u - v)
    return (float(np.dot(c - a, along) / determinant), float(inside)) if inside >= 0 else None


@pytest.mark.parametrize("seed", range(8))
def test_every_pixel_shows_the_triangle_its_ray_meets_first(seed: int) -> None:
    random = np.random.default_rng(seed)
    camera = Camera(20.0, 24, 18)
    centres = random.uniform([-1.5, -1.2, -0.5], [1.5, 1.2, 4.0], (25, 1, 3))
    corners = centres + random.normal(0, 0.5, (25, 3, 3))
    raster = rasterize(corners.reshape(-1, 3), np.arange(75).reshape(-1, 3), camera)
    shown = np.full((18, 24), -1)
    depths_m = np.full((18, 24), np.inf)
    height, width = raster.triangles.shape
    window = np.s_[raster.top : raster.top + height, raster.left : raster.left + width]
    shown[window], depths_m[window] = raster.triangles, raster.depths_m

    drawable = [i for i in range(25) if corners[i, :, 2].min() > NEAR_M]
    assert shown.max() >= 0
    for row, column in product(range(18), range(24)):
        ray = np.array([(column + 0.5 - 12) / 20, (row + 0.5 - 9) / 20, 1.0])
        hits = {i: hit for i in drawable if (hit := ray_hits(ray, corners[i]))}
        nearest = min(hits, key=lambda i: hits[i][0], default=-1)
        assert shown[row, column] == nearest
        if hits:
            assert depths_m[row, column] == pytest.approx(hits[nearest][0], rel=1e-9)
        else:
            assert np.isinf(depths_m[row, column])


@pytest.mark.parametrize("near_first", [True, False])
def test_a_square_at_two_metres_hides_one_at_three_in_either_order(near_first: bool) -> None:
    near, far = quad(0.3, 2.0), quad(0.6, 3.0)
    (first, faces), (second, _) = (near, far) if near_first else (far, near)
    raster = rasterize(np.concatenate([first, second]), np.concatenate([faces, faces + 4]), CAMERA)
    # 0.6 m at 3 m is 40 pixels, 0.3 m at 2 m is 30 pixels in their middle
    assert raster.triangles.shape == (40, 40)
    expected = np.full((40, 40), 3.0)
    expected[5:35, 5:35] = 2.0
    np.testing.assert_allclose(raster.depths_m, expected, rtol=1e-12)
    of_near = raster.triangles < 2 if near_first else raster.triangles >= 2
    np.testing.assert_array_equal(of_near, expected == 2.0)


def test_a_square_whose_edges_are_pixel_edges_fills_just_these_pixels() -> None:
    # edges at column 80 -+ 40 and row 60 -+ 40: pixel i covers [i, i + 1)
    raster = rasterize(*quad(0.8, 2.0), CAMERA)
    assert (raster.left, raster.top) == (40, 20)
    assert raster.triangles.shape == (80, 80)
    assert raster.covered.all()


def test_a_ball_has_the_silhouette_that_geometry_says() -> None:
    radius_m, z_m = 0.5, 3.0
    camera = Camera(900.0, 640, 480)
    raster = rasterize(*sphere(radius_m, z_m), camera)
    # rays that touch the ball: tan = r / sqrt(d^2 - r^2)
    radius_px = camera.focal_px * radius_m / np.sqrt(z_m**2 - radius_m**2)
    # the 60 rings lie inside the ball: a 120-gon lacks 0.05 % of its circle; pixels add 0.1 %
    assert raster.covered.sum() == pytest.approx(np.pi * radius_px**2, rel=2e-3)
    assert raster.depths_m.min() == pytest.approx(z_m - radius_m, abs=1e-3)


def test_interpolated_positions_lie_on_the_rays_of_their_pixels() -> None:
    vertices, faces = sphere(0.5, 1.2, rings=12)
    raster = rasterize(vertices, faces, CAMERA)
    positions = raster.interpolate(faces, vertices)
    rows, columns = np.nonzero(raster.covered)
    centres = np.stack([columns + raster.left + 0.5, rows + raster.top + 0.5], axis=1)
    # weights are float32: 1e-7 of a triangle, counted from the window's corner, 100 triangles away
    np.testing.assert_allclose(CAMERA.project(positions), centres, atol=1e-3)
    np.testing.assert_allclose(positions[:, 2], raster.depths_m[raster.covered], rtol=1e-5)


def test_weights_are_shares() -> None:
    raster = rasterize(*sphere(0.5, 1.2), CAMERA)
    assert raster.weights.shape == (raster.covered.sum(), 3)
    assert raster.weights.min() >= 0
    np.testing.assert_allclose(raster.weights.sum(axis=1), 1, rtol=1e-6)


def test_neighbours_leave_no_crack_where_pixel_centres_lie_on_their_edges() -> None:
    # 100 pixels per metre at 2 m: corners every 5 pixels, on pixel centres
    columns, rows = np.meshgrid(np.arange(13), np.arange(9))
    pixels = np.stack([columns * 5 + 40.5, rows * 5 + 30.5], axis=-1).reshape(-1, 2)
    vertices = np.hstack([(pixels - CAMERA.centre_px) / 100, np.full((len(pixels), 1), 2.0)])
    place = np.arange(117).reshape(9, 13)
    a, b, c, d = place[:-1, :-1], place[1:, :-1], place[1:, 1:], place[:-1, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    raster = rasterize(vertices, faces, CAMERA)
    assert raster.triangles.shape == (41, 61)
    assert raster.covered.all()


def test_the_result_does_not_depend_on_how_the_work_is_divided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vertices, faces = sphere(0.5, 1.2, rings=12)
    whole = rasterize(vertices, faces, CAMERA)
    monkeypatch.setattr(rasterizer, "_CHUNK_PX", 50)
    parts = rasterize(vertices, faces, CAMERA)
    np.testing.assert_array_equal(parts.depths_m, whole.depths_m)
    np.testing.assert_array_equal(parts.triangles, whole.triangles)


def test_a_surface_is_not_seen_from_behind() -> None:
    vertices, faces = quad(0.5, 2.0)
    assert not rasterize(vertices, faces[:, ::-1], CAMERA).triangles.size


@pytest.mark.parametrize(
    "corner_depths_m", [(-1.0, -1.0, -1.0), (2.0, 2.0, -1.0), (2.0, 2.0, 0.05), (2.0, 2.0, 0.0)]
)
def test_triangles_at_or_behind_the_camera_are_left_out(
    corner_depths_m: tuple[float, float, float],
) -> None:
    corners = np.array([[-0.5, -0.5, 0], [-0.5, 0.5, 0], [0.5, 0.5, 0]], float)
    corners[:, 2] = 2.0
    assert rasterize(corners, np.array([[0, 1, 2]]), CAMERA).covered.any()
    corners[:, 2] = corner_depths_m
    assert not rasterize(corners, np.array([[0, 1, 2]]), CAMERA).triangles.size


def test_a_square_half_outside_is_cut_at_the_border_of_the_picture() -> None:
    # 80 pixels wide around column 150 of 160
    raster = rasterize(*quad(0.8, 2.0, x_m=0.7), CAMERA)
    assert (raster.left, raster.triangles.shape[1]) == (110, 50)
    assert raster.covered.all()


@pytest.mark.parametrize("x_m", [-50.0, 50.0])
def test_what_lies_outside_the_picture_gives_an_empty_window(x_m: float) -> None:
    raster = rasterize(*quad(0.8, 2.0, x_m=x_m), CAMERA)
    assert raster.triangles.shape == (0, 0)
    assert raster.interpolate(np.zeros((2, 3), int), np.zeros((4, 3))).shape == (0, 3)


def test_a_triangle_just_before_the_near_limit_covers_the_picture() -> None:
    raster = rasterize(*quad(1e4, 0.0501), CAMERA)
    assert raster.triangles.shape == (120, 160)
    np.testing.assert_allclose(raster.depths_m, 0.0501, rtol=1e-6)


def test_degenerate_triangles_show_nothing_and_disturb_nothing() -> None:
    vertices, faces = quad(0.8, 2.0)
    lines = np.array([[0, 0, 0], [0, 1, 1], [2, 0, 2]])
    raster = rasterize(vertices, np.concatenate([lines, faces]), CAMERA)
    assert set(np.unique(raster.triangles)) == {3, 4}


def test_a_mesh_without_triangles_shows_nothing() -> None:
    assert not rasterize(np.zeros((0, 3)), np.zeros((0, 3), int), CAMERA).triangles.size


def test_a_picture_of_one_pixel_shows_the_middle() -> None:
    raster = rasterize(*quad(0.8, 2.0), Camera(10.0, 1, 1))
    assert raster.depths_m == pytest.approx(np.array([[2.0]]))


def test_wrong_shapes_are_named() -> None:
    vertices, faces = quad(0.8, 2.0)
    with pytest.raises(ValueError, match=r"vertices_cam_m: expected \(vertices, 3\), got \(4, 2\)"):
        rasterize(vertices[:, :2], faces, CAMERA)
    with pytest.raises(ValueError, match=r"faces: expected \(faces, 3\), got \(6,\)"):
        rasterize(vertices, faces.ravel(), CAMERA)


@pytest.mark.parametrize("focal_px", [200.0, 37_500.0])
def test_slivers_in_single_precision_are_drawn_or_left_out_but_never_break(focal_px: float) -> None:
    random = np.random.default_rng(5)
    camera = Camera(focal_px, 160, 120)
    depth_m = focal_px / 600
    spread_m = 60 * depth_m / focal_px
    ends = random.normal(0, spread_m, (4000, 2, 3)) + np.array([0, 0, depth_m])
    # the third corner lies on the line between the others, up to rounding
    share = random.uniform(0, 1, (4000, 1, 1))
    third = ends[:, :1] * share + ends[:, 1:] * (1 - share)
    corners = np.concatenate([ends, third], axis=1).astype(np.float32)
    wall, wall_faces = quad(4 * spread_m, 3 * depth_m)
    vertices = np.concatenate([corners.reshape(-1, 3), wall.astype(np.float32)])
    faces = np.concatenate([np.arange(12_000).reshape(-1, 3), wall_faces + 12_000])
    with np.errstate(all="raise", under="ignore"):
        raster = rasterize(vertices, faces, camera)
    assert np.isfinite(raster.depths_m[raster.triangles >= 0]).all()
    assert (raster.triangles >= 12_000 // 3).any()
