"""Cost, ridge and slots a second time, as plain loops over random scenes; what they never do."""

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from phalp_kit import REST, location

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.distance.cost import GATE, costs, lower_bounds
from pose_service.phalp.distance.terms import Features, terms
from pose_service.phalp.location.predictor import predicted_locations
from pose_service.phalp.location.ridge import extrapolated
from pose_service.phalp.matching import assign
from pose_service.phalp.pose.slots import time_slots
from pose_service.phalp.records import Compat

COMPATS = st.sampled_from(["fixed", "upstream"])
PEOPLE = st.integers(1, 5)


def random_people(random: np.random.Generator, count: int, *, predicted: bool) -> Features:
    locations = np.stack([location(*random.uniform(0, 1, 2), random.uniform(5, 60))
                          for _ in range(count)])  # fmt: skip
    if predicted:
        locations[:, 93:96] = random.uniform([0, 0, 1], [0.1, 0.1, 1.5], (count, 3))
    return Features(locations, REST + random.normal(0, random.choice([0.05, 0.2]), (count, 229)))


def plain_cost(track: dict[str, FloatArray], seen: dict[str, FloatArray], look: float) -> float:
    """SPEC 10 written down once more, one pair at a time, with Python's floats."""
    pose = sum((float(a) - float(b)) ** 2 for a, b in zip(
        track["pose"][:226], seen["pose"][:226], strict=True))  # fmt: skip
    apart = math.dist(track["loca"][88:90].tolist(), seen["loca"][88:90].tolist())
    spread = math.hypot(float(track["loca"][93]), float(track["loca"][94]))
    nearness = abs(math.log(float(track["loca"][92])) - math.log(float(seen["loca"][92])))
    nearness_spread = abs(math.log(1 / float(track["loca"][95])))
    return (
        (1 + 4.0536 * look)
        * (1 + 1.3070 * min(max(pose, 0.0), 1.5))
        * math.exp(apart / ((0.1 + math.tanh(spread)) * 0.3792))
        * math.exp(nearness / ((0.1 + math.tanh(nearness_spread)) * 4.1658))
    )


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tracks=PEOPLE, detections=PEOPLE, compat=COMPATS)
def test_costs_are_those_of_a_plain_loop(
    seed: int, tracks: int, detections: int, compat: Compat
) -> None:
    random = np.random.default_rng(seed)
    rows = random_people(random, tracks, predicted=True)
    columns = random_people(random, detections, predicted=False)
    looks = random.uniform(0, 2, (tracks, detections))
    found = costs(lower_bounds(terms(rows, columns, compat)), looks, compat)
    for row in range(tracks):
        for column in range(detections):
            wanted = plain_cost(
                {"pose": rows.poses[row], "loca": rows.locations[row]},
                {"pose": columns.poses[column], "loca": columns.locations[column]},
                float(looks[row, column]),
            )
            # upstream's float32 expansion: 3e-4 of a distance, which the smallest spread
            # multiplies by 26
            limit = 0.02 if compat == "upstream" else 1e-5
            assert found[row, column] == pytest.approx(wanted, rel=limit)


UNDEFINED = st.sampled_from([np.nan, np.inf, -np.inf])


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), where=st.integers(88, 95), value=UNDEFINED)
def test_undefined_prediction_is_never_matched(seed: int, where: int, value: float) -> None:
    """Of whatever number: the track stays unmatched though its detection is right there."""
    random = np.random.default_rng(seed)
    rows = random_people(random, 3, predicted=True)
    columns = Features(rows.locations.copy(), rows.poses)
    rows.locations[1, where] = value
    found = costs(lower_bounds(terms(rows, columns)), np.zeros((3, 3)))
    matches = dict(assign(found, GATE).matches)
    assert matches[0] == 0 and matches[2] == 2
    used = where in (88, 89, 92, 93, 94, 95)
    # an infinite spread says that the person may be anywhere: defined, and no gate
    if used and not (where >= 93 and np.isposinf(abs(value))):
        assert 1 not in matches


LOOKS = arrays(np.float64, (4, 4), elements=st.floats(0, 50) | st.just(np.nan))


@given(looks=LOOKS, bound=st.floats(1, 99))
def test_look_that_is_not_known_is_never_better_than_all_that_are(
    looks: FloatArray, bound: float
) -> None:
    """D6: no texel in common is no likeness."""
    bounds = np.full((4, 4), bound)
    unknown = np.isnan(looks)
    found = costs(bounds, looks)
    assert not np.isnan(found).any()
    if unknown.any() and not unknown.all():
        usual = (1 + 4.0536 * np.median(looks[~unknown])) * bound
        np.testing.assert_allclose(found[unknown], min(usual, GATE))
        assert found[unknown].min() >= min(found[~unknown].min(), GATE)
        assert (costs(bounds, looks, "upstream")[unknown] == bound).all()
    if unknown.all():
        np.testing.assert_array_equal(found, bounds)


ANY_COSTS = arrays(
    np.float64,
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    elements=st.floats(0, 300) | st.just(np.nan) | st.just(np.inf),
)


