"""Filtering curves with gaps and uneven times."""

import numpy as np
import pytest
from biomechanics_kit import moving, series_2d, without

from pose_service.biomechanics.filters import Butterworth, SavitzkyGolay
from pose_service.biomechanics.smoothing import smooth_curves, smoothed

FPS = 30.0
TIMES_S = np.arange(90) / FPS
WAVE = np.sin(2 * np.pi * TIMES_S)[:, None]
BY = Butterworth(6.0)


def hidden(first: int, end: int) -> np.ndarray:
    values = WAVE.copy()
    values[first:end] = np.nan
    return values


def test_without_gaps_it_is_the_filter_itself() -> None:
    np.testing.assert_allclose(smooth_curves(WAVE, TIMES_S, BY), BY(WAVE, FPS), atol=1e-12)


def test_a_short_gap_is_bridged_for_the_filter_and_stays_a_gap() -> None:
    found = smooth_curves(hidden(40, 43), TIMES_S, BY)
    assert np.flatnonzero(np.isnan(found[:, 0])).tolist() == [40, 41, 42]
    straight = WAVE.copy()
    straight[40:43, 0] = np.interp([40, 41, 42], [39, 43], WAVE[[39, 43], 0])
    np.testing.assert_allclose(found[39], BY(straight, FPS)[39])


def test_a_gap_of_one_frame_is_bridged_too() -> None:
    straight = WAVE.copy()
    straight[40] = (WAVE[39] + WAVE[41]) / 2
    found = smooth_curves(hidden(40, 41), TIMES_S, BY)
    np.testing.assert_allclose(found[41:], BY(straight, FPS)[41:], atol=1e-12)


def test_a_long_gap_parts_the_curve() -> None:
    found = smooth_curves(hidden(40, 44), TIMES_S, BY)
    np.testing.assert_allclose(found[:40], BY(WAVE[:40], FPS), atol=1e-12)
    np.testing.assert_allclose(found[44:], BY(WAVE[44:], FPS), atol=1e-12)
    assert np.isnan(found[40:44]).all()


def test_the_limit_is_the_callers() -> None:
    parted = smooth_curves(hidden(40, 42), TIMES_S, BY, longest_gap_s=0.05)
    np.testing.assert_allclose(parted[:40], BY(WAVE[:40], FPS), atol=1e-12)
    bridged = smooth_curves(hidden(40, 50), TIMES_S, BY, longest_gap_s=0.5)
    assert np.abs(bridged[39] - BY(WAVE[:40], FPS)[39]) > 1e-6


def test_a_jump_in_the_times_parts_the_curve_too() -> None:
    times_s = TIMES_S + np.where(np.arange(90) >= 50, 3600.0, 0.0)
    found = smooth_curves(WAVE, times_s, BY)
    np.testing.assert_allclose(found[:50], BY(WAVE[:50], FPS), atol=1e-9)
    # an hour has fewer digits left for the step
    np.testing.assert_allclose(found[50:], BY(WAVE[50:], FPS), atol=1e-6)


def test_uneven_times_are_taken_as_they_are() -> None:
    random = np.random.default_rng(0)
    times_s = np.cumsum(random.uniform(0.6, 1.4, 180)) / 60
    slow = np.sin(2 * np.pi * times_s)[:, None]
    found = smooth_curves(slow, times_s, BY)
    # read twice along straight lines: a step of at most 23 ms of a 1 Hz sine bends by 0.3 %
    np.testing.assert_allclose(found[10:-10], slow[10:-10], atol=0.01)
    as_if_even = BY(slow, 60.0)
    assert np.abs(as_if_even - slow)[10:-10].max() > 2 * np.abs(found - slow)[10:-10].max()


def test_curves_with_different_gaps_do_not_touch_each_other() -> None:
    both = np.concatenate([hidden(10, 20), hidden(60, 70)], axis=1)
    found = smooth_curves(both, TIMES_S, BY)
    for column in range(2):
        alone = smooth_curves(both[:, [column]], TIMES_S, BY)[:, 0]
        np.testing.assert_allclose(found[:, column], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_short_and_unknown_curves_come_back(count: int) -> None:
    unknown = np.full((count, 3), np.nan)
    assert np.isnan(smooth_curves(unknown, TIMES_S[:count], BY)).all()
    assert np.isfinite(smooth_curves(WAVE[:count], TIMES_S[:count], SavitzkyGolay())).all()


def test_smoothing_joints_keeps_what_was_not_seen_unseen() -> None:
    seen = without(series_2d(*moving()), "left_knee", frames=slice(10, 12))
    after = smoothed(seen, BY)
    np.testing.assert_array_equal(np.isnan(after.points), np.isnan(seen.points))
    np.testing.assert_array_equal(after.confidence, seen.confidence)
    # a squat a second is far below 6 Hz; at its ends the curve is turned round, which it is not
    assert np.nanmax(np.abs(after.points - seen.points)) < 2.0
