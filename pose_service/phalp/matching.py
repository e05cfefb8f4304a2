"""Which detection goes on which track: the assignment of least cost, gated."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.phalp.records import Compat

# what a pair beyond the gate costs more, so that it is taken only where there is no other
_BEYOND = 1e-5

Pair = tuple[int, int]


@dataclass(frozen=True)
class Assignment:
    """`matches`: (track, detection), by rising track; and who is left over."""

    matches: tuple[Pair, ...]
    unmatched_tracks: tuple[int, ...]
    unmatched_detections: tuple[int, ...]


def assign(cost: FloatArray, gate: float, compat: Compat = "fixed") -> Assignment:
    """The pairs of least total `cost` (tracks, detections); none is beyond `gate` or undefined.

    Costs are cut at the gate before they are assigned, so a pair within it may have to give way
    to a cheaper one (phalp/trackers/linear_assignment.py):

    >>> assign(np.array([[50.0, 1000.0], [10.0, 200.0]]), gate=100.0).matches
    ((1, 0),)
    """
    expect_shape("cost", cost, ("tracks", "detections"))
    with np.errstate(invalid="ignore"):
        within = cost <= gate
    rows, columns = linear_sum_assignment(np.where(within, cost, gate + _BEYOND))
    pairs: list[Pair] = list(zip(rows.tolist(), columns.tolist(), strict=True))
    matches = tuple(pair for pair in pairs if within[pair])
    return Assignment(matches, *_left_over(cost.shape, pairs, matches, compat))


def _left_over(
    shape: tuple[int, ...], pairs: list[Pair], matches: tuple[Pair, ...], compat: Compat
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tracks and detections of no match, ascending.

    Upstream has tracks in the order of a set of ints, which is another from 8 tracks on, and
    detections that nobody was assigned before those beyond the gate.
    """
    tracks = set(range(shape[0])) - {row for row, _ in matches}
    unassigned = set(range(shape[1])) - {column for _, column in pairs}
    gated = [pair[1] for pair in pairs if pair not in matches]
    if compat == "upstream" and matches:
        return tuple(tracks), (*sorted(unassigned), *gated)
    return tuple(sorted(tracks)), tuple(sorted(unassigned | set(gated)))
