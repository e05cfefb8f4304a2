"""The side view, on a block whose proportions are known."""

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray, ImageArray, IntArray
from pose_service.rendering.side_view import side_view

RED = (200, 30, 30)


def block(width_m: float, height_m: float, depth_m: float) -> tuple[FloatArray, IntArray]:
    """A closed box two metres to the right and five away."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [
        (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
        (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
    ]  # fmt: skip
    return corners * [width_m, height_m, depth_m] + np.array([2.0, 0, 5]), np.array(faces)


def red_extent_px(panel: ImageArray) -> tuple[int, int, int, int]:
    """First and last column, first and last row of what is clearly red."""
    rows, columns = np.nonzero(panel[..., 0].astype(int) - panel[..., 1] > 40)
    return columns.min(), columns.max(), rows.min(), rows.max()


def test_the_panel_shows_depth_where_the_picture_shows_width() -> None:
    left, right, top, bottom = red_extent_px(side_view(*block(0.1, 1.8, 0.6), RED, 400))
    # 84 % of 400 pixels are the height at the nearest face, a pixel of edge on either side
    assert bottom - top == pytest.approx(336, abs=3)
    assert right - left == pytest.approx(336 * 0.6 / 1.8, abs=3)
    assert left + right == pytest.approx(399, abs=2)


def test_what_is_nearer_to_the_camera_lies_further_left() -> None:
    vertices, faces = block(0.4, 1.8, 0.6)
    top_and_near = (vertices[:, 1] < 0) & (vertices[:, 2] < 5)
    leaning = vertices - np.outer(top_and_near, [0, 0, 0.5])
    panel = side_view(leaning, faces, RED, 400)
    rows, columns = np.nonzero(panel[..., 0].astype(int) - panel[..., 1] > 40)
    upper, lower = rows < 150, rows > 250
    assert columns[upper].min() < columns[lower].min() - 30


@pytest.mark.parametrize("size", [(3.0, 0.2, 0.2), (0.2, 0.2, 3.0), (0.01, 0.01, 0.01)])
def test_the_whole_body_is_inside_whatever_its_shape(size: tuple[float, float, float]) -> None:
    panel = side_view(*block(*size), RED, 200)
    left, right, top, bottom = red_extent_px(panel)
    assert 0 < left <= right < 199
    assert 0 < top <= bottom < 199


@pytest.mark.parametrize("side_px", [1, 2, 7])
def test_tiny_panels_can_be_drawn(side_px: int) -> None:
    assert side_view(*block(0.4, 1.8, 0.6), RED, side_px).shape == (side_px, side_px, 3)
