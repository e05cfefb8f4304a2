"""A sheet of paper that is measured in millimetres from its upper left corner."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Literal

from pose_service import __version__

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

A4_MM = (210.0, 297.0)
MARGIN_MM = 14.0

# Okabe & Ito's colours, which stay apart to whoever sees no red or no green.
LEFT, RIGHT = "#0072b2", "#d55e00"
EVENT, ACCENT = "#f0b429", "#009e73"
INK, PALE_INK, GRID = "#1b2430", "#66707d", "#d9dee5"

_MM_PER_INCH, _POINTS_PER_MM = 25.4, 72 / 25.4
_HINTED = 1.04  # letters set on a grid of pixels are so much wider
FONT = "DejaVu Sans"
"""Comes with matplotlib, so that a page looks the same on every machine."""


Dashes = Literal["solid", "dotted"] | tuple[float, tuple[float, float]]
"""Whole lines, dots, or where to begin and how long dashes and gaps are, in line widths."""


@dataclass(frozen=True)
class Type:
    """Letters: size in points, colour, `left` | `center` | `right` of the place given."""

    size_pt: float = 7.5
    colour: str = INK
    bold: bool = False
    align: str = "left"


PLAIN = Type()


@dataclass(frozen=True)
class Pen:
    """How lines are drawn: colour, width in points, dashes, 0 to 1 how clear, round ends."""

    colour: str
    width_pt: float
    dashes: Dashes = "solid"
    alpha: float = 1.0
    round_ends: bool = False


class Paper:
    """What is drawn goes to `figure`; `pdf` and `png` give it as files."""

    def __init__(self, size_mm: tuple[float, float] = A4_MM) -> None:
        from matplotlib.figure import Figure

        self.width_mm, self.height_mm = size_mm
        self.figure = Figure(figsize=(size_mm[0] / _MM_PER_INCH, size_mm[1] / _MM_PER_INCH))

    def axes(self, left: float, top: float, width: float, height: float) -> "Axes":
        """Bare axes at this place, mm."""
        axes = self.figure.add_axes(
            (left / self.width_mm, 1 - (top + height) / self.height_mm,
             width / self.width_mm, height / self.height_mm)
        )  # fmt: skip
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set(color=PALE_INK, linewidth=0.5)
        axes.tick_params(
            labelsize=6, length=2, width=0.5, pad=1.5, color=PALE_INK, labelcolor=PALE_INK,
            labelfontfamily=FONT,
        )  # fmt: skip
        return axes

    def text(self, left: float, base: float, words: str, letters: Type = PLAIN) -> None:
        """One line of `words` whose letters stand on `base`, mm."""
        self.figure.text(
            left / self.width_mm, 1 - base / self.height_mm, printable(words),
            fontproperties=_font(letters.size_pt, letters.bold), color=letters.colour,
            ha=letters.align, va="baseline", parse_math=False,
        )  # fmt: skip

    def line(self, ends_mm: Sequence[tuple[float, float]], pen: Pen) -> None:
        """Straight from place to place, (across, down) each."""
        from matplotlib.lines import Line2D

        across, down = zip(*ends_mm, strict=True)
        self.figure.add_artist(
            Line2D(
                [one / self.width_mm for one in across],
                [1 - one / self.height_mm for one in down],
                color=pen.colour, linewidth=pen.width_pt, linestyle=pen.dashes, alpha=pen.alpha,
                solid_capstyle="round" if pen.round_ends else "butt",
            )
        )  # fmt: skip

    def rule(self, left: float, down: float, width: float) -> None:
        """A thin line across."""
        self.line([(left, down), (left + width, down)], Pen(GRID, 0.6))

    def pdf(self, title: str, made_at: datetime | None = None) -> bytes:
        """The same bytes for the same drawing; `made_at` is said inside where it is given."""
        said = {"Title": title, "Creator": _producer(), "Producer": _producer()}
        return self._saved("pdf", said | {"CreationDate": made_at}, 72)

    def png(self, dots_per_inch: int = 144) -> bytes:
        """The same bytes for the same drawing."""
        return self._saved("png", {"Software": _producer()}, dots_per_inch)

    def _saved(self, form: str, said: Mapping[str, object], dots_per_inch: int) -> bytes:
        file = BytesIO()
        self.figure.savefig(file, format=form, metadata=dict(said), dpi=dots_per_inch)
        return file.getvalue()


def printable(words: str) -> str:
    """With a question mark for every letter that the typeface has not, and no line breaks."""
    known = _letters_known()
    return "".join(_letter(one, known) for one in unicodedata.normalize("NFC", words))


def width_mm(words: str, letters: Type) -> float:
    """How wide a line of words is at most, as a PDF and as a picture."""
    from matplotlib.textpath import text_to_path

    font = _font(letters.size_pt, letters.bold)
    width_pt, _, _ = text_to_path.get_text_width_height_descent(printable(words), font, False)
    return _HINTED * float(width_pt) / _POINTS_PER_MM


def fitted(words: str, most_mm: float, letters: Type) -> str:
    """`words`, cut with three dots where they are wider than `most_mm`."""
    if width_mm(words, letters) <= most_mm:
        return words
    fits, too_long = 0, len(words)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        shorter = width_mm(words[:middle].rstrip() + "…", letters) <= most_mm
        fits, too_long = (middle, too_long) if shorter else (fits, middle)
    return words[:fits].rstrip() + "…"


def wrapped(words: str, most_mm: float, letters: Type) -> list[str]:
    """Lines no wider than `most_mm`, broken between words; a longer word is cut."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(longer, letters) <= most_mm:
            lines[-1] = longer
        else:
            lines.append(fitted(word, most_mm, letters))
    return lines


def _letter(one: str, known: frozenset[int]) -> str:
    if one.isspace():
        return " "
    return one if ord(one) in known else "?"


@lru_cache(maxsize=1)
def _letters_known() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(_font(8.0, False))).get_charmap())


@lru_cache(maxsize=32)
def _font(size_pt: float, bold: bool) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, size=size_pt, weight="bold" if bold else "normal")


def _producer() -> str:
    return f"pose-service {__version__}"
