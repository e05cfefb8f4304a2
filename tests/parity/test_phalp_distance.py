"""The cost EQ_019 term by term, and the assignment, against the official ones."""

import numpy as np
import pytest
from standin_phalp import golden

from pose_service.core.arrays import FloatArray
from pose_service.phalp.distance.cost import GATE, costs, lower_bounds
from pose_service.phalp.distance.terms import Features, Terms, terms
from pose_service.phalp.matching import assign
from pose_service.phalp.records import Compat

GOLDEN = golden("distance")
TRACKS = Features(GOLDEN["track_loca"], GOLDEN["track_pose"])
DETECTIONS = Features(GOLDEN["det_loca"], GOLDEN["det_pose"])
NAN_TRACK = 5
LIMIT = 1e-5
# upstream takes a² + b² - 2ab in float32: with |pose|² of 72 that is 1e-4, and its root 3e-4
POSE_LIMIT, APART_LIMIT = 2e-4, 3e-4
# which is what the cost of people near to each other is off by
COST_LIMIT = 0.01


def looks() -> FloatArray:
    """Stand for the encoder's, as in the golden: a hundred times the squared distance of tenths."""
    track, detection = (GOLDEN[f"{each}_uv"].reshape(-1, 64) / 10 for each in ("track", "det"))
    return 100 * np.square(track[:, None].astype(np.float64) - detection).sum(axis=2)


def term_by_term(compat: Compat) -> dict[str, FloatArray]:
    found: Terms = terms(TRACKS, DETECTIONS, compat)
    return {
        "P0": found.pose,
        "L0": found.apart,
        "LC": np.broadcast_to(found.spread, (6, 7)),
        "N0": found.nearness,
        "NC": np.broadcast_to(found.nearness_spread, (6, 7)),
    }


@pytest.mark.parametrize("compat", ["upstream", "fixed"])
@pytest.mark.parametrize("name", ["P0", "L0", "LC", "N0", "NC"])
def test_each_term_is_the_official_one(name: str, compat: Compat) -> None:
    limit = {"P0": POSE_LIMIT, "L0": APART_LIMIT}.get(name, LIMIT)
    found = term_by_term(compat)[name]
    np.testing.assert_allclose(found, GOLDEN[f"term.{name}"], rtol=1e-6, atol=limit)


def test_looks_of_the_golden_are_compared_as_officially() -> None:
    np.testing.assert_allclose(looks(), GOLDEN["term.A0"], rtol=0, atol=LIMIT)


def test_cost_is_the_official_one() -> None:
    """Its last step there: what is undefined becomes 0, what is infinite the largest number."""
    bounds = lower_bounds(terms(TRACKS, DETECTIONS, "upstream"))
    found = np.nan_to_num(costs(bounds, looks(), "upstream"))
    np.testing.assert_allclose(found, GOLDEN["term.EQ_019"], rtol=COST_LIMIT)


def test_direct_distances_cost_the_same_to_a_hundredth() -> None:
    bounds = lower_bounds(terms(TRACKS, DETECTIONS))
    found = costs(bounds, looks())
    known = np.arange(6) != NAN_TRACK
    np.testing.assert_allclose(found[known], GOLDEN["term.EQ_019"][known], rtol=COST_LIMIT)


def test_bound_leaves_out_only_what_is_beyond_the_gate_whatever_the_looks() -> None:
    """Pairs whose looks are never compared keep the same fate."""
    bounds = lower_bounds(terms(TRACKS, DETECTIONS, "upstream"))
    skipped = np.where(bounds <= GATE, looks(), np.nan)
    whole, spared = (costs(bounds, each, "upstream") for each in (looks(), skipped))
    assert (bounds > GATE).any()
    assert ((whole > GATE) == (spared > GATE)).all()
    np.testing.assert_array_equal(whole[bounds <= GATE], spared[bounds <= GATE])


def test_upstream_takes_an_undefined_cost_for_the_best_and_fixed_for_none() -> None:
    """D5, on the track whose spread is not known."""
    undefined = np.isnan(GOLDEN["term.LC"])
    assert undefined[NAN_TRACK].all() and undefined.sum() == 7
    both = {
        compat: costs(lower_bounds(terms(TRACKS, DETECTIONS, compat)), looks(), compat)
        for compat in ("upstream", "fixed")
    }
    assert (both["upstream"][undefined] == 0).all()
    assert (both["fixed"][undefined] == np.inf).all()
    matched = [track for track, _ in assign(both["upstream"], GATE, "upstream").matches]
    assert NAN_TRACK in matched
    assert NAN_TRACK in assign(both["fixed"], GATE).unmatched_tracks


def test_golden_costs_are_assigned_as_officially() -> None:
    found = assign(GOLDEN["term.EQ_019"], GATE, "upstream")
    assert [list(pair) for pair in found.matches] == GOLDEN["match"].tolist()
    assert list(found.unmatched_tracks) == GOLDEN["unmatched_tracks"].tolist()
    assert list(found.unmatched_detections) == GOLDEN["unmatched_detections"].tolist()


@pytest.mark.parametrize("place", range(4))
def test_random_costs_are_assigned_as_officially(place: int) -> None:
    """Order and all; `fixed` makes the same pairs and leaves the rest in ascending order."""
    cost = GOLDEN[f"cost{place}"]
    found, sorted_too = assign(cost, GATE, "upstream"), assign(cost, GATE)
    assert [list(pair) for pair in found.matches] == GOLDEN[f"cost{place}.match"].tolist()
    assert list(found.unmatched_tracks) == GOLDEN[f"cost{place}.ut"].tolist()
    assert list(found.unmatched_detections) == GOLDEN[f"cost{place}.ud"].tolist()
    assert sorted_too.matches == found.matches
    assert list(sorted_too.unmatched_tracks) == sorted(found.unmatched_tracks)
    assert list(sorted_too.unmatched_detections) == sorted(found.unmatched_detections)
