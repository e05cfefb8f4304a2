"""Arcs of angles in the picture: which way they open, and where there is room for a word."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape
from pose_service.rendering.layers import Ink, draw_path, fill_path

_STEP_DEG = 6.0  # a chord of so many degrees is round to the eye


@dataclass(frozen=True)
class Arc:
    """From `start_deg` on by `sweep_deg`, -180 to 180, around `centre_px` (2,).

    Directions are degrees from the picture's right, clockwise on the screen, as y points down.
    """

    centre_px: FloatArray
    radius_px: float
    start_deg: float
    sweep_deg: float

    def __post_init__(self) -> None:
        expect_shape("centre_px", self.centre_px, (2,))

    def points_px(self) -> FloatArray:
        """(n, 2) along the arc, both ends with it."""
        count = 2 + int(abs(self.sweep_deg) / _STEP_DEG)
        turned = np.radians(self.start_deg + np.linspace(0.0, self.sweep_deg, count))
        around: FloatArray = np.stack([np.cos(turned), np.sin(turned)], axis=-1)
        return self.centre_px + self.radius_px * around

    @property
    def middle_deg(self) -> float:
        """Direction from the centre through the middle of the arc."""
        return self.start_deg + self.sweep_deg / 2


def arc_between(
    first_px: FloatArray, corner_px: FloatArray, last_px: FloatArray, radius_px: float
) -> Arc | None:
    """The smaller of the two arcs from the side of `first_px` to that of `last_px`, (2,) each.

    None where a place is not known or falls on the corner: there is no angle then.
    """
    sides = np.stack([first_px, last_px]) - corner_px
    if not np.isfinite(sides).all() or not np.any(sides, axis=1).all():
        return None
    start_deg, end_deg = np.degrees(np.arctan2(sides[:, 1], sides[:, 0])).tolist()
    sweep_deg = (end_deg - start_deg + 180) % 360 - 180
    return Arc(np.asarray(corner_px, np.float64), radius_px, start_deg, sweep_deg)


def fill_arc(layer: ImageArray, arc: Arc, paint: Ink) -> None:
    """The sector between the arc and its centre."""
    fill_path(layer, np.vstack([arc.centre_px, arc.points_px()]), paint)


def draw_arc(layer: ImageArray, arc: Arc, paint: Ink, thickness_px: int) -> None:
    """The arc's line."""
    draw_path(layer, arc.points_px(), paint, thickness_px)
