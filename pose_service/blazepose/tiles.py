"""Which squares of a picture the detector looks at, so that it sees small and many people."""

import math
from typing import NamedTuple

import numpy as np

MIN_SIDE_PX = 32
_MAX_STEP = 0.7  # of a tile's side: neighbours share at least 30 %
_SIDES = (1.0, 0.6)
_MAX_TILES = 24
_THOROUGH_SIDES = (1.0, 0.6, 0.4)
_MAX_TILES_THOROUGH = 64


class Tile(NamedTuple):
    """A part of a picture, pixels: left, top, width, height."""

    left: int
    top: int
    width: int
    height: int


def tiles(width: int, height: int, *, thorough: bool = False) -> list[Tile]:
    """The whole picture, then squares of a share of its shorter edge, from large to small.

    Squares of one size overlap by at least 30 % unless the cap on their number thins them out,
    which only very long pictures meet; squares under `MIN_SIDE_PX` are left out.
    """
    whole = Tile(0, 0, width, height)
    room = (_MAX_TILES_THOROUGH if thorough else _MAX_TILES) - 1
    found = [whole]
    for share in _THOROUGH_SIDES if thorough else _SIDES:
        squares = [tile for tile in _squares(width, height, share) if tile != whole]
        found += _thinned(squares, room)
        room -= min(room, len(squares))
    return found


def smallest_share(*, thorough: bool) -> float:
    """Side of the smallest square as a share of the picture's shorter edge."""
    return min(_THOROUGH_SIDES if thorough else _SIDES)


def _squares(width: int, height: int, share: float) -> list[Tile]:
    side = round(share * min(width, height))
    if side < MIN_SIDE_PX:
        return []
    return [
        Tile(left, top, side, side)
        for top in _starts(height, side)
        for left in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    """Evenly spaced starts of `side` long pieces that cover `length`."""
    count = math.ceil((length - side) / (_MAX_STEP * side)) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _thinned(squares: list[Tile], room: int) -> list[Tile]:
    if len(squares) <= room:
        return squares
    return [squares[round(i)] for i in np.linspace(0, len(squares) - 1, room)]
