"""Words on pictures: letters with a dark rim, and where they hide nothing that was written."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pose_service.core.arrays import FloatArray, ImageArray, IntArray
from pose_service.rendering.layers import lay_over
from pose_service.rendering.shading import Colour

RIM: Colour = (24, 28, 36)

_SMALLEST_PX = 11
"""Letters below this size cannot be read."""

_PATIENCE = 6  # marks more that a word may hide where it stood before
_PICTURE_SHARE = 1 / 62  # of the root of the picture's area: 23 on full high definition


def letters_px(image: ImageArray) -> int:
    """Size of letters that suits the picture's."""
    height, width = image.shape[:2]
    return max(_SMALLEST_PX, round(float(np.sqrt(height * width)) * _PICTURE_SHARE))


@lru_cache(maxsize=2048)
def word_layer(text: str, colour: Colour, size_px: int) -> ImageArray:
    """`text` with a rim, as a small layer (h, w, 4); made once. Nobody may write into it."""
    font, rim = letter_font(size_px), max(1, round(size_px / 9))
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text, stroke_width=rim))
    size, place = (max(1, right - left), max(1, bottom - top)), (-left, -top)
    around, inside = (_coverage(text, font, size, place, width) for width in (rim, 0))
    layer = np.empty((size[1], size[0], 4), np.uint8)
    mixed = inside[..., None] * np.array(colour) + (around - inside)[..., None] * np.array(RIM)
    layer[..., :3], layer[..., 3] = np.rint(mixed), np.rint(255 * around)
    layer.flags.writeable = False
    return layer


class Page:
    """A picture on which words keep clear of each other, and of `marks_px` (n, 2) if they can."""

    def __init__(self, image: ImageArray, marks_px: FloatArray | None = None) -> None:
        self.image = image
        self._marks_px = np.zeros((0, 2)) if marks_px is None else marks_px
        self._taken: list[tuple[int, int, int, int]] = []

    def reserve(self, left: int, top: int, width: int, height: int) -> None:
        """Nothing is to be written here."""
        self._taken.append((left, top, left + width, top + height))

    def write(self, layer: ImageArray, places: IntArray, wanted: int | None = None) -> int | None:
        """Lay `layer` where it is free and inside of the picture; the place's number, if any is.

        `places`: (n, 2) left and top. Of the free ones the one that hides the fewest marks, the
        first of several; but `wanted` is kept while it is hardly worse, so that words of a film
        do not jump about.
        """
        size = np.array(layer.shape[1::-1])
        free = np.flatnonzero(self._free(places, places + size))
        if not len(free):
            return None
        hidden = self._hidden(places[free], size) - np.where(free == wanted, _PATIENCE, 0)
        chosen = int(free[hidden.argmin()])
        left, top = places[chosen].tolist()
        lay_over(self.image, layer, left, top)
        self.reserve(left, top, *size.tolist())
        return chosen

    def _hidden(self, places: IntArray, size: IntArray) -> IntArray:
        """(n,) how many marks a word of this size would hide."""
        near = _within(self._marks_px, places.min(axis=0), places.max(axis=0) + size)
        marks_px = self._marks_px[near]
        hidden: IntArray = _within(marks_px, places[:, None], places[:, None] + size).sum(axis=1)
        return hidden

    def _free(self, low: IntArray, high: IntArray) -> NDArray[np.bool_]:
        """(n,) of boxes from `low` to `high`, (n, 2) each."""
        taken = np.array(self._taken, np.int64).reshape(-1, 1, 4)
        apart = (high <= taken[..., :2]).any(axis=2) | (low >= taken[..., 2:]).any(axis=2)
        rows, columns = self.image.shape[:2]
        inside = (low >= 0).all(axis=1) & (high <= (columns, rows)).all(axis=1)
        return np.asarray(inside & apart.all(axis=0))


def _within(points: FloatArray, low: IntArray, high: IntArray) -> NDArray[np.bool_]:
    """(..., n) which of (n, 2) points lie in a box, or in each of (..., 1, 2) boxes."""
    return np.asarray(((points >= low) & (points <= high)).all(axis=-1))


def _coverage(
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size: tuple[int, int],
    place: tuple[int, int],
    rim_px: int,
) -> FloatArray:
    """(h, w) 0 to 1, how much of each pixel the letters cover."""
    plate = Image.new("L", size)
    ImageDraw.Draw(plate).text(place, text, fill=255, font=font, stroke_width=rim_px)
    return np.asarray(plate, np.float64) / 255


@lru_cache(maxsize=16)
def letter_font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface; reading it takes longer than writing a word."""
    return ImageFont.load_default(size=size_px)
