"""A panel that shows one body from its side, on plain ground."""

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.core.records import Camera
from pose_service.rendering.layers import empty_layer, ink, lay_over
from pose_service.rendering.meshes import draw_mesh
from pose_service.rendering.shading import Colour, lit_colours

_WALL: Colour = (238, 240, 243)
_GROUND: Colour = (216, 220, 227)
_SHADOW, _SHADOW_FLATNESS = ink((40, 48, 64), 0.28), 0.13
_LENS = 4.0  # focal length in panel sides: long, so that proportions are kept
_FILLED = 0.84  # share of the panel that the body's longest measure takes at most

# What is right comes near, what is far goes right, down stays down: a turn, no mirror.
_QUARTER_TURN = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])


def side_view(
    vertices_cam_m: FloatArray, faces: IntArray, colour: Colour, side_px: int
) -> ImageArray:
    """(side_px, side_px, 3) RGB: the body seen from the picture's right, always whole.

    What is nearer to the camera lies further left in the panel. `vertices_cam_m`: (V, 3) camera
    axes, metres, V at least 1; `faces`: (F, 3), counter-clockwise seen from outside.
    """
    expect_shape("vertices_cam_m", vertices_cam_m, ("vertices", 3))
    low, high = vertices_cam_m.min(axis=0), vertices_cam_m.max(axis=0)
    size_m = max(float((high - low).max()), 0.1)
    # the longest measure fills its share at the point nearest to the viewer
    distance_m = size_m * _LENS / _FILLED + (high - low)[0] / 2
    turned = (vertices_cam_m - (low + high) / 2) @ _QUARTER_TURN.T + np.array([0, 0, distance_m])
    camera = Camera(_LENS * side_px, side_px, side_px)
    sole_m = turned[:, 1].max()
    wall_foot_px = camera.project(np.array([0, sole_m, distance_m + size_m]))[1]
    panel = np.full((side_px, side_px, 3), _WALL, np.uint8)
    panel[round(float(wall_foot_px)) :] = _GROUND
    spots = np.array([[turned[:, 0].min(), sole_m, distance_m], [0, sole_m, distance_m]])
    _draw_shadow(panel, camera.project(spots))
    lit = lit_colours(turned, faces, np.array(colour))
    draw_mesh(panel, camera, turned, faces, np.column_stack([lit, np.full(len(lit), 255)]))
    return panel


def _draw_shadow(panel: ImageArray, edge_and_middle_px: FloatArray) -> None:
    """A soft spot on the ground, in place, from its left edge and its middle, (2, 2)."""
    layer = empty_layer(panel)
    (edge, _), (middle, down) = edge_and_middle_px
    half_width = max(middle - edge, 1.0)
    axes = round(float(half_width)), round(float(half_width * _SHADOW_FLATNESS))
    centre = round(float(middle)), round(float(down))
    cv2.ellipse(layer, centre, axes, 0, 0, 360, _SHADOW, cv2.FILLED)
    soft = cv2.GaussianBlur(layer, (0, 0), max(len(panel) / 60, 0.1))
    lay_over(panel, np.asarray(soft, np.uint8))
