"""Colours, sizes and words that all parts of the measurement sheet share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pose_service.measurement.bounds import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BODY_DPI, PICTURE_DPI = 200.0, 150.0
"""Dots per inch of the body in the vector file, and of the page as a picture."""

LEFT_MM, RIGHT_MM = 14.0, 196.0
"""The page's margins: nothing is drawn beyond them."""

INK, QUIET, FAINT = "#1d2630", "#5d6975", "#c9d0d7"
# two of Okabe and Ito's colours (2008), darkened for thin lines: told apart by colour-blind readers
GIRTH, LENGTH = "#0b62a4", "#b34a06"

TITLE_PT, LARGE_PT, LABEL_PT, TEXT_PT, SMALL_PT = 19.0, 10.0, 9.0, 8.0, 7.0

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "height": "Height",
        "chest": "Chest",
        "waist": "Waist",
        "hip": "Hip",
        "inseam": "Inseam",
        "shoulder_width": "Shoulder width",
        "arm_length": "Arm length",
        "thigh": "Thigh",
        "neck": "Neck",
    }
)
RELIABILITIES: Mapping[Reliability, str] = MappingProxyType(
    {
        Reliability.GOOD: "good",
        Reliability.FAIR: "fair",
        Reliability.POOR: "poor",
        Reliability.SCALE_GUESSED: "scale guessed",
    }
)


def colour_of(*, closed: bool) -> str:
    """Of a measure's lines: a tape around the body, or a length."""
    return GIRTH if closed else LENGTH


def write(paper: "Axes", x_mm: float, y_mm: float, words: str, **style: Any) -> None:
    """Put `words` at a place of the page; `style` as for `Axes.text`, without mathematics."""
    usual = {"fontsize": TEXT_PT, "color": INK, "va": "baseline"}
    paper.text(x_mm, y_mm, printable(words), parse_math=False, **{**usual, **style})


def printable(words: str) -> str:
    """`words` with a box in place of each letter that the page's font does not have.

    >>> printable("Zoë 中")
    'Zoë □'
    """
    if words.isascii():
        return words
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(letter if ord(letter) in known else "□" for letter in words)


def range_words(low_cm: float, high_cm: float) -> str:
    """Such as `90.3 - 98.0`, with a dash of the width of a figure."""
    return f"{low_cm:.1f} – {high_cm:.1f}"
