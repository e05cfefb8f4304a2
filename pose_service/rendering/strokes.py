"""Skeletons, boxes and labels on a layer; sizes follow `stroke_px`, the picture's line width."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.layers import Ink, draw_dot, draw_line, ink
from pose_service.rendering.shading import Colour
from pose_service.rendering.words import RIM, letter_font

_LEFT: Colour = (74, 158, 255)
_RIGHT: Colour = (255, 132, 66)
_MIDDLE: Colour = (245, 245, 245)

# Of one dash and its gap, in line widths; the round ends add one line width to the dash.
_DASH_PERIOD, _DASH_SHARE = 8, 3 / 8
_FAINTEST = 0.15  # a joint the net does not believe in is still hinted at


def stroke_px(image: ImageArray) -> int:
    """Line width that suits the picture's size: 3 on full high definition, at least 1."""
    height, width = image.shape[:2]
    return max(1, round(float(np.sqrt(height * width)) / 480))


def draw_skeleton(
    layer: ImageArray, joints_px: FloatArray, opacities: FloatArray, stroke: int
) -> None:
    """Bones and joints of `SMPL24`, the body's left, right and middle in three colours.

    `joints_px`: (24, 2). `opacities`: (24,) 0 to 1; a bone is as clear as its fainter end.
    """
    strength = _FAINTEST + (1 - _FAINTEST) * opacities
    for outline in (True, False):
        for parent, child in SMPL24.bones:
            colour = RIM if outline else side_colour(SMPL24.joints[child])
            paint = ink(colour, min(strength[parent], strength[child]))
            draw_line(layer, joints_px[[parent, child]], paint, stroke + 2 * outline)
    for joint, point_px in enumerate(joints_px):
        colour = side_colour(SMPL24.joints[joint])
        draw_dot(layer, point_px, ink(RIM, strength[joint]), 1.4 * stroke + 1)
        draw_dot(layer, point_px, ink(colour, strength[joint]), 1.4 * stroke)


def draw_box(
    layer: ImageArray, box_xyxy_px: FloatArray, colour: Colour, opacity: float, stroke: int
) -> None:
    """The outline of a box, (4,) left, top, right, bottom."""
    for side in _sides(box_xyxy_px):
        draw_line(layer, side, ink(colour, opacity), stroke)


def draw_dashed_box(
    layer: ImageArray, box_xyxy_px: FloatArray, colour: Colour, opacity: float, stroke: int
) -> None:
    """As `draw_box`, in dashes."""
    height, width = layer.shape[:2]
    # Sides far outside are moved near, still out of sight: else they would be millions of dashes.
    margin = 20 * stroke
    box = np.clip(box_xyxy_px, -margin, np.array([width, height, width, height]) + margin)
    for side in _sides(box):
        draw_dashed_line(layer, side, ink(colour, opacity), stroke)


def draw_dashed_line(layer: ImageArray, ends_px: FloatArray, paint: Ink, stroke: int) -> None:
    """A straight line in dashes between two points, (2, 2), neither of them far outside."""
    start, end = ends_px
    length = float(np.abs(end - start).sum())
    periods = max(1, round(length / (_DASH_PERIOD * stroke)))
    # one dash more than there are gaps, so that every corner is drawn
    dashes = np.arange(periods + 1)[:, None] + np.array([0, _DASH_SHARE])
    for fractions in dashes[..., None] / (periods + _DASH_SHARE):
        draw_line(layer, start + fractions * (end - start), paint, stroke)


def label_layer(text: str, colour: Colour, stroke: int) -> ImageArray:
    """Dark `text` on a plate of `colour`: a small layer of its own, (h, w, 4)."""
    font = letter_font(max(9, 6 * stroke))
    pad = 2 + stroke
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    plate = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad))
    ImageDraw.Draw(plate).text((pad - left, pad - top), text, fill=255, font=font)
    coverage = np.asarray(plate)[..., None] / 255
    background, letters = np.array(ink(colour, 1.0)), np.array(ink(RIM, 1.0))
    mixed: ImageArray = np.rint(background + coverage * (letters - background)).astype(np.uint8)
    return mixed


def side_colour(joint: str) -> Colour:
    """Of the body's left, right or middle, by the joint's name."""
    return _LEFT if joint.startswith("left_") else _RIGHT if joint.startswith("right_") else _MIDDLE


def _sides(box_xyxy_px: FloatArray) -> list[FloatArray]:
    """Four sides, (2 ends, 2) each, once around."""
    left, top, right, bottom = box_xyxy_px
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    return [np.stack(ends) for ends in pairwise(corners)]
