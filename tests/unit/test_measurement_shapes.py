"""Pooled shapes, and bands about measures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pose_service.measurement.bounds import ErrorModel, Reliability, bounded, shape_spread_cm
from pose_service.measurement.records import MEASURES
from pose_service.measurement.shape_pool import PooledShape, pool_shapes, weighted_median

VALUES_CM = dict.fromkeys(MEASURES, 90.0) | {"height": 175.0}
NO_SPREAD = dict.fromkeys(MEASURES, 0.0)


def frames(count: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal([1.0, -2, 0.5], [0.1, 0.3, 0.05], size=(count, 3))


def test_equal_clean_frames_pool_to_nearly_their_mean() -> None:
    shapes = frames(400)
    pooled = pool_shapes(shapes, np.ones(400))
    # biweights of clean frames differ little: a twentieth of the mean's own error of sd / 20
    np.testing.assert_allclose(pooled.shape, shapes.mean(axis=0), atol=0.3 * 0.2 / 20)
    np.testing.assert_allclose(
        np.sqrt(np.diag(pooled.frame_covariance)), [0.1, 0.3, 0.05], rtol=0.1
    )


def test_a_third_of_stray_frames_is_left_out() -> None:
    shapes = frames(90)
    shapes[::3] += [5, 5, -5]
    pooled = pool_shapes(shapes, np.ones(90))
    assert not pooled.weights[::3].any()
    np.testing.assert_allclose(pooled.shape, [1, -2, 0.5], atol=4 * 0.3 / np.sqrt(60))


def test_confident_frames_count_more() -> None:
    shapes = np.array([[0.0], [1.0]])
    assert pool_shapes(shapes, np.array([3.0, 1.0])).shape == pytest.approx([0.0], abs=0.3)
    assert pool_shapes(shapes, np.array([1.0, 0.0])).shape.tolist() == [0.0]


def test_one_frame_is_its_own_shape_and_knows_no_spread() -> None:
    pooled = pool_shapes(np.array([[0.3, -1.0]]), np.array([0.2]))
    assert pooled.shape.tolist() == [0.3, -1.0]
    assert not pooled.frame_covariance.any()
    assert not pooled.error_covariance.any()
    assert pooled.effective_frames == 1


def test_frames_that_all_agree_pool_to_what_they_say() -> None:
    pooled = pool_shapes(np.tile([0.1, 2.0], (7, 1)), np.linspace(0.1, 1, 7))
    np.testing.assert_allclose(pooled.shape, [0.1, 2.0], rtol=1e-14)
    np.testing.assert_allclose(pooled.frame_covariance, 0, atol=1e-28)


def test_error_of_the_mean_is_what_repeats_of_the_clip_show() -> None:
    clips = [pool_shapes(frames(50, seed), np.ones(50)) for seed in range(200)]
    seen = np.std([pooled.shape for pooled in clips], axis=0)
    said = np.sqrt(np.mean([np.diag(pooled.error_covariance) for pooled in clips], axis=0))
    # 200 repeats know a standard deviation to 5 %; small chance correlations widen what is said
    np.testing.assert_allclose(said, seen, rtol=0.2)


def test_frames_that_repeat_each_other_are_worth_fewer() -> None:
    rng = np.random.default_rng(1)
    errors = np.zeros((2000, 2))
    for step in range(1, 2000):
        errors[step] = 0.8 * errors[step - 1] + rng.normal(size=2)
    pooled = pool_shapes(errors, np.ones(2000))
    # (1 - 0.8) / (1 + 0.8) of 2000 is 222, less what biweights take
    assert 150 < pooled.effective_frames < 260


@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(0.01, 100), st.floats(-50, 50))
def test_pooling_does_not_mind_units_and_origin(
    count: int, seed: int, scale: float, shift: float
) -> None:
    shapes = frames(count, seed)
    weights = np.random.default_rng(seed).uniform(0.1, 1, count)
    plain = pool_shapes(shapes, weights)
    other = pool_shapes(scale * shapes + shift, 7 * weights)
    # the iteration stops within 1e-10 spreads; the floor of the spread is absolute, 1e-6
    np.testing.assert_allclose(other.shape, scale * plain.shape + shift, rtol=1e-3, atol=1e-3)


def test_median_lies_where_half_the_weight_is_reached() -> None:
    values = np.array([[4.0, 1], [1, 2], [3, 3], [2, 4]])
    assert weighted_median(values, np.ones(4)).tolist() == [2.0, 2.0]
    assert weighted_median(values, np.array([1.0, 9, 1, 1])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("shapes", "confidences", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0), "no frame"),
        (np.zeros((2, 2)), np.zeros(2), "no frame"),
        (np.zeros((2, 2)), np.array([1.0, -1]), "none below 0"),
        (np.full((2, 2), np.nan), np.ones(2), "finite"),
        (np.zeros((2, 2)), np.ones(3), "confidences: expected"),
        (np.zeros(2), np.ones(2), "shapes: expected"),
    ],
)
def test_frames_that_cannot_be_pooled_are_refused(
    shapes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    confidences: np.ndarray[tuple[int], np.dtype[np.float64]],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        pool_shapes(shapes, confidences)


def test_independent_errors_add_by_squares() -> None:
    model = replace(
        ErrorModel(), shared_sd=dict.fromkeys(MEASURES, 0.03), stated_sd_cm=1.75, deviations=1.0
    )
    spread = NO_SPREAD | {"waist": 90 * 0.04}
    bound = bounded(VALUES_CM, spread, model, height_given=True)["waist"]
    half = 90 * np.sqrt(0.04**2 + 0.03**2 + 0.01**2)
    assert (bound.low_cm, bound.high_cm) == pytest.approx((90 - half, 90 + half))


def test_nine_bands_of_ten_hold_the_truth_if_errors_are_as_the_model_says() -> None:
    model = ErrorModel()
    rng = np.random.default_rng(4)
    held, count = 0, 2000
    for _ in range(count):
        errors = rng.normal(size=3) * [0.02, model.shared_sd["hip"], model.stated_sd_cm / 175]
        measured_cm = 90 * (1 + errors.sum())
        values, spread = VALUES_CM | {"hip": measured_cm}, NO_SPREAD | {"hip": 0.02 * measured_cm}
        bound = bounded(values, spread, model, height_given=True)["hip"]
        held += bound.low_cm <= 90 <= bound.high_cm
    # three standard deviations of a count of 2000 at 90 %
    assert held / count == pytest.approx(0.9, abs=0.02)


def test_given_height_is_as_sure_as_people_are_of_it() -> None:
    bound = bounded(VALUES_CM, VALUES_CM, ErrorModel(), height_given=True)["height"]
    assert bound.high_cm - 175 == pytest.approx(1.645 * 1.5)
    assert bound.reliability is Reliability.GOOD


def test_without_a_height_scale_rules_and_is_said_so() -> None:
    with_height = bounded(VALUES_CM, NO_SPREAD, ErrorModel(), height_given=True)
    without = bounded(VALUES_CM, NO_SPREAD, ErrorModel(), height_given=False)
    assert {bound.reliability for bound in without.values()} == {Reliability.SCALE_GUESSED}
    for name in MEASURES:
        assert without[name].high_cm > with_height[name].high_cm
    # a tenth of the adults are taller or shorter than the band
    assert without["height"].high_cm == pytest.approx(175 * (1 + 1.645 * 0.054))


def test_wider_bands_are_worth_a_lesser_word() -> None:
    words = [
        bounded(VALUES_CM, NO_SPREAD | {"hip": sd}, ErrorModel(), height_given=True)[
            "hip"
        ].reliability
        for sd in (0.0, 5.0)
    ]
    assert words == [Reliability.FAIR, Reliability.POOR]


def test_calibration_widens_one_measure_alone() -> None:
    widening = dict.fromkeys(MEASURES, 1.0) | {"chest": 2.0}
    plain, wide = (
        bounded(VALUES_CM, NO_SPREAD, model, height_given=True)
        for model in (ErrorModel(), ErrorModel(widening=widening))
    )
    changed = {name for name in MEASURES if wide[name] != plain[name]}
    assert changed == {"chest"}
    assert wide["chest"].high_cm - 90 == pytest.approx(2 * (plain["chest"].high_cm - 90))


def test_bands_do_not_go_below_nothing() -> None:
    bound = bounded(VALUES_CM, NO_SPREAD | {"neck": 500.0}, ErrorModel(), height_given=True)["neck"]
    assert bound.low_cm == 0


def test_assumed_errors_say_that_they_are_assumed() -> None:
    assert not ErrorModel().calibrated


def test_incomplete_models_and_values_are_refused() -> None:
    with pytest.raises(ValueError, match="shared_sd: expected a number for each of height"):
        ErrorModel(shared_sd={"hip": 0.1})
    with pytest.raises(ValueError, match="no number below 0"):
        ErrorModel(stature_sd=-0.1)
    with pytest.raises(ValueError, match=r"shape_sd_cm: .*'chest'"):
        bounded(VALUES_CM, {"height": 1.0}, ErrorModel(), height_given=True)


def linear_cm(shape: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    """Each measure another linear function of the shape, so that the spread is known."""
    return {name: 100 + float(shape @ [i, 1, -i]) for i, name in enumerate(MEASURES)}


def test_spread_of_measures_is_the_covariance_carried_through() -> None:
    root = np.array([[0.5, 0, 0], [0.2, 0.1, 0], [0, 0.3, 0]])
    covariance = root @ root.T  # of rank two
    pooled = PooledShape(np.ones(3), covariance, covariance, np.ones(1), 1.0)
    spread = shape_spread_cm(pooled, linear_cm)
    for i, name in enumerate(MEASURES):
        slope = np.array([i, 1, -i])
        assert spread[name] == pytest.approx(np.sqrt(slope @ covariance @ slope))


def test_shape_without_error_is_not_even_measured() -> None:
    pooled = PooledShape(np.ones(2), np.zeros((2, 2)), np.zeros((2, 2)), np.ones(1), 1.0)
    assert shape_spread_cm(pooled, lambda shape: {}) == NO_SPREAD
