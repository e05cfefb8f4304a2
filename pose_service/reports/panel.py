"""What stands in the corners of an annotated picture: the clock, and the scores of one person."""

from functools import lru_cache

import numpy as np

from pose_service.biomechanics.movement import FrameMeasures
from pose_service.core.arrays import ImageArray
from pose_service.rendering.keypoints import confidence_colour
from pose_service.rendering.layers import ink, lay_over
from pose_service.rendering.shading import Colour
from pose_service.rendering.words import RIM, Page, letters_px, word_layer

SCORES = {
    "pose_quality": ("pose quality", 100.0),
    "stability_score": ("stability", 100.0),
    "symmetry_index": ("symmetry", 1.0),
    "athletic_readiness": ("readiness", 100.0),
}
"""The scores' names in print, and where each ends."""

UNKNOWN = "-"

_WHITE: Colour = (255, 255, 255)
_PALE: Colour = (190, 198, 210)
_BAR: Colour = (96, 192, 188)
_GROOVE: Colour = (70, 78, 92)
_PLATE_OPACITY = 0.62
# in letters
_MARGIN, _ROW, _WIDTH, _VALUE_AT = 0.6, 1.5, 14.5, 10.2
_BAR_LEFT, _BAR_RIGHT, _BAR_HEIGHT = 10.6, 14.0, 0.35


def clock_text(time_s: float, index: int) -> str:
    """
    >>> clock_text(63.2404, 1516)
    '1:03.240  frame 1516'
    """
    milliseconds = round(1000 * time_s)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest / 1000:06.3f}  frame {index}"


def draw_clock(page: Page, time_s: float, index: int) -> None:
    """In the upper left corner."""
    size_px = letters_px(page.image)
    margin = round(_MARGIN * size_px)
    page.write(word_layer(clock_text(time_s, index), _WHITE, size_px), np.full((1, 2), margin))


def score_text(name: str, value: float | None) -> str:
    """
    >>> score_text("symmetry_index", 0.876), score_text("pose_quality", 91.6)
    ('0.88', '92')
    """
    if value is None:
        return UNKNOWN
    return f"{value:.2f}" if SCORES[name][1] == 1.0 else f"{value:.0f}"


def draw_scores(page: Page, measured: FrameMeasures | None, least_confidence: float) -> None:
    """In the upper right corner; nothing on a picture too small for them."""
    size_px = letters_px(page.image)
    width, height = round(_WIDTH * size_px), round((_ROW * (len(SCORES) + 1) + 0.4) * size_px)
    margin = round(_MARGIN * size_px)
    left, top = page.image.shape[1] - width - margin, margin
    if left < width or top + height > page.image.shape[0] // 2:
        return
    page.reserve(left, top, width, height)
    lay_over(page.image, _plate(size_px, width, height, least_confidence), left, top)
    analysis = {} if measured is None else measured.movement_analysis
    for row, (name, (_, full)) in enumerate(SCORES.items()):
        value = analysis.get(name)
        middle = top + round((row + 0.8) * _ROW * size_px)
        word = word_layer(score_text(name, value), _WHITE, size_px)
        right = left + round(_VALUE_AT * size_px)
        lay_over(page.image, word, right - word.shape[1], middle - word.shape[0] // 2)
        if value is not None:
            share = float(np.clip(value / full, 0, 1))
            _fill_bar(page.image, left, middle, size_px, share)


def _fill_bar(picture: ImageArray, left: int, middle: int, size_px: int, share: float) -> None:
    rows, columns = _bar(size_px, share)
    plate_rows = picture[middle + rows.start : middle + rows.stop]
    plate_rows[:, left + columns.start : left + columns.stop] = _BAR


def _bar(size_px: int, share: float = 1.0) -> tuple[slice, slice]:
    """Rows about a row's middle, columns from the plate's left."""
    half = max(1, round(_BAR_HEIGHT * size_px / 2))
    length = share * (_BAR_RIGHT - _BAR_LEFT)
    columns = slice(round(_BAR_LEFT * size_px), round((_BAR_LEFT + length) * size_px))
    return slice(-half, half), columns


@lru_cache(maxsize=16)
def _plate(size_px: int, width: int, height: int, least_confidence: float) -> ImageArray:
    """All that is the same in every frame; nobody may write into it."""
    layer = np.empty((height, width, 4), np.uint8)
    layer[:] = ink(RIM, _PLATE_OPACITY)
    labels = [label for label, _ in SCORES.values()]
    for row, label in enumerate([*labels, f"confidence  {least_confidence:.2g} to 1"]):
        middle = round((row + 0.8) * _ROW * size_px)
        word = word_layer(label, _PALE, size_px)
        top, left = middle - word.shape[0] // 2, round(_MARGIN * size_px)
        _over(layer[top : top + word.shape[0], left : left + word.shape[1]], word)
        rows, columns = _bar(size_px)
        bar = layer[middle + rows.start : middle + rows.stop, columns]
        bar[:] = ink(_GROOVE, 1.0)
        if row == len(labels):
            shares = np.linspace(least_confidence, 1, bar.shape[1])
            bar[..., :3] = [confidence_colour(float(one), least_confidence) for one in shares]
    layer.flags.writeable = False
    return layer


def _over(behind: ImageArray, layer: ImageArray) -> None:
    """Lay one layer over another, in place."""
    kept = 1 - layer[..., 3:] / 255
    behind[:] = np.rint(layer + kept * behind)
