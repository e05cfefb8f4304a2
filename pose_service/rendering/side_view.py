"""A panel that shows one body from its side, on plain ground."""

from itertools import pairwise

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Camera
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.layers import ink, lay_over
from pose_service.rendering.meshes import draw_mesh
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.shading import Colour, colour_of, lit_colours
from pose_service.rendering.strokes import label_layer, stroke_px

_WALL: Colour = (238, 240, 243)
_GROUND: Colour = (216, 220, 227)
_SHADOW, _SHADOW_FLATNESS, _SHADOW_REACH = ink((40, 48, 64), 0.35), 0.13, 1.4
_LENS = 4.0  # focal length in panel heights: long, so that proportions are kept
_FILLED = 0.84  # share of the panel that a body takes at most, each way
_SOLE, _WALL_FOOT = 0.93, 0.87  # where the body stands and the wall ends, in panel heights
_TALLER = 1.15  # a body's height by its bones from the ankle to the head

# What is right comes near, what is far goes right, down stays down: a turn, no mirror.
_QUARTER_TURN = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])

_UPRIGHT = tuple(
    map(
        SMPL24.index,
        ("left_ankle", "left_knee", "left_hip", "spine1", "spine2", "spine3", "neck", "head"),
    )
)


def side_view(person: DrawnPerson | None, size_px: tuple[int, int]) -> ImageArray:
    """(height, width, 3) RGB for `size_px` (width, height): the body seen from the picture's right.

    It is always whole and stands on the ground; what is nearer to the camera lies further left.
    The scale is the body's own, so that a clip shows it crouch, unless it would not fit. Without a
    person, or a mesh, the panel is empty.
    """
    width, height = size_px
    panel = np.full((height, width, 3), _WALL, np.uint8)
    panel[round(_WALL_FOOT * height) :] = _GROUND
    if person is not None and person.vertices_cam_m is not None:
        _draw_body(panel, person, person.vertices_cam_m)
    return panel


def _draw_body(panel: ImageArray, person: DrawnPerson, vertices_cam_m: FloatArray) -> None:
    height, width = panel.shape[:2]
    low, high = vertices_cam_m.min(axis=0), vertices_cam_m.max(axis=0)
    thick_m, tall_m, deep_m = np.maximum(high - low, 0.1)
    tall_m = max(tall_m, _TALLER * _length_m(person.joints_cam_m[list(_UPRIGHT)]))
    px_per_m = _FILLED * min(height / tall_m, width / deep_m)
    camera = Camera(_LENS * height, width, height)
    # the scale holds for what is nearest
    distance_m = camera.focal_px / px_per_m + thick_m / 2
    sole_m = (_SOLE - 0.5) * height / px_per_m
    middle = np.array([(low[0] + high[0]) / 2, high[1], (low[2] + high[2]) / 2])
    turned = (vertices_cam_m - middle) @ _QUARTER_TURN.T + np.array([0, sole_m, distance_m])
    spots = np.array([[turned[:, 0].min(), sole_m, distance_m], [0, sole_m, distance_m]])
    _draw_shadow(panel, camera.project(spots), person.opacity)
    colour = colour_of(person.track_id)
    lit = lit_colours(turned, person.faces, np.array(colour))
    inks = person.opacity * np.column_stack([lit, np.full(len(lit), 255)])
    draw_mesh(panel, camera, turned, person.faces, inks)
    lay_over(panel, label_layer(str(person.track_id), colour, 2 * stroke_px(panel)))


def _length_m(joints_m: FloatArray) -> float:
    """Of the way from joint to joint, which a pose does not change."""
    return float(sum(np.linalg.norm(end - start) for start, end in pairwise(joints_m)))


def _draw_shadow(panel: ImageArray, edge_and_middle_px: FloatArray, opacity: float) -> None:
    """A soft spot on the ground, in place, from its left edge and its middle, (2, 2)."""
    (edge, _), (middle, down) = edge_and_middle_px
    across_px = max(middle - edge, 1.0)
    along_px = _SHADOW_FLATNESS * across_px
    reach_px = int(np.ceil(_SHADOW_REACH * along_px))
    top = round(float(down)) - reach_px
    rows = top + np.arange(2 * reach_px + 1)[:, None] + 0.5 - down
    columns = np.arange(panel.shape[1]) + 0.5 - middle
    outwards = np.hypot(columns / across_px, rows / along_px)
    strength = opacity * np.clip((_SHADOW_REACH - outwards) / _SHADOW_REACH, 0, 1)
    lay_over(panel, np.rint(strength[..., None] * _SHADOW).astype(np.uint8), 0, top)
