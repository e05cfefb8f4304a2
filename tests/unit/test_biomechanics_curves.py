"""Ranges, asymmetry, drift, repetitions and events of curves that are known."""

import numpy as np
import pytest
from biomechanics_kit import moving, series_2d, without

from pose_service.biomechanics.curves import asymmetry, drift, extremes
from pose_service.biomechanics.events import AngleLimit, angle_events
from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.repetitions import autocorrelation, repetitions
from pose_service.biomechanics.summary import summarise

TIMES_S = np.arange(300) / 30


def squats(period_s: float = 2.0, times_s: np.ndarray = TIMES_S) -> np.ndarray:
    """A knee's angle that starts straight and is bent most in the middle of each period."""
    return 130 + 45 * np.cos(2 * np.pi * times_s / period_s)


def test_extremes_are_the_first_least_and_greatest_known_values() -> None:
    values = np.array([5.0, np.nan, 1.0, 9.0, 1.0, 9.0])
    found = extremes(np.arange(6.0), values)
    assert found is not None
    assert (found.least, found.least_time_s, found.greatest, found.greatest_time_s) == (1, 2, 9, 3)
    assert found.range == 8
    assert extremes(np.arange(2.0), np.full(2, np.nan)) is None
    assert extremes(np.zeros(0), np.zeros(0)) is None


def test_asymmetry_is_left_less_right_and_turns_round_in_a_mirror() -> None:
    left, right = squats(), 140 + 30 * np.cos(np.pi * TIMES_S)
    left[40:60] = np.nan
    found, other = asymmetry(TIMES_S, left, right), asymmetry(TIMES_S, right, left)
    assert found is not None
    assert other is not None
    # left 85 to 175, right 110 to 170
    assert found.range_index_pct == pytest.approx(100 * (90 - 60) / 75, abs=0.1)
    assert found.greatest == pytest.approx(-25)
    assert found.greatest_time_s == pytest.approx(1.0)
    assert found.mean_absolute > abs(found.mean)
    assert np.flatnonzero(np.isnan(found.difference)).tolist() == list(range(40, 60))
    assert (other.mean, other.greatest) == pytest.approx((-found.mean, -found.greatest))
    assert other.range_index_pct == pytest.approx(-(found.range_index_pct or 0))


def test_walking_cancels_in_the_mean_and_not_in_its_size() -> None:
    found = asymmetry(TIMES_S, squats(1.0), 260 - squats(1.0))
    assert found is not None
    assert found.mean == pytest.approx(0, abs=1e-9)
    assert found.mean_absolute == pytest.approx(90 * 2 / np.pi, rel=0.01)
    assert found.range_index_pct == pytest.approx(0, abs=1e-9)


def test_ranges_are_compared_over_frames_in_which_both_sides_are_known() -> None:
    part, whole = np.array([10.0, 30, np.nan, 20]), np.array([10.0, 30, 90, 20])
    for left, right in ((part, whole), (whole, part)):
        found = asymmetry(np.arange(4.0), left, right)
        assert found is not None
        assert found.range_index_pct == 0


def test_sides_never_seen_together_have_no_asymmetry() -> None:
    early, late = np.where(TIMES_S < 5, 1.0, np.nan), np.where(TIMES_S < 5, np.nan, 1.0)
    assert asymmetry(TIMES_S, early, late) is None
    still = asymmetry(TIMES_S, np.full(300, 170.0), np.full(300, 165.0))
    assert still is not None
    assert still.range_index_pct is None


def test_drift_is_the_slope_of_a_known_line() -> None:
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 200))
    values = 80 - 0.25 * times_s
    values[[3, 50]] = np.nan
    found = drift(times_s, values)
    assert found is not None
    assert found.per_minute == pytest.approx(-15)
    assert (found.at_start, found.at_end) == pytest.approx((values[0], values[-1]))
    assert found.r_squared == pytest.approx(1)


def test_drift_of_noise_about_a_line_is_numpys_fit() -> None:
    values = 3 + 0.1 * TIMES_S + np.random.default_rng(1).normal(0, 0.5, 300)
    found = drift(TIMES_S, values)
    assert found is not None
    assert found.per_minute / 60 == pytest.approx(np.polyfit(TIMES_S, values, 1)[0])
    assert found.r_squared == pytest.approx(np.corrcoef(TIMES_S, values)[0, 1] ** 2)


