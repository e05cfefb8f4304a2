"""Numbers and names as they are printed."""

import math

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
    """With minutes from two of them on.

    >>> seconds(3.204), seconds(185.0)
    ('3.20 s', '3:05.0')
    """
    if time_s < 120:
        return f"{time_s:.2f} s"
    minutes, rest = divmod(round(10 * time_s), 600)
    return f"{minutes}:{rest / 10:04.1f}"
