"""Outlines as fields, and where a mesh's own outline runs."""

import numpy as np
import pytest
from measurement_kit import ball

from pose_service.avatar.free.contour import contour
from pose_service.avatar.free.outline import Outline
from pose_service.core.arrays import FloatArray
from pose_service.core.masks import Mask
from pose_service.core.records import Camera
from pose_service.measurement.surface import ClosedFaces

CENTRE = np.array([480.3, 700.7])
CAMERA = Camera(focal_px=1000.0, width_px=800, height_px=600)


def disc(radius_px: float, width: int = 1000, height: int = 1400) -> Mask:
    rows, columns = np.mgrid[:height, :width] + 0.5
    return Mask.of(np.hypot(columns - CENTRE[0], rows - CENTRE[1]) < radius_px)


def on_circle(radius_px: float) -> FloatArray:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle: FloatArray = CENTRE + radius_px * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return circle


@pytest.mark.parametrize("off_px", [-12.0, 0.0, 3.0, 20.0])
def test_distance_from_a_disc_is_known_to_half_a_cell(off_px: float) -> None:
    outline = Outline.of(disc(300))
    assert outline is not None
    distances, slopes = outline.at(on_circle(300 + off_px))
    # cells are 1.3 px wide, and far from the outline whole cells are counted
    assert distances == pytest.approx(off_px, abs=1.0)
    assert distances.mean() == pytest.approx(off_px, abs=0.65)
    outward = (on_circle(300) - CENTRE) / 300
    assert np.einsum("ni,ni->n", slopes, outward).mean() == pytest.approx(1, abs=0.2)


def test_both_sides_of_a_disc_are_as_far_away() -> None:
    outline = Outline.of(disc(300))
    assert outline is not None
    sides = CENTRE + np.array([[-310.0, 0], [310, 0], [0, -310], [0, 310]])
    distances, _ = outline.at(sides)
    # the disc's own edge is rounded to pixels
    assert np.ptp(distances) < 0.7


def test_distance_goes_on_growing_far_outside() -> None:
    outline = Outline.of(disc(200))
    assert outline is not None
    distances, _ = outline.at(CENTRE + np.array([[260.0, 0], [400, 0], [480, 0]]))
    assert np.all(np.diff(distances) > 60)


def test_an_all_but_empty_mask_has_no_outline() -> None:
    pixels = np.zeros((40, 30), bool)
    assert Outline.of(Mask.of(pixels)) is None
    pixels[3, 4] = True
    assert Outline.of(Mask.of(pixels)) is None


def test_beyond_the_picture_nothing_is_known() -> None:
    outline = Outline.of(disc(300))
    assert outline is not None
    places = np.array([[500.0, 700], [1, 700], [999, 700], [500, 1401]])
    assert outline.knows(places).tolist() == [True, False, False, False]


def test_a_balls_contour_is_its_tangent_circle() -> None:
    vertices, faces = ball([0.1, -0.2, 3.0], 0.5)
    rim = contour(vertices, ClosedFaces.of(faces), CAMERA)
    # seen from d away, the tangent cone touches a ball of radius r at distance sqrt(d2 - r2)
    touched = np.linalg.norm(vertices[rim.vertices], axis=1)
    distance = float(np.linalg.norm([0.1, -0.2, 3.0]))
    assert touched == pytest.approx(np.sqrt(distance**2 - 0.5**2), abs=0.05)
    radial = CAMERA.project(vertices[rim.vertices]) - CAMERA.project(np.array([0.1, -0.2, 3.0]))
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    assert np.einsum("ni,ni->n", radial, rim.outward).min() > 0.9


def test_a_ball_before_a_larger_one_has_no_part_in_the_contour() -> None:
    (front, faces), (back, _) = ball([0, 0, 2.0], 0.2), ball([0, 0, 4.0], 1.5)
    vertices = np.concatenate([front, back])
    surface = ClosedFaces.of(np.concatenate([faces, faces + len(front)]))
    rim = contour(vertices, surface, CAMERA)
    assert rim.vertices.min() >= len(front)