def test_what_stays_the_same_has_no_drift_and_two_values_tell_none() -> None:
    found = drift(TIMES_S, np.full(300, 0.1))
    assert found is not None
    assert found.per_minute == pytest.approx(0, abs=1e-9)
    assert found.r_squared is None
    assert drift(np.arange(2.0), np.arange(2.0)) is None


@pytest.mark.parametrize("period_s", [0.5, 1.0, 2.0, 3.3])
@pytest.mark.parametrize("fps", [12.0, 30.0, 240.0])
def test_repetitions_of_a_known_sine_are_counted(period_s: float, fps: float) -> None:
    times_s = np.arange(round(10 * fps)) / fps
    found = repetitions(times_s, squats(period_s, times_s))
    assert found is not None
    # a lag is read between frames, by a parabola
    assert found.period_s == pytest.approx(period_s, abs=0.1 / fps + 0.01 * period_s)
    assert found.strength > 0.95
    wanted = np.arange(0.5 * period_s, 10 - 1.5 / fps, period_s)
    np.testing.assert_allclose(found.times_s, wanted, atol=1 / fps)
    assert found.depths.max() < 90


def test_repetitions_are_found_under_noise_gaps_drift_and_uneven_times() -> None:
    random = np.random.default_rng(2)
    times_s = np.cumsum(random.uniform(0.7, 1.3, 600)) / 30
    values = squats(2.0, times_s) + 1.5 * times_s + random.normal(0, 4, 600)
    values[100:130] = np.nan
    values[random.integers(0, 600, 40)] = np.nan
    found = repetitions(times_s, values)
    assert found is not None
    assert found.period_s == pytest.approx(2.0, abs=0.05)
    # the gap of a second may hide a low
    assert len(found) in (9, 10)


def test_a_steep_trend_hides_no_repetition() -> None:
    found = repetitions(TIMES_S, squats() + 40 * TIMES_S)
    assert found is not None
    assert found.strength > 0.95
    assert len(found) == 5


def test_a_long_gap_does_not_weaken_the_repetition() -> None:
    values = squats()
    values[70:160] = np.nan
    found = repetitions(TIMES_S, values)
    assert found is not None
    # a line across the three seconds would be no squat
    assert found.strength > 0.98
    # two lows are hidden, and the gap's end, on the way up from one, is none
    assert found.times_s == pytest.approx([1.0, 7.0, 9.0])


def test_a_movement_and_its_double_count_as_the_shorter() -> None:
    # every other squat a little deeper: the exact period is four seconds, the squats are two
    values = squats() - 5 * np.cos(np.pi * TIMES_S / 2 - np.pi / 2)
    found = repetitions(TIMES_S, values)
    assert found is not None
    assert found.period_s == pytest.approx(2.0, abs=0.05)
    assert len(found) == 5


@pytest.mark.parametrize(
    "values",
    [
        np.full(300, 170.0), TIMES_S * 3, np.full(300, np.nan), squats(9.0),
        np.random.default_rng(3).normal(0, 1, 300), (TIMES_S > 5) * 90.0,
    ],
    ids=["still", "line", "unknown", "once", "noise", "step"],
)  # fmt: skip
def test_what_does_not_repeat_is_none(values: np.ndarray) -> None:
    assert repetitions(TIMES_S, values) is None


@pytest.mark.parametrize("count", [0, 1, 5])
def test_clips_of_few_frames_have_no_repetitions(count: int) -> None:
    assert repetitions(TIMES_S[:count], squats()[:count]) is None


def test_an_hours_break_in_the_times_fits_into_memory() -> None:
    times_s = TIMES_S + np.where(np.arange(300) > 150, 1e7, 0.0)
    assert repetitions(times_s, squats()) is None


def test_the_autocorrelation_is_that_of_the_sums_written_out() -> None:
    values = squats() + np.random.default_rng(4).normal(0, 9, 300)
    values[20:45] = np.nan
    found = autocorrelation(values)
    flat = values - np.nanmean(values)
    for lag in (0, 1, 17, 60, 150):
        early, late = flat[: 300 - lag], flat[lag:]
        both = np.isfinite(early * late)
        early, late = early[both], late[both]
        wanted = early @ late / np.sqrt((early @ early) * (late @ late))
        assert found[lag] == pytest.approx(wanted, abs=1e-9)


