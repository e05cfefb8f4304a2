"""Where a detector's raw outputs belong in its input square."""

from collections.abc import Sequence

import numpy as np

from pose_service.core.arrays import FloatArray

_GRIDS = ((28, 2), (14, 2), (7, 6))
"""(cells per side, anchors per cell); three layers of stride 32 share the last grid."""


def anchor_centres(grids: Sequence[tuple[int, int]] = _GRIDS) -> FloatArray:
    """(n, 2) anchor centres x, y as fractions of the input square; 2254 of the BlazePose detector.

    `grids`: cells per side and anchors per cell of each. Grid by grid, row by row, then column,
    then anchor. Every anchor has size 1.

    >>> anchor_centres().shape
    (2254, 2)
    """
    return np.concatenate([_grid(cells, anchors) for cells, anchors in grids])


def _grid(cells: int, anchors: int) -> FloatArray:
    rows, columns = np.mgrid[:cells, :cells]
    centres = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) / cells
    return centres.repeat(anchors, axis=0)