@given(cost=ANY_COSTS, compat=COMPATS)
def test_assignment_is_whole_and_within_the_gate(cost: FloatArray, compat: Compat) -> None:
    found = assign(cost, GATE, compat)
    rows = [row for row, _ in found.matches]
    columns = [column for _, column in found.matches]
    assert rows == sorted(rows)
    assert sorted([*rows, *found.unmatched_tracks]) == list(range(cost.shape[0]))
    assert sorted([*columns, *found.unmatched_detections]) == list(range(cost.shape[1]))
    assert all(cost[pair] <= GATE for pair in found.matches)
    # nobody is left over beside somebody who would do
    for row in found.unmatched_tracks:
        for column in found.unmatched_detections:
            assert not cost[row, column] <= GATE


@given(cost=arrays(np.float64, (3, 3), elements=st.floats(0, 300)))
def test_assignment_is_the_least_of_all_orders_with_costs_cut_at_the_gate(cost: FloatArray) -> None:
    cut = np.minimum(cost, GATE)
    least = min(sum(cut[row, column] for row, column in enumerate(order))
                for order in permutations(range(3)))  # fmt: skip
    found = assign(cost, GATE)
    total = sum(cost[pair] for pair in found.matches) + GATE * (3 - len(found.matches))
    assert total == pytest.approx(least, abs=1e-3)


def test_gate_cuts_before_the_assignment_and_not_after() -> None:
    """After it, the pair of 50 would have been taken and the better one of 10 left over."""
    found = assign(np.array([[50.0, 1000.0], [10.0, 200.0]]), GATE)
    assert found.matches == ((1, 0),)
    assert (found.unmatched_tracks, found.unmatched_detections) == ((0,), (1,))


def test_upstream_lists_the_unassigned_before_those_beyond_the_gate() -> None:
    cost = np.array([[1.0, 500.0, 400.0], [500.0, 400.0, 500.0]])
    assert assign(cost, GATE, "upstream").unmatched_detections == (2, 1)
    assert assign(cost, GATE).unmatched_detections == (1, 2)


TIMES = st.lists(st.integers(0, 40), min_size=7, max_size=7).map(sorted)
VALUES = st.lists(st.floats(-3, 3), min_size=7, max_size=7)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(TIMES, VALUES, st.integers(1, 49)), min_size=1, max_size=4),
       strength=st.sampled_from([1.2, 2.0, 5.0]))  # fmt: skip
def test_ridge_is_that_of_normal_equations_one_by_one(
    rows: list[tuple[list[int], list[float], int]], strength: float
) -> None:
    """The minimum of |v - a - b t|² + strength b², by a general solver."""
    times, values, ahead = (np.array(each) for each in zip(*rows, strict=True))
    targets = times[:, -1] + ahead
    found, half_widths = extrapolated(times, values, targets, strength)
    for row, (time, value, target) in enumerate(zip(times, values, targets, strict=True)):
        line, wanted, wanted_half = plain_ridge(time, value, int(target), strength)
        assert found[row] == pytest.approx(wanted, abs=1e-8)
        if time.min() == time.max():
            assert not np.isfinite(half_widths[row])
        else:
            assert half_widths[row] == pytest.approx(wanted_half, rel=1e-6, abs=1e-6), line


def plain_ridge(time: IntArray, value: FloatArray, target: int, strength: float) -> Any:
    design = np.column_stack([np.ones(7), time - time.mean()])
    line = np.linalg.solve(design.T @ design + np.diag([0, strength]), design.T @ value)
    ahead = target - time.mean()
    left = sum((v - line[0] - line[1] * (t - time.mean())) ** 2
               for t, v in zip(time, value, strict=True))  # fmt: skip
    squares = sum((t - time.mean()) ** 2 for t in time)
    half = 0.0
    if squares:
        half = 2.570581835636314 * math.sqrt(left / 5) * math.sqrt(1 + 1 / 7 + ahead**2 / squares)
    return line, line[0] + line[1] * ahead, half


def test_person_who_walks_evenly_is_expected_one_step_on() -> None:
    """At 0.01 squares a frame; the ridge holds the slope back by 28 / (28 + 1.2)."""
    locations = np.stack([location(0.3 + 0.01 * frame, 0.5, 40) for frame in range(7)])[None]
    found = predicted_locations(locations, np.arange(7)[None], np.array([1]))[0]
    assert found[88] == pytest.approx(0.33 + 0.01 * 4 * 28 / 29.2, abs=1e-6)
    assert found[89] == pytest.approx(0.5, abs=1e-6)
    assert found[92] == pytest.approx(40, rel=1e-6)
    assert found[90] == pytest.approx((found[88] - 0.5) * 40 * 256 / 5000, abs=1e-5)


@given(times=st.lists(TIMES, min_size=1, max_size=4), missed=st.integers(0, 60))
def test_slots_are_those_of_a_loop_that_overwrites(times: list[list[int]], missed: int) -> None:
    found = time_slots(np.array(times), np.full(len(times), missed), 25)
    for row, frames in enumerate(times):
        table: dict[int, int] = {}
        for place, frame in enumerate(frames):
            table[min(frame - frames[0], 24)] = place
        assert {int(found.slots[row, place]): place
                for place in np.flatnonzero(found.newest[row])} == table  # fmt: skip
        assert found.wanted[row] == min(min(frames[6] - frames[0], 24) + missed + 1, 24)
