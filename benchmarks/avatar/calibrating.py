"""Error bands from one half of the trials, held against the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.measurement.bounds import ErrorModel, bounded
from pose_service.measurement.records import MEASURES

_SHARE = 0.9
_LEAST_SD = 0.002
_DIGITS = 4


@dataclass(frozen=True)
class Outcome:
    """One trial, centimetres by measure: the truth, what was measured, how sights differed."""

    truth_cm: Mapping[str, float]
    values_cm: Mapping[str, float]
    spread_cm: Mapping[str, float]

    def held(self, model: ErrorModel, *, height_given: bool) -> dict[str, bool]:
        """Whether each measure's band holds the truth."""
        bounds = bounded(self.values_cm, self.spread_cm, model, height_given=height_given)
        return {
            name: bound.low_cm <= self.truth_cm[name] <= bound.high_cm
            for name, bound in bounds.items()
        }


def calibrated(outcomes: Sequence[Outcome], *, height_given: bool) -> ErrorModel:
    """Bands that hold the truth of 90 % of `outcomes`, measure by measure.

    `shared_sd` is what the scale and the spread over sights leave of the mean square error;
    `widening` then brings the band to its share, since errors are no Gaussian.
    """
    plain = ErrorModel()
    shared, widening = {}, {}
    for name in MEASURES:
        _, errors, spread = _columns(outcomes, name)
        heights = np.array([outcome.values_cm["height"] for outcome in outcomes])
        scale = plain.stated_sd_cm / heights if height_given else plain.stature_sd
        if name == "height":
            shared[name], half = 0.0, plain.deviations * np.broadcast_to(scale, errors.shape)
        else:
            rest = float(np.mean(errors**2 - scale**2 - spread**2))
            shared[name] = round(np.sqrt(max(rest, _LEAST_SD**2)), _DIGITS)
            half = plain.deviations * np.sqrt(spread**2 + shared[name] ** 2 + scale**2)
        widening[name] = round(float(np.quantile(np.abs(errors) / half, _SHARE)), _DIGITS)
    return ErrorModel(shared_sd=shared, widening=widening, calibrated=True)


def table(
    outcomes: Sequence[Outcome], model: ErrorModel, *, height_given: bool
) -> dict[str, dict[str, float]]:
    """By measure: mean absolute error, bias, half a band, centimetres; coverage, per cent."""
    held = [outcome.held(model, height_given=height_given) for outcome in outcomes]
    halves = [
        bounded(outcome.values_cm, outcome.spread_cm, model, height_given=height_given)
        for outcome in outcomes
    ]
    rows = {}
    for name in MEASURES:
        values, errors, _ = _columns(outcomes, name)
        off_cm = errors * values
        half_cm = np.median([(bands[name].high_cm - bands[name].low_cm) / 2 for bands in halves])
        rows[name] = {
            "mean_absolute_cm": round(float(np.abs(off_cm).mean()), 2),
            "bias_cm": round(float(off_cm.mean()), 2),
            "half_band_cm": round(float(half_cm), 2),
            "coverage_percent": round(100 * float(np.mean([each[name] for each in held])), 1),
        }
    return rows


def _columns(outcomes: Sequence[Outcome], name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n,), centimetres; errors and spreads (n,) as shares of them."""
    values = np.array([outcome.values_cm[name] for outcome in outcomes])
    truths = np.array([outcome.truth_cm[name] for outcome in outcomes])
    spreads = np.array([outcome.spread_cm[name] for outcome in outcomes])
    return values, (values - truths) / values, spreads / values
