"""Layers: what is drawn is collected as red, green, blue, opacity, and laid over the picture once.

Colours in a layer are already multiplied by their opacity. So OpenCV's antialiased lines, which
mix the new colour with what is there, come out right on an empty layer, and a layer can be blurred
without its empty parts bleeding in.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.rendering.shading import Colour

Ink = tuple[float, float, float, float]
"""Red, green, blue, all times the opacity, and the opacity; each 0 to 255."""

_SUBPIXEL_BITS = 4
# Outside every picture; much farther out OpenCV's whole-number coordinates run over.
_FAR_PX = 1e5
_STILL_PX = 1e-9  # stands for no way at all, so that a side's distance can be divided by it


def empty_layer(image: ImageArray) -> ImageArray:
    """A clear layer of the picture's size: (height, width, 4)."""
    return np.zeros((*image.shape[:2], 4), np.uint8)


def ink(colour: Colour, opacity: float) -> Ink:
    """What to draw with on a layer: `colour` at `opacity`, 0 to 1."""
    red, green, blue = colour
    opacity = float(opacity)  # OpenCV takes no single-precision numbers
    return red * opacity, green * opacity, blue * opacity, 255 * opacity


def lay_over(image: ImageArray, layer: ImageArray, left: int = 0, top: int = 0) -> None:
    """Lay `layer` (h, w, 4) over `image` (height, width, 3), in place, from pixel (`left`, `top`).

    What does not fit on the picture is left out.
    """
    x, y, width, height = cv2.boundingRect(layer[..., 3])
    x_end = min(x + width, image.shape[1] - left)
    y_end = min(y + height, image.shape[0] - top)
    x, y = max(x, -left), max(y, -top)
    if x >= x_end or y >= y_end:
        return
    drawn = layer[y:y_end, x:x_end]
    window = image[top + y : top + y_end, left + x : left + x_end]
    behind = cv2.cvtColor(255 - drawn[..., 3], cv2.COLOR_GRAY2RGB)
    # packed anew: OpenCV is many times slower on every fourth byte left out
    colours = cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB)
    window[:] = cv2.add(cv2.multiply(window, behind, scale=1 / 255), colours)


def draw_line(layer: ImageArray, ends_px: FloatArray, paint: Ink, thickness_px: int) -> None:
    """A straight antialiased line between two points, (2, 2), which may be far outside."""
    start, end = (_fixed_point(point) for point in _near_part(ends_px))
    cv2.line(layer, start, end, paint, thickness_px, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_dot(layer: ImageArray, centre_px: FloatArray, paint: Ink, radius_px: float) -> None:
    """A filled antialiased circle around a point, (2,), which may be far outside."""
    radius = round(radius_px * 2**_SUBPIXEL_BITS)
    centre = _fixed_point(np.clip(centre_px, -_FAR_PX, _FAR_PX))
    cv2.circle(layer, centre, radius, paint, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_path(layer: ImageArray, points_px: FloatArray, paint: Ink, thickness_px: int) -> None:
    """An antialiased line through points, (n, 2), which may be far outside."""
    cv2.polylines(
        layer, [_fixed_path(points_px)], False, paint, thickness_px, cv2.LINE_AA, _SUBPIXEL_BITS
    )


def fill_path(layer: ImageArray, points_px: FloatArray, paint: Ink) -> None:
    """The inside of a closed line through points, (n, 2), which may be far outside."""
    cv2.fillPoly(layer, [_fixed_path(points_px)], paint, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed_path(points_px: FloatArray) -> NDArray[np.int32]:
    near = np.clip(points_px, -_FAR_PX, _FAR_PX)
    path: NDArray[np.int32] = np.rint((near - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
    return path


def _near_part(ends_px: FloatArray) -> FloatArray:
    """The part of a line that OpenCV can count (Liang and Barsky 1984), else a point far away."""
    if np.abs(ends_px).max() < _FAR_PX:
        return ends_px
    start, way = ends_px[0], ends_px[1] - ends_px[0]
    safe_way = np.where(way == 0, _STILL_PX, way)
    crossings = (np.array([[-_FAR_PX], [_FAR_PX]]) - start) / safe_way
    enter = max(crossings.min(axis=0).max(), 0.0)
    leave = min(crossings.max(axis=0).min(), 1.0)
    if enter > leave:
        return np.full((2, 2), _FAR_PX)
    part: FloatArray = start + np.array([[enter], [leave]]) * way
    return part


def _fixed_point(point_px: FloatArray) -> tuple[int, int]:
    """OpenCV counts from the centre of the first pixel, we from its corner."""
    x, y = np.rint((point_px - 0.5) * 2**_SUBPIXEL_BITS)
    return int(x), int(y)
