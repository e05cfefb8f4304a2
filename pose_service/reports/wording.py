"""Numbers and names as they are printed."""

import math

from pose_service.biomechanics.summary import ClipSummary

UNKNOWN = "–"


def spoken(name: str) -> str:
    """
    >>> spoken("left_knee")
    'left knee'
    """
    return name.replace("_", " ")


def number(value: float | None, digits: int = 0, *, sign: bool = False) -> str:
    """
    >>> number(-3.46, 1, sign=True), number(None), number(-0.2)
    ('−3.5', '–', '0')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    if not float(text):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def degrees(value: float | None, *, sign: bool = False) -> str:
    """
    >>> degrees(91.6)
    '92°'
    """
    text = number(value, sign=sign)
    return text if text == UNKNOWN else f"{text}°"


def seconds(time_s: float) -> str:
    """With minutes from the first on.

    >>> seconds(3.204), seconds(185.0)
    ('3.20 s', '3:05.0')
    """
    if round(time_s, 2) < 60:
        return f"{time_s:.2f} s"
    minutes, rest = divmod(round(10 * time_s), 600)
    return f"{minutes}:{rest / 10:04.1f}"


def repeated_words(summary: ClipSummary) -> str:
    """What was found to be repeated, in a sentence."""
    found = summary.repetitions
    if found is None or summary.repeated_angle is None:
        return "No movement was found to repeat."
    count = f"{len(found)} repetition{'' if len(found) == 1 else 's'}"
    return f"{count} of the {spoken(summary.repeated_angle)}, one each {found.period_s:.2f} s"
