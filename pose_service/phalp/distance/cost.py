"""PHALP's cost EQ_019 (phalp/utils/utils_tracks.py): how badly each detection fits each track.

It is a product of four factors, one each for look, pose, place and nearness, all at least 1. So
the last three are a lower bound: pairs whose bound is beyond the gate need no look at all.
"""

from typing import Final

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.phalp.distance.terms import Terms
from pose_service.phalp.records import Compat

GATE: Final = 100.0
"""A pair that costs more is none."""
_LOOK, _POSE, _PLACE, _NEARNESS = 4.0536, 1.3070, 0.3792, 4.1658
_LARGEST_POSE = 1.5
_LEAST_SPREAD = 0.1


def lower_bounds(terms: Terms) -> FloatArray:
    """(n, m): what pose, place and nearness cost, whatever the look; NaN where undefined."""
    spread = _LEAST_SPREAD + np.tanh(terms.spread)
    nearness_spread = _LEAST_SPREAD + np.tanh(terms.nearness_spread)
    with np.errstate(over="ignore", invalid="ignore"):
        place = np.exp(terms.apart / (_PLACE * spread))
        nearness = np.exp(terms.nearness / (_NEARNESS * nearness_spread))
        return np.asarray((1 + _POSE * np.minimum(terms.pose, _LARGEST_POSE)) * place * nearness)


def costs(
    bounds: FloatArray, looks: FloatArray, compat: Compat = "fixed", gate: float = GATE
) -> FloatArray:
    """(n, m) costs of pairs with `bounds` (n, m), whose looks differ by `looks` (n, m), 0 or more.

    A look of NaN says that two looks cannot be compared: it counts as the median of those that
    could be, but takes no pair beyond the gate. In upstream it counts as one and the same look.
    An undefined cost is infinite; upstream makes it 0, the best of all.
    """
    expect_shape("looks", looks, bounds.shape)
    unknown = np.isnan(looks)
    usual = 0.0 if compat == "upstream" else _median(looks)
    with np.errstate(over="ignore", invalid="ignore"):
        product = (1 + _LOOK * np.where(unknown, usual, looks)) * bounds
        product = np.where(unknown & (bounds <= gate), np.minimum(product, gate), product)
    return np.nan_to_num(product, nan=0.0 if compat == "upstream" else np.inf, posinf=np.inf)


def _median(looks: FloatArray) -> float:
    known = looks[np.isfinite(looks)]
    return float(np.median(known)) if len(known) else 0.0
