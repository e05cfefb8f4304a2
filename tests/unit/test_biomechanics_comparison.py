"""Dynamic time warping against a plain dynamic programme, and two clips put in step."""

import numpy as np
import pytest
from biomechanics_kit import moving, series_2d, without

from pose_service.biomechanics import warping
from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.comparison import compare
from pose_service.biomechanics.movement import Movement, measure
from pose_service.biomechanics.warping import warp
from pose_service.core.errors import BadRequestError


def plain_cost(first: np.ndarray, second: np.ndarray) -> float:
    """The textbook's two loops over all cells."""
    costs = np.full((len(first) + 1, len(second) + 1), np.inf)
    costs[0, 0] = 0
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            before = min(costs[i, j], costs[i, j + 1], costs[i + 1, j])
            costs[i + 1, j + 1] = np.abs(one - other).mean() + before
    return float(costs[-1, -1])


def walk(seed: int, count: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(count, 3)), axis=0)


def cost_along(path: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first[path[:, 0]] - second[path[:, 1]]).mean(axis=1).sum())


@pytest.mark.parametrize(("count", "other"), [(1, 1), (1, 7), (7, 1), (2, 2), (30, 41), (41, 30)])
@pytest.mark.parametrize("seed", range(3))
def test_with_a_whole_band_it_is_the_plain_dynamic_programme(
    count: int, other: int, seed: int
) -> None:
    first, second = walk(seed, count), walk(seed + 10, other)
    found = warp(first, second, band_share=1.0)
    assert found.cost == pytest.approx(plain_cost(first, second), abs=1e-9)
    assert cost_along(found.path, first, second) == pytest.approx(found.cost, abs=1e-9)


@pytest.mark.parametrize(("count", "other"), [(1, 9), (9, 1), (20, 200), (200, 20), (60, 60)])
@pytest.mark.parametrize("band_share", [0.0, 0.1, 0.5])
def test_a_path_is_whole_and_keeps_to_the_band(count: int, other: int, band_share: float) -> None:
    first, second = walk(1, count), walk(2, other)
    found = warp(first, second, band_share)
    steps = np.diff(found.path, axis=0)
    assert found.path[0].tolist() == [0, 0]
    assert found.path[-1].tolist() == [count - 1, other - 1]
    assert {tuple(step) for step in steps.tolist()} <= {(0, 1), (1, 0), (1, 1)}
    assert cost_along(found.path, first, second) == pytest.approx(found.cost, abs=1e-9)
    if count > 1:
        pace = np.round(found.path[:, 0] * (other - 1) / (count - 1))
        # at the ends the band is moved inwards, by its own half-width at most
        assert np.abs(found.path[:, 1] - pace).max() <= 2 * found.band


def test_a_band_forbids_what_lies_outside_it() -> None:
    first, second = np.zeros((40, 1)), np.zeros((40, 1))
    first[5], second[30] = 9.0, 9.0
    assert warp(first, second, 1.0).cost == pytest.approx(0)
    assert warp(first, second, 0.05).cost == pytest.approx(18)


@pytest.mark.parametrize(("early", "late"), [(15, 18), (18, 15)])
def test_within_the_band_either_may_run_ahead(early: int, late: int) -> None:
    first, second = np.zeros((40, 1)), np.zeros((40, 1))
    first[early], second[late] = 9.0, 9.0
    # a tenth of 40 frames: four to either side
    assert warp(first, second, 0.1).cost == pytest.approx(0)


def test_long_series_get_a_narrower_band_and_not_more_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warping, "MOST_CELLS", 2000)
    found = warp(walk(1, 100), walk(2, 100), 0.5)
    assert found.band == 9
    assert len(found.path) >= 100


def test_series_without_values_are_refused() -> None:
    with pytest.raises(ValueError, match="got lengths 0 and 3"):
        warp(np.zeros((0, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"second: expected \(m, 2\)"):
        warp(np.zeros((3, 2)), np.zeros((3, 1)))


def clip(pace: np.ndarray) -> Movement:
    """Squats at the phases `pace` (n,), in frames of the even clip."""
    postures, _ = moving(120)
    return measure(series_2d([postures[round(at)] for at in pace], np.arange(len(pace)) / 30))


def test_the_same_movement_at_another_pace_differs_in_nothing() -> None:
    even = clip(np.arange(120.0))
    held = clip(np.concatenate([np.arange(0, 60, 0.5), np.arange(60.0, 120.0)]))
    found = compare(even, held, band_share=0.5)
    # every frame of one clip is in the other
    assert found.distance_deg == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(found.differences_deg, 0, atol=1e-4)
    # the first half takes twice as long
    assert found.other_times_s[30] == pytest.approx(2.0, abs=0.1)
    assert found.other_times_s[90] == pytest.approx(5.0, abs=0.1)


def test_a_clip_against_itself_differs_in_nothing() -> None:
    one = clip(np.arange(60.0))
    found = compare(one, one)
    assert found.distance_deg == 0
    np.testing.assert_allclose(found.other_times_s, found.times_s)


def test_difference_curves_are_first_less_second() -> None:
    one = clip(np.arange(60.0))
    curves = one.angles_deg.copy()
    curves[:, ANGLES.index("left_elbow")] -= 10.0
    other = Movement(**(vars(one) | {"angles_deg": curves}))
    found = compare(one, other, ["left_elbow", "left_knee"])
    np.testing.assert_allclose(found.differences_deg[:, 0], 10, atol=1e-6)
    np.testing.assert_allclose(found.differences_deg[:, 1], 0, atol=1e-6)
    assert found.distance_deg == pytest.approx(5, abs=1e-6)
    back = compare(other, one, ["left_elbow", "left_knee"])
    np.testing.assert_allclose(back.differences_deg[:, 0], -10, atol=1e-6)


def test_frames_in_which_an_angle_is_hidden_take_no_part() -> None:
    whole = clip(np.arange(60.0))
    seen = without(series_2d(*moving(60)), "left_wrist", frames=slice(10, 20))
    found = compare(measure(seen), whole)
    assert len(found.times_s) == 50
    assert len(compare(measure(seen), whole, ["left_knee"]).times_s) == 60


def test_what_cannot_be_compared_is_said() -> None:
    whole = clip(np.arange(20.0))
    blind = measure(without(series_2d(*moving(20)), "left_knee"))
    with pytest.raises(BadRequestError, match="the second clip has no frame in which all of"):
        compare(whole, blind)
    with pytest.raises(BadRequestError, match="angles: expected some of left_elbow"):
        compare(whole, whole, ["left_toe"])
    with pytest.raises(BadRequestError, match="got none"):
        compare(whole, whole, [])
