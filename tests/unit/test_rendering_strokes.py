"""Layers, lines, skeletons, boxes and labels."""

import numpy as np
import pytest

from pose_service.core.arrays import ImageArray
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.layers import draw_dot, draw_line, empty_layer, ink, lay_over
from pose_service.rendering.strokes import (
    draw_box,
    draw_dashed_box,
    draw_skeleton,
    label_layer,
    stroke_px,
)

RED = (200, 0, 0)


def grey_image(height: int = 60, width: int = 80) -> ImageArray:
    return np.full((height, width, 3), 100, np.uint8)


@pytest.mark.parametrize(("opacity", "red", "green"), [(0, 100, 100), (0.5, 150, 50), (1, 200, 0)])
def test_opacity_is_the_share_of_the_new_colour(opacity: float, red: int, green: int) -> None:
    image, layer = grey_image(), empty_layer(grey_image())
    layer[10:20, 10:20] = ink(RED, opacity)
    lay_over(image, layer)
    # two roundings to whole numbers
    np.testing.assert_allclose(image[15, 15], [red, green, green], atol=1)
    assert (image[:10] == 100).all()


@pytest.mark.parametrize(
    ("left", "top", "rows", "columns"),
    [
        (-5, -5, slice(0, 5), slice(0, 5)),
        (75, 55, slice(55, 60), slice(75, 80)),
        (300, 0, slice(0), slice(0)),
        (-300, 0, slice(0), slice(0)),
    ],
)
def test_a_layer_is_cut_at_the_border(left: int, top: int, rows: slice, columns: slice) -> None:
    image, expected = grey_image(), grey_image()
    lay_over(image, np.full((10, 10, 4), 255, np.uint8), left, top)
    expected[rows, columns] = 255
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("far_px", [100.0, 1e4, 1e6, 1e9])
@pytest.mark.parametrize("thickness_px", [1, 3])
def test_a_line_between_points_far_outside_crosses_the_picture_where_it_should(
    far_px: float, thickness_px: int
) -> None:
    layer = np.zeros((200, 300, 4), np.uint8)
    middle, direction = np.array([150.0, 100.0]), np.array([1.0, 1.0])
    ends = np.stack([middle - far_px * direction, middle + far_px * direction])
    draw_line(layer, ends, ink((255, 255, 255), 1), thickness_px)
    for column in (60, 150, 240):
        weight = layer[:, column, 3].astype(float)
        # the line is y = x - 50; OpenCV rounds a line's place by some sixteenths of a pixel
        assert np.average(np.arange(200), weights=weight) == pytest.approx(column - 50, abs=0.3)


def test_a_dot_lies_around_its_point_and_keeps_its_size() -> None:
    layer = np.zeros((40, 40, 4), np.uint8)
    draw_dot(layer, np.array([20.0, 15.0]), ink((255, 255, 255), 1), 5.0)
    rows, columns = np.nonzero(layer[..., 3])
    weights = layer[rows, columns, 3] / 255
    assert np.average(columns + 0.5, weights=weights) == pytest.approx(20.0, abs=0.1)
    assert np.average(rows + 0.5, weights=weights) == pytest.approx(15.0, abs=0.1)
    # the antialiased rim adds up to half a pixel to the radius
    assert 5.0 <= np.sqrt(weights.sum() / np.pi) <= 5.6


def test_lines_are_wider_on_larger_pictures() -> None:
    sizes = [(1, 1), (20, 6000), (480, 640), (1088, 1920), (2160, 3840)]
    assert [stroke_px(np.zeros((*size, 3), np.uint8)) for size in sizes] == [1, 1, 1, 3, 6]


def test_left_and_right_bones_have_different_colours() -> None:
    joints_px = np.tile([200.0, 200.0], (len(SMPL24), 1))
    for name, x in (("left", 20.0), ("right", 60.0)):
        joints_px[SMPL24.index(f"{name}_knee")] = [x, 10.0]
        joints_px[SMPL24.index(f"{name}_ankle")] = [x, 50.0]
    layer = np.zeros((60, 80, 4), np.uint8)
    draw_skeleton(layer, joints_px, np.ones(24), 3)
    left, right = layer[30, 20], layer[30, 60]
    assert left[2] > 200 > left[0]
    assert right[0] > 200 > right[2]


def test_a_bone_is_as_faint_as_its_less_certain_end() -> None:
    joints_px = np.tile([200.0, 200.0], (len(SMPL24), 1))
    knee, ankle = SMPL24.index("left_knee"), SMPL24.index("left_ankle")
    joints_px[knee], joints_px[ankle] = [40.0, 10.0], [40.0, 50.0]
    opacities = np.ones(24)
    opacities[ankle] = 0.5
    layer = np.zeros((60, 80, 4), np.uint8)
    draw_skeleton(layer, joints_px, opacities, 3)
    assert layer[10, 40, 3] == 255
    # 0.15 + 0.85 * 0.5 of 255
    assert layer[30, 40, 3] == pytest.approx(147, abs=1)
    assert layer[50, 40, 3] == pytest.approx(147, abs=1)


def test_a_box_is_drawn_along_its_edges_only() -> None:
    layer = np.zeros((60, 80, 4), np.uint8)
    draw_box(layer, np.array([10.5, 20.5, 60.5, 50.5]), RED, 1.0, 3)
    assert (layer[20:51, [10, 60], 3] == 255).all()
    assert (layer[[20, 50], 10:61, 3] == 255).all()
    assert not layer[24:47, 14:57].any()


def test_a_dashed_box_has_gaps_and_all_its_corners() -> None:
    layer = np.zeros((300, 400, 4), np.uint8)
    draw_dashed_box(layer, np.array([50.5, 50.5, 350.5, 250.5]), RED, 1.0, 3)
    top = layer[50, 50:351, 3]
    assert (top == 0).mean() > 0.2
    assert (top == 255).mean() > 0.4
    assert (layer[[50, 50, 250, 250], [50, 350, 350, 50], 3] == 255).all()


def test_a_dashed_box_far_outside_leaves_nothing() -> None:
    layer = np.zeros((60, 80, 4), np.uint8)
    draw_dashed_box(layer, np.array([1e7, -1e7, 2e7, 1e7]), RED, 1.0, 1)
    draw_dashed_box(layer, np.array([-1e7, -1e7, 1e7, 1e7]), RED, 1.0, 1)
    assert not layer.any()


def test_a_label_is_dark_text_on_a_plate_of_its_colour() -> None:
    plate = label_layer("12  0.87", RED, 3)
    assert (plate[..., 3] == 255).all()
    assert (plate[[0, 0, -1, -1], [0, -1, 0, -1], 0] == 200).all()
    assert plate[..., 0].min() < 60
    assert plate.shape[1] > plate.shape[0]