def test_events_are_the_times_outside_the_callers_limits() -> None:
    postures, times_s = moving(90)
    movement = measure(series_2d(postures, times_s))
    knee = movement.angle_deg("left_knee")
    limit = AngleLimit("deep knee", "left_knee", low_deg=100.0)
    events = list(angle_events(movement, [limit]))
    # once a second, lowest at each half
    assert [event.worst_time_s for event in events] == pytest.approx([0.5, 1.5, 2.5])
    assert events[0].worst_deg == pytest.approx(95, abs=1e-4)
    outside = times_s[(knee < 100) & (times_s < 1)]
    assert (events[0].start_s, events[0].end_s) == (outside[0], outside[-1])


def test_high_limits_short_events_and_gaps() -> None:
    postures, times_s = moving(90)
    seen = without(series_2d(postures, times_s), "left_ankle", frames=slice(14, 15))
    movement = measure(seen)
    limit = AngleLimit("deep", "left_knee", low_deg=100.0)
    assert len(list(angle_events(movement, [limit]))) == 4, "the gap parts the first"
    lasting = AngleLimit("deep", "left_knee", low_deg=100.0, least_s=0.1)
    assert len(list(angle_events(movement, [lasting]))) == 2
    straight = AngleLimit("straight", "right_knee", high_deg=171.9)
    assert [event.worst_deg for event in angle_events(movement, [straight])] == pytest.approx(
        [172] * 3, abs=1e-4
    )
    never = AngleLimit("never", "right_knee", low_deg=20.0, high_deg=179.0)
    assert list(angle_events(movement, [never])) == []


def test_rows_of_the_table_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="angle: expected one of left_elbow"):
        AngleLimit("toe", "left_toe", low_deg=1.0)
    with pytest.raises(ValueError, match="expected low_deg or high_deg, got neither"):
        AngleLimit("no limit", "left_knee")


def test_a_clips_summary_tells_what_was_done() -> None:
    movement = measure(series_2d(*moving(240)))
    found = summarise(movement, [AngleLimit("deep", "left_knee", low_deg=100.0)])
    knee = found.angles_deg["left_knee"]
    assert knee is not None
    assert (knee.least, knee.greatest) == pytest.approx((95, 175), abs=1e-4)
    fastest = found.velocities_deg_s["left_knee"]
    assert fastest is not None
    # 40 degrees of amplitude at 1 Hz; central differences lose 0.7 %, and the peak half-way between
    # two frames another 0.5 %
    assert fastest.greatest == pytest.approx(40 * 2 * np.pi, rel=0.015)
    assert found.repeated_angle == "left_knee"
    assert found.repetitions is not None
    assert len(found.repetitions) == 8
    assert found.depth_drift is not None
    assert found.depth_drift.per_minute == pytest.approx(0, abs=1e-3)
    assert len(found.events) == 8
    knees = found.asymmetry_deg["knee"]
    assert knees is not None
    assert knees.range_index_pct == pytest.approx(100 * 4 / 78, abs=1e-3)
    assert set(found.score_drift) == {
        "pose_quality", "stability_score", "symmetry_index", "athletic_readiness"
    }  # fmt: skip


def test_an_athlete_who_tires_squats_less_deep() -> None:
    times_s = np.arange(900) / 30
    found = repetitions(times_s, 175 - (80 - times_s) * (0.5 - 0.5 * np.cos(np.pi * times_s)))
    assert found is not None
    tiring = drift(found.times_s, found.depths)
    assert tiring is not None
    # a degree less deep every second
    assert tiring.per_minute == pytest.approx(60, rel=0.02)


def test_the_summary_of_nobody_is_all_none() -> None:
    seen = series_2d(*moving(30))
    movement = measure(without(seen, *seen.skeleton.joints))
    found = summarise(movement, [AngleLimit("deep", "left_knee", low_deg=100.0)])
    assert set(found.angles_deg.values()) == {None}
    assert set(found.asymmetry_deg.values()) == {None}
    assert (found.repeated_angle, found.repetitions, found.events) == (None, None, ())
