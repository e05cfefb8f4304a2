"""The page on avatars' accuracy, the service's error models, and what makes them, agree."""

import json
from itertools import product
from typing import Any

import numpy as np
import pytest

from benchmarks.avatar.calibrating import Outcome, calibrated, cross_table, table
from benchmarks.avatar.found import model_fields
from benchmarks.avatar.page import PAGE, RESULTS, page
from benchmarks.avatar.people import people, strangers
from benchmarks.service import ROOT
from pose_service.avatar.calibration import Known, error_model
from pose_service.avatar.free.shaped import BODY_NAME, free_shapes
from pose_service.measurement.bounds import ErrorModel
from pose_service.measurement.records import MEASURES


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    text = (ROOT / "docs" / RESULTS).read_text(encoding="utf-8")
    measured: dict[str, Any] = json.loads(text)
    return measured


def outcomes(count: int, sd: float, seed: int = 1) -> list[Outcome]:
    """Measures that are off by a share of `sd`, all but the height, which is as it is stated."""
    rng = np.random.default_rng(seed)
    values = dict.fromkeys(MEASURES, 90.0) | {"height": 175.0}
    return [
        Outcome(
            {name: value * (1 + rng.normal(0, sd)) for name, value in values.items()}
            | {"height": 175.0 + rng.normal(0, 1.5)},
            values,
            dict.fromkeys(MEASURES, 0.0),
        )
        for _ in range(count)
    ]


def test_the_page_is_made_of_the_results(results: dict[str, Any]) -> None:
    assert (ROOT / "docs" / PAGE).read_text(encoding="utf-8") == page(results)


@pytest.mark.parametrize(("height", "turn"), list(product([True, False], repeat=2)))
def test_the_service_has_the_error_models_that_were_measured(
    results: dict[str, Any], height: bool, turn: bool
) -> None:
    chapter = results["turn" if turn else "photograph"]
    measured = chapter["with_height" if height else "without_height"]["model"]
    model = error_model(BODY_NAME, Known(height, turn))
    assert model.calibrated
    assert model_fields(model) == measured


def test_bands_held_nine_truths_of_ten(results: dict[str, Any]) -> None:
    for name in ("photograph", "turn"):
        for known in ("with_height", "without_height"):
            held = [row["coverage_percent"] for row in results[name][known]["held_out"].values()]
            assert 85 <= np.mean(held) <= 95


def test_other_bodies_have_assumed_errors() -> None:
    assert not error_model("smpl", Known(height=True, turn=False)).calibrated


@pytest.mark.parametrize("sd", [0.01, 0.04])
def test_calibration_finds_how_far_measures_are_off(sd: float) -> None:
    model = calibrated(outcomes(2000, sd), height_given=True)
    # the given height's own error is taken for scale, 1.5 of 175 cm
    expected = np.sqrt(max(sd**2 - (1.5 / 175) ** 2, 0.002**2))
    assert model.shared_sd["waist"] == pytest.approx(expected, rel=0.12)
    # errors are Gaussian here, so that nothing is to be widened
    assert [model.widening[name] for name in ("waist", "height")] == pytest.approx([1, 1], abs=0.06)


def test_calibrated_bands_hold_nine_tenths_of_other_trials() -> None:
    model = calibrated(outcomes(1000, 0.03), height_given=True)
    rows = table(outcomes(2000, 0.03, seed=2), model, height_given=True)
    # a share of 0.9 in 2000 has a standard deviation of 0.7 %, the quantile of 1000 one of 1 %
    for row in rows.values():
        assert row["coverage_percent"] == pytest.approx(90, abs=4)


def test_bands_that_are_too_narrow_are_seen_to_be() -> None:
    narrow = ErrorModel(shared_sd=dict.fromkeys(MEASURES, 0.005))
    rows = table(outcomes(500, 0.03), narrow, height_given=True)
    assert rows["waist"]["coverage_percent"] < 60


def test_people_are_held_out_once_each() -> None:
    few = outcomes(23, 0.03)
    rows = cross_table(few, height_given=True)
    assert rows["waist"]["mean_absolute_cm"] == pytest.approx(
        np.mean([abs(one.values_cm["waist"] - one.truth_cm["waist"]) for one in few]), abs=0.005
    )
    held = rows["waist"]["coverage_percent"] * len(few) / 100
    assert held == pytest.approx(round(held), abs=0.02)


def test_the_same_seed_gives_the_same_people_and_others_differ() -> None:
    for kind in (people, strangers):
        first, again, other = (
            [one.phenotypes.tolist() for one in kind(free_shapes(), 2, np.random.default_rng(seed))]
            for seed in (1, 1, 2)
        )
        assert first == again != other
