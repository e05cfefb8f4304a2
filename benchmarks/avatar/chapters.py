"""What is found out about avatars, chapter by chapter, ready for JSON."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.avatar.calibrating import Outcome, calibrated, table
from benchmarks.avatar.people import people, strangers
from benchmarks.avatar.trials import Trial, by_networks, by_noise, photographs, turns
from pose_service.avatar.body_maker import mass_kg
from pose_service.avatar.calibration import Known, error_model
from pose_service.avatar.records import Gender
from pose_service.avatar.shaped import BODY_NAME
from pose_service.bodies.shapes import BodyShapes
from pose_service.core.config import read_settings
from pose_service.engines.registry import build_engine
from pose_service.measurement.bounds import ErrorModel

Fields = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How many people are photographed once, and how many turn around; half of them calibrate."""

    photographs: int
    turns: int
    seed: int


def photograph_chapter(size: Size) -> Fields:
    """One rendered photograph each, through the whole engine."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed)
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    return _calibrated(photographs(people(shapes, size.photographs, rng), by_networks(engine), rng))


def turn_chapter(size: Size) -> Fields:
    """Eight rendered photographs each, all around, through the whole engine."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 1)
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    return _calibrated(turns(people(shapes, size.turns, rng), by_networks(engine), rng))


def noise_chapter(size: Size) -> Fields:
    """Joints and outlines of the bodies themselves, with noise like the networks'."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 2)
    return _calibrated(photographs(people(shapes, size.photographs, rng), by_noise, rng))


def stranger_chapter(size: Size) -> Fields:
    """As the first chapter, people unlike what the fit expects; bands as calibrated there."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 4)
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    several = strangers(shapes, size.photographs // 3, rng)
    seen = [one for one in photographs(several, by_networks(engine), rng) if one.sights]
    outcomes = [one.outcome(height=True) for one in seen]
    model = error_model(BODY_NAME, Known(height=True, turn=False))
    return {"people": len(outcomes), "with_height": table(outcomes, model, height_given=True)}


def population_chapter(size: Size) -> Fields:
    """Statures and masses of the random people, by the mesh' volume."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 3)
    rows = {}
    for gender in (Gender.MALE, Gender.FEMALE):
        some = list(people(shapes, size.photographs // 2, rng, gender))
        for name, values in (
            ("stature, cm", [one.values_cm["height"] for one in some]),
            ("mass, kg", [mass_kg(one.body) for one in some]),
        ):
            rows[f"{gender}, {name}"] = [round(float(f(values)), 1) for f in (np.mean, np.std)]
    return {"rows": rows}


CHAPTERS: Mapping[str, Callable[[Size], Fields]] = {
    "photograph": photograph_chapter,
    "turn": turn_chapter,
    "noise": noise_chapter,
    "strangers": stranger_chapter,
    "population": population_chapter,
}


def _calibrated(trials: Iterable[Trial]) -> Fields:
    """Fit every trial with and without the height; calibrate on every other one."""
    outcomes: dict[bool, list[Outcome]] = {True: [], False: []}
    seconds, asked, missed = [], 0, 0
    for trial in trials:
        asked += 1
        missed += not trial.sights
        for height in outcomes if trial.sights else ():
            start = time.perf_counter()
            outcomes[height].append(trial.outcome(height=height))
            seconds.append(time.perf_counter() - start)
    return {
        "people": asked,
        "not_found": missed,
        "fit_and_measure_s": round(float(np.median(seconds)), 3),
        "with_height": _halves(outcomes[True], height_given=True),
        "without_height": _halves(outcomes[False], height_given=False),
    }


def _halves(outcomes: list[Outcome], *, height_given: bool) -> Fields:
    model = calibrated(outcomes[::2], height_given=height_given)
    held_out = table(outcomes[1::2], model, height_given=height_given)
    return {"model": model_fields(model), "held_out": held_out}


def model_fields(model: ErrorModel) -> Fields:
    """What calibration sets."""
    return {"shared_sd": dict(model.shared_sd), "widening": dict(model.widening)}
