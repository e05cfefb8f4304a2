"""The side view, on a block whose proportions are known."""

from dataclasses import replace

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Provenance
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.shading import PALETTE
from pose_service.rendering.side_view import side_view

RED = PALETTE.index((226, 124, 138))


def block(
    width_m: float, height_m: float, depth_m: float, provenance: Provenance = Provenance.OBSERVED
) -> DrawnPerson:
    """A closed red box two metres to the right and five away, its joints all in one place."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [
        (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
        (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
    ]  # fmt: skip
    return DrawnPerson(
        track_id=RED,
        provenance=provenance,
        confidence=1.0,
        box_xyxy_px=np.zeros(4),
        joints_cam_m=np.zeros((24, 3)),
        joint_confidence=np.ones(24),
        vertices_cam_m=corners * [width_m, height_m, depth_m] + np.array([2.0, 0, 5]),
        faces=np.array(faces),
    )


def upright_m(height_m: float) -> FloatArray:
    """(24, 3) joints whose bones are together as long as those of a body of this height."""
    joints_m = np.zeros((24, 3))
    # the way from ankle to head is all in its first bone
    joints_m[SMPL24.index("left_ankle"), 1] = height_m / 1.15
    return joints_m


def red_extent_px(panel: ImageArray) -> tuple[int, int, int, int]:
    """First and last column, first and last row of what is clearly red, but for the label."""
    rows, columns = np.nonzero(is_red(panel))
    return columns.min(), columns.max(), rows.min(), rows.max()


def is_red(panel: ImageArray) -> ImageArray:
    red = panel[..., 0].astype(int) - panel[..., 1] > 40
    red[:18, :24] = False
    return np.asarray(red)


def test_the_panel_shows_depth_where_the_picture_shows_width() -> None:
    left, right, top, bottom = red_extent_px(side_view(block(0.1, 1.8, 0.6), (400, 400)))
    # 84 % of 400 pixels are the height at the nearest face, a pixel of edge on either side
    assert bottom - top == pytest.approx(336, abs=3)
    assert right - left == pytest.approx(336 * 0.6 / 1.8, abs=3)
    assert left + right == pytest.approx(399, abs=2)
    # it stands at 93 %
    assert bottom == pytest.approx(372, abs=2)


def test_a_body_that_crouches_is_lower_in_the_panel_not_larger() -> None:
    standing = replace(block(0.1, 1.8, 0.6), joints_cam_m=upright_m(1.8))
    crouching = replace(block(0.1, 0.9, 0.6), joints_cam_m=upright_m(1.8))
    tall, low = (red_extent_px(side_view(person, (400, 400))) for person in (standing, crouching))
    assert tall[3] == low[3], "the same ground"
    assert low[3] - low[2] == pytest.approx(336 / 2, abs=3)
    assert low[1] - low[0] == pytest.approx(tall[1] - tall[0], abs=1)


def test_what_is_nearer_to_the_camera_lies_further_left() -> None:
    person = block(0.4, 1.8, 0.6)
    vertices = person.vertices_cam_m
    assert vertices is not None
    top_and_near = (vertices[:, 1] < 0) & (vertices[:, 2] < 5)
    leaning = vertices - np.outer(top_and_near, [0, 0, 0.5])
    rows, columns = np.nonzero(
        is_red(side_view(replace(person, vertices_cam_m=leaning), (400, 400)))
    )
    upper, lower = rows < 150, rows > 250
    assert columns[upper].min() < columns[lower].min() - 30


def test_somebody_predicted_is_half_as_strong_in_the_panel() -> None:
    seen, foretold = (
        side_view(block(0.4, 1.8, 0.6, provenance), (400, 400))[200, 200].astype(float)
        for provenance in (Provenance.OBSERVED, Provenance.PREDICTED)
    )
    wall = side_view(None, (400, 400))[200, 200]
    # two roundings down to whole numbers
    np.testing.assert_allclose(foretold, (seen + wall) / 2, atol=2)
    assert np.abs(seen - wall).max() > 50


@pytest.mark.parametrize("panel", [(200, 200), (100, 200), (200, 100)])
@pytest.mark.parametrize("size", [(3.0, 0.2, 0.2), (0.2, 0.2, 3.0), (0.2, 3.0, 0.2), (0.2,) * 3])
def test_the_whole_body_is_inside_whatever_its_shape(
    size: tuple[float, float, float], panel: tuple[int, int]
) -> None:
    left, right, top, bottom = red_extent_px(side_view(block(*size), panel))
    assert 0 < left <= right < panel[0] - 1
    assert 0 < top <= bottom < panel[1] - 1


def test_without_anybody_or_a_mesh_the_panel_is_empty() -> None:
    empty = side_view(None, (100, 200))
    assert (empty[:150] == empty[0, 0]).all()
    without_mesh = replace(block(0.4, 1.8, 0.6), vertices_cam_m=None)
    np.testing.assert_array_equal(side_view(without_mesh, (100, 200)), empty)


@pytest.mark.parametrize("size_px", [(1, 1), (2, 2), (7, 3), (1, 500), (500, 1)])
def test_tiny_panels_can_be_drawn(size_px: tuple[int, int]) -> None:
    assert side_view(block(0.4, 1.8, 0.6), size_px).shape == (size_px[1], size_px[0], 3)
