"""What comes of trials, summed up."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.avatar.calibrating import Outcome, calibrated, cross_table, table
from benchmarks.avatar.trials import Trial
from pose_service.avatar.calibration import Known, error_model
from pose_service.avatar.free.shaped import BODY_NAME
from pose_service.measurement.bounds import ErrorModel

Fields = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What came of one trial: outcomes with and without the height, None where nobody was seen."""

    with_height: Outcome | None
    without_height: Outcome | None
    seconds: float


def tried(trial: Trial) -> Found:
    """Fit and measure it both ways."""
    if not trial.sights:
        return Found(None, None, 0.0)
    start = time.perf_counter()
    told = trial.outcome(height=True)
    seconds = time.perf_counter() - start
    return Found(told, trial.outcome(height=False), seconds)


def summed(found: Sequence[Found]) -> Fields:
    """Error models of all trials, and what bands made without a trial say of it."""
    seen = [one for one in found if one.with_height and one.without_height]
    told = [one.with_height for one in seen if one.with_height]
    untold = [one.without_height for one in seen if one.without_height]
    return {
        "people": len(found),
        "not_found": len(found) - len(seen),
        "fit_and_measure_s": round(float(np.median([one.seconds for one in seen])), 3),
        "with_height": _held_out(told, height_given=True),
        "without_height": _held_out(untold, height_given=False),
    }


def banded(found: Sequence[Found]) -> Fields:
    """How the service's bands for one photograph and a given height do."""
    outcomes = [one.with_height for one in found if one.with_height]
    model = error_model(BODY_NAME, Known(height=True, turn=False))
    return {"people": len(outcomes), "with_height": table(outcomes, model, height_given=True)}


def _held_out(outcomes: list[Outcome], *, height_given: bool) -> Fields:
    return {
        "model": model_fields(calibrated(outcomes, height_given=height_given)),
        "held_out": cross_table(outcomes, height_given=height_given),
    }


def model_fields(model: ErrorModel) -> Fields:
    """What calibration sets."""
    return {"shared_sd": dict(model.shared_sd), "widening": dict(model.widening)}
