"""Array types and the shape check that every record makes when it is born."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
ImageArray = NDArray[np.uint8]


def expect_shape(name: str, array: NDArray[Any], shape: tuple[int | str, ...]) -> None:
    """Raise `ValueError` unless `array` has `shape`.

    A string in `shape` stands for any length and names it in the message:

    >>> expect_shape("boxes_xyxy_px", np.zeros((2, 4)), ("n", 4))
    >>> expect_shape("scores", np.zeros(3), (4,))
    Traceback (most recent call last):
    ...
    ValueError: scores: expected (4,), got (3,)
    """
    got = array.shape
    fits = len(got) == len(shape) and all(
        isinstance(want, str) or want == length for want, length in zip(shape, got, strict=True)
    )
    if not fits:
        raise ValueError(f"{name}: expected {_text(shape)}, got {_text(got)}")


def _text(shape: tuple[int | str, ...]) -> str:
    inner = ", ".join(str(length) for length in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
