"""Tables of words on paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from pose_service.reports.paper import INK, PALE_INK, Paper, Type, fitted

ROW_MM = 4.1
_TITLE_MM = 4.2


@dataclass(frozen=True)
class Column:
    """`align`: `left` for words, `right` for numbers."""

    head: str
    width_mm: float
    align: str = "right"


@dataclass(frozen=True)
class Table:
    """Rows of as many cells as there are columns; `colours`: of the first cell in each row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    colours: tuple[str, ...] = ()

    @property
    def width_mm(self) -> float:
        return sum(column.width_mm for column in self.columns)

    @property
    def height_mm(self) -> float:
        return _TITLE_MM + ROW_MM * (len(self.rows) + 1)


def draw_table(paper: Paper, left: float, top: float, table: Table) -> float:
    """The table with its upper left corner here; returns where it ends, mm."""
    paper.text(left, top + 0.75 * ROW_MM, table.title, Type(8, bold=True))
    top += _TITLE_MM
    base = top + 0.75 * ROW_MM
    _draw_row(paper, left, base, table, [column.head for column in table.columns], PALE_INK)
    paper.rule(left, top + ROW_MM, table.width_mm)
    for number, row in enumerate(table.rows):
        colour = table.colours[number] if table.colours else INK
        _draw_row(paper, left, base + (number + 1) * ROW_MM, table, row, colour)
    return top + ROW_MM * (len(table.rows) + 1)


def _draw_row(
    paper: Paper, left: float, base: float, table: Table, cells: Sequence[str], colour: str
) -> None:
    for number, (column, cell) in enumerate(zip(table.columns, cells, strict=True)):
        head = colour == PALE_INK
        letters = Type(
            6.5 if head else 7, INK if number and not head else colour, False, column.align
        )
        place = left if column.align == "left" else left + column.width_mm
        paper.text(place, base, fitted(cell, column.width_mm - 1, letters), letters)
        left += column.width_mm
