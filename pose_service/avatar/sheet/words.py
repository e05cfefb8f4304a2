"""Head and foot of the measurement sheet: whose body it is, and what its numbers are worth."""

from itertools import chain
from textwrap import wrap
from typing import TYPE_CHECKING

from pose_service.avatar.sheet.data import SheetData
from pose_service.avatar.sheet.style import (
    FAINT,
    INK,
    LARGE_PT,
    LEFT_MM,
    LENGTH,
    QUIET,
    RIGHT_MM,
    SMALL_PT,
    TITLE_PT,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TITLE_Y_MM, _SUBJECT_MM, _MADE_Y_MM, _HEIGHT_Y_MM, _RULE_Y_MM = 274.0, 7.0, 267.5, 260.5, 256.5
_NOTES_Y_MM, _LINE_MM, _MOST_LINES = 38.5, 3.6, 9
# what fits between the margins at these sizes
_TITLE_LETTERS, _SUBJECT_LETTERS, _MADE_LETTERS, _LETTERS = 30, 50, 110, 135
_READING = (
    "Solid lines are in sight, dashed ones go behind or through the body. Low and high: how far a "
    "value may be off.",
    "The body is a model's, fitted to the pictures and shown at rest without clothes. How each "
    "measure is taken: docs/measurements.md.",
)


def draw_words(paper: "Axes", data: SheetData) -> None:
    """Title, subject, date, engine, what is known of the height, and the notes."""
    caption, fitted = data.caption, data.fitted
    title_y_mm = _TITLE_Y_MM
    if caption.subject:
        write(
            paper, LEFT_MM, _TITLE_Y_MM, _cut(caption.subject, _SUBJECT_LETTERS), fontsize=LARGE_PT
        )
        title_y_mm += _SUBJECT_MM
    title = _cut(caption.title, _TITLE_LETTERS)
    write(paper, LEFT_MM, title_y_mm, title, fontsize=TITLE_PT, fontweight="bold")
    if caption.made_at is not None:
        write(paper, RIGHT_MM, title_y_mm, f"{caption.made_at:%Y-%m-%d}", color=QUIET, ha="right")
    made = f"Body {fitted.body_name}, made by {fitted.model_version}"
    write(paper, LEFT_MM, _MADE_Y_MM, _cut(made, _MADE_LETTERS), color=QUIET)
    words, colour = _height(data)
    write(paper, LEFT_MM, _HEIGHT_Y_MM, words, fontsize=LARGE_PT, color=colour, fontweight="bold")
    paper.plot([LEFT_MM, RIGHT_MM], [_RULE_Y_MM] * 2, color=FAINT, linewidth=0.8)
    for line, words in enumerate(_notes(data)):
        y_mm = _NOTES_Y_MM - line * _LINE_MM
        write(paper, LEFT_MM, y_mm, words, fontsize=SMALL_PT, color=QUIET)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _height(data: SheetData) -> tuple[str, str]:
    """What is known of the scale, and the colour to say it in."""
    height_cm = data.bounds["height"].value_cm
    if data.fitted.scale_known:
        return f"Height given: {height_cm:.1f} cm", INK
    return (
        f"Height not given. {height_cm:.1f} cm is a guess; all values grow and shrink with it",
        LENGTH,
    )


def _notes(data: SheetData) -> list[str]:
    """Lines of text; what has no room is said to be left out."""
    lines = list(chain.from_iterable(wrap(t, _LETTERS) for t in (*_READING, *data.fitted.notes)))
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], "More notes have no room here; the avatar's record has all."]
