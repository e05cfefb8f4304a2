"""What kind of net an ONNX file holds, told by the shapes of what it takes and gives.

Names of inputs and outputs are the exporter's whim and not looked at; an axis that a file leaves
open fits every length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pose_service.core.skeletons import COCO17
from pose_service.runtime.opening.onnx_outline import Length, Value

SPLIT_RATIO: Final = 2.0
"""Places of a SimCC curve per pixel of the crop: RTMPose's `simcc_split_ratio`."""
HEATMAP_STRIDE_PX: Final = 4
"""Pixels of the crop per cell of a heat map."""
GRID_STRIDES_PX: Final = (8, 16, 32)
"""Pixels of the square per cell of YOLOX's three grids."""
Shape = tuple[Length, ...] | None
JOINTS: Final = len(COCO17)


class Kind(StrEnum):
    """Kinds of nets, in the words of an error."""

    SIMCC = "two curves for each of 17 joints (RTMPose)"
    HEATMAPS = "a heat map for each of 17 joints (HRNet)"
    BOXES = "boxes with scores, sorted out already (RTMDet, YOLOX)"
    GRID = "boxes of every cell, not sorted out (YOLOX)"


@dataclass(frozen=True)
class Layout:
    """`size_px`: width and height of the pictures. `outputs`: which are read, in reading order."""

    kind: Kind
    size_px: tuple[int, int]
    outputs: tuple[int, ...]


def size_of(value: Value, usual_px: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the input `value`, `usual_px` where it is open.

    `ValueError` if it takes something else than batches of RGB pictures.
    """
    shape = value.shape
    if not _fits(shape, (None, 3, None, None)) or shape is None:
        raise ValueError(f"an input (n, 3, height, width) was expected, got {value}")
    return shape[3] or usual_px[0], shape[2] or usual_px[1]


def layout_of(
    size_px: tuple[int, int], shapes: Sequence[Shape], kinds: Sequence[Kind]
) -> Layout | None:
    """The first of `kinds` that outputs of these shapes may be of; None if they are of none."""
    for kind in kinds:
        wanted = _wanted(kind, size_px)
        found = _assigned(wanted, shapes)
        if found is not None and (kind is Kind.BOXES or len(shapes) == len(wanted)):
            return Layout(kind, size_px, found)
    return None


def in_words(size_px: tuple[int, int], kinds: Sequence[Kind]) -> str:
    """What outputs were wanted."""
    return " or ".join(
        f"{' and '.join(map(_text, _wanted(kind, size_px)))}: {kind}" for kind in kinds
    )


def _wanted(kind: Kind, size_px: tuple[int, int]) -> tuple[tuple[Length, ...], ...]:
    width, height = size_px
    if kind is Kind.SIMCC:
        return tuple((None, JOINTS, int(SPLIT_RATIO * length)) for length in size_px)
    if kind is Kind.HEATMAPS:
        return ((None, JOINTS, height // HEATMAP_STRIDE_PX, width // HEATMAP_STRIDE_PX),)
    if kind is Kind.BOXES:
        return ((None, None, 5),)
    cells = sum((width // stride) * (height // stride) for stride in GRID_STRIDES_PX)
    return ((None, cells, None),)


def _assigned(
    wanted: Sequence[tuple[Length, ...]], shapes: Sequence[Shape]
) -> tuple[int, ...] | None:
    """For each shape wanted the first output that fits and is not taken yet."""
    taken: list[int] = []
    for shape in wanted:
        free = (index for index, came in enumerate(shapes) if index not in taken)
        index = next((index for index in free if _fits(shapes[index], shape)), None)
        if index is None:
            return None
        taken.append(index)
    return tuple(taken)


def _fits(came: Shape, wanted: tuple[Length, ...]) -> bool:
    if came is None:
        return True
    pairs = zip(came, wanted, strict=False)
    return len(came) == len(wanted) and all(a is None or b is None or a == b for a, b in pairs)


def _text(shape: tuple[Length, ...]) -> str:
    return f"({', '.join('n' if length is None else str(length) for length in shape)})"
