"""Upright boxes, xyxy: how far from each other, and which belong together."""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

_TINY = 1e-9
# half a person is seen behind somebody, and the whole a moment later
_LARGEST_RATIO = 2.2


def iou(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """(n, m) intersection over union of boxes (n, 4) with others (m, 4).

    >>> iou(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[0.333, 0.0]]
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (boxes, others)]
    union = areas[0][:, None] + areas[1] - shared
    return np.asarray(shared / np.maximum(union, _TINY))


def costs(boxes: FloatArray, others: FloatArray, reaches: FloatArray) -> FloatArray:
    """(n, m): how badly each of boxes (n, 4) fits each of others (m, 4); infinite where it cannot.

    A cost is the distance of the centres in longer sides, plus the share that does not overlap,
    plus the logarithm of the sizes' ratio. Boxes do not fit at all when their centres are farther
    apart than `reaches` (n,), in longer sides, or one is more than 2.2 times as long.
    """
    expect_shape("reaches", reaches, (len(boxes),))
    centres = [(each[:, :2] + each[:, 2:]) / 2 for each in (boxes, others)]
    sides = [(each[:, 2:] - each[:, :2]).max(axis=1) for each in (boxes, others)]
    mean_sides = np.maximum((sides[0][:, None] + sides[1]) / 2, _TINY)
    away = np.linalg.norm(centres[0][:, None] - centres[1], axis=2) / mean_sides
    longer = np.maximum(sides[0], _TINY)[:, None] / np.maximum(sides[1], _TINY)
    unlike = np.abs(np.log(longer))
    may_be = (away <= reaches[:, None]) & (unlike <= np.log(_LARGEST_RATIO))
    return np.where(may_be, away + (1 - iou(boxes, others)) + unlike, np.inf)


def pairs(cost: FloatArray) -> list[tuple[int, int]]:
    """Row and column of each pair, the cheapest first; every row and column at most once.

    >>> pairs(np.array([[0.1, 0.2], [0.15, np.inf]]))
    [(0, 0)]
    """
    rows, columns = np.nonzero(np.isfinite(cost))
    order = np.argsort(cost[rows, columns], kind="stable")
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in chosen and column not in taken:
            chosen[row] = column
            taken.add(column)
    return list(chosen.items())
