"""Whether there is light enough, and not too much."""

import numpy as np

from pose_service.avatar.check.refusals import Problem
from pose_service.core.arrays import FloatArray

_DARK, _BRIGHT, _FLAT = 45.0, 245.0, 12.0
"""Of 255, of the person's pixels: what a twentieth exceeds, what half exceed, and the range of nine
tenths. Black clothes are not darkness: skin or a border is bright beside them."""


def bad_light(gray: FloatArray) -> Problem | None:
    """What is wrong. `gray`: brightness of what ought to be seen, 0 to 255, of any shape."""
    low, middle, high = np.percentile(gray, [5, 50, 95])
    if high < _DARK:
        return Problem("TOO_DARK", "the person is almost black", "Take the picture in more light.")
    if middle > _BRIGHT:
        hint = "Take the picture with less light, or a shorter exposure."
        return Problem("TOO_BRIGHT", "the person is almost white", hint)
    if high - low < _FLAT:
        hint = "Take the picture in good light and before a background of another brightness."
        return Problem("NO_CONTRAST", "the person can hardly be told from the background", hint)
    return None
