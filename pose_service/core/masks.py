"""Which pixels show a person, as runs: a mask of a whole picture in a few hundred bytes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import IntArray, expect_shape

# of the text form (COCO's API, maskApi.c): five bits a letter, the sixth says that more follow
_LETTER_BITS, _MORE, _SIGN, _FIRST_LETTER = 5, 0x20, 0x10, 48


@dataclass(frozen=True)
class Mask:
    """`height_px`, `width_px`: of the picture. `runs`: (n,) lengths, down column after column.

    Pixels off and on take turns, the first run is off and may be empty: COCO's run lengths.
    """

    height_px: int
    width_px: int
    runs: IntArray

    def __post_init__(self) -> None:
        expect_shape("runs", self.runs, ("n",))
        total = int(self.runs.sum())
        if total != self.height_px * self.width_px or (self.runs < 0).any():
            raise ValueError(
                f"runs: expected {self.height_px} x {self.width_px} pixels, got {total}"
            )

    @classmethod
    def of(cls, pixels: NDArray[np.bool_]) -> Self:
        """Of (height, width) pixels.

        >>> Mask.of(np.array([[False, True], [True, True]])).runs.tolist()
        [1, 3]
        """
        expect_shape("pixels", pixels, ("height", "width"))
        column_wise = np.concatenate([[False], pixels.ravel(order="F")])
        changes = np.flatnonzero(column_wise[1:] != column_wise[:-1])
        runs = np.diff(np.concatenate([[0], changes, [pixels.size]]))
        return cls(pixels.shape[0], pixels.shape[1], runs)

    def pixels(self) -> NDArray[np.bool_]:
        """(height, width)."""
        on = np.arange(len(self.runs)) % 2 == 1
        flat = np.repeat(on, self.runs)
        return flat.reshape(self.height_px, self.width_px, order="F")

    def text(self) -> str:
        """The runs as COCO writes them in JSON.

        >>> Mask.of(np.eye(3, dtype=bool)).text()
        '013000'
        """
        letters = bytearray()
        for place, run in enumerate(self.runs.tolist()):
            # from the third on, each is told by its difference from the one before last
            value = run - int(self.runs[place - 2]) if place > 2 else run
            letters += _letters(value)
        return letters.decode("ascii")

    @classmethod
    def read(cls, text: str, height_px: int, width_px: int) -> Self:
        """The inverse of `text`; `ValueError` for what is none, or of another picture's size."""
        runs: list[int] = []
        value, shift = 0, 0
        for letter in text.encode("ascii"):
            bits = letter - _FIRST_LETTER
            if not 0 <= bits < 2 * _MORE or shift > 60:
                raise ValueError(f"a mask's text has the letter {chr(letter)!r}")
            value |= (bits & (_MORE - 1)) << shift
            shift += _LETTER_BITS
            if not bits & _MORE:
                if bits & _SIGN:
                    value -= 1 << shift
                runs.append(value + runs[-2] if len(runs) > 2 else value)
                value, shift = 0, 0
        if shift:
            raise ValueError("a mask's text ends early")
        return cls(height_px, width_px, np.array(runs, np.int64))


def _letters(value: int) -> bytes:
    letters = bytearray()
    while True:
        bits = value & (_MORE - 1)
        value >>= _LETTER_BITS
        done = value == (-1 if bits & _SIGN else 0)
        letters.append(_FIRST_LETTER + (bits if done else bits | _MORE))
        if done:
            return bytes(letters)
