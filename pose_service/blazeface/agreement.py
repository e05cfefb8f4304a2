"""What several looks at one place agree on."""

from collections.abc import Sequence

import numpy as np

from pose_service.blazepose.candidates import Candidates, overlapping, weighted_mean
from pose_service.core.arrays import FloatArray, IntArray


def agreed(looks: Sequence[Candidates]) -> Candidates:
    """The candidates of all `looks` (at least one), one for each group of overlapping ones.

    Its place is the mean of the group weighted by score; its score is the mean over the looks of
    the best that each gave to the group, 0 where it gave none. A dark head of hair convinces one
    network at one size; a face convinces both at every size.
    """
    pool = Candidates.join(looks)
    look_of = np.repeat(np.arange(len(looks)), [len(look) for look in looks])
    found = [
        _scored(weighted_mean(pool, group), _mean_best(pool.scores, look_of, group, len(looks)))
        for group in overlapping(pool)
    ]
    return Candidates.join(found) if found else pool


def _mean_best(scores: FloatArray, look_of: IntArray, group: IntArray, looks: int) -> float:
    best = np.zeros(looks)
    np.maximum.at(best, look_of[group], scores[group])
    return float(best.mean())


def _scored(one: Candidates, score: float) -> Candidates:
    return Candidates(one.boxes_xyxy, one.points, np.array([score]))
