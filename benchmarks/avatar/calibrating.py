"""Error bands from some trials, held against others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.measurement.bounds import Bound, ErrorModel, bounded
from pose_service.measurement.records import MEASURES

Table = dict[str, dict[str, float]]

_SHARE = 0.9
_FOLDS = 5
_LEAST_SD = 0.002
_DIGITS = 4


@dataclass(frozen=True)
class Outcome:
    """One trial, centimetres by measure: the truth, what was measured, how sights differed."""

    truth_cm: Mapping[str, float]
    values_cm: Mapping[str, float]
    spread_cm: Mapping[str, float]

    def bounds(self, model: ErrorModel, *, height_given: bool) -> dict[str, Bound]:
        """The bands of what was measured."""
        return bounded(self.values_cm, self.spread_cm, model, height_given=height_given)

    def held(self, bounds: Mapping[str, Bound]) -> dict[str, bool]:
        """Whether each measure's band holds the truth."""
        return {
            name: bound.low_cm <= self.truth_cm[name] <= bound.high_cm
            for name, bound in bounds.items()
        }


def calibrated(outcomes: Sequence[Outcome], *, height_given: bool) -> ErrorModel:
    """Bands that hold the truth of 90 % of `outcomes`, measure by measure.

    `shared_sd` is what the scale and the spread over sights leave of the mean square error;
    `widening` then brings the band to its share, since errors are no Gaussian: a little more than
    90 % of few trials, so that it is 90 % of others (split conformal prediction, Lei et al. 2018).
    """
    plain = ErrorModel()
    share = min(1.0, np.ceil((len(outcomes) + 1) * _SHARE) / len(outcomes))
    shared, widening = {}, {}
    for name in MEASURES:
        _, errors, spread = _columns(outcomes, name)
        heights = np.array([outcome.values_cm["height"] for outcome in outcomes])
        scale = plain.stated_sd_cm / heights if height_given else plain.stature_sd
        if name == "height":
            shared[name], half = 0.0, plain.deviations * np.broadcast_to(scale, errors.shape)
        else:
            rest = float(np.mean(errors**2 - scale**2 - spread**2))
            shared[name] = round(float(np.sqrt(max(rest, _LEAST_SD**2))), _DIGITS)
            half = plain.deviations * np.sqrt(spread**2 + shared[name] ** 2 + scale**2)
        widening[name] = round(float(np.quantile(np.abs(errors) / half, share)), _DIGITS)
    return ErrorModel(shared_sd=shared, widening=widening, calibrated=True)


def cross_table(outcomes: Sequence[Outcome], *, height_given: bool) -> Table:
    """`table` of bands that were each calibrated on the other four fifths of the people."""
    bounds, order = [], []
    for fold in range(_FOLDS):
        others = [outcome for i, outcome in enumerate(outcomes) if i % _FOLDS != fold]
        model = calibrated(others, height_given=height_given)
        order += list(outcomes[fold::_FOLDS])
        bounds += [one.bounds(model, height_given=height_given) for one in outcomes[fold::_FOLDS]]
    return _table(order, bounds)


def table(outcomes: Sequence[Outcome], model: ErrorModel, *, height_given: bool) -> Table:
    """By measure: mean absolute error, bias, half a band, centimetres; coverage, per cent."""
    return _table(outcomes, [one.bounds(model, height_given=height_given) for one in outcomes])


def _table(outcomes: Sequence[Outcome], bounds: Sequence[Mapping[str, Bound]]) -> Table:
    rows = {}
    for name in MEASURES:
        values, errors, _ = _columns(outcomes, name)
        off_cm = errors * values
        halves_cm = [(each[name].high_cm - each[name].low_cm) / 2 for each in bounds]
        held = [one.held(each)[name] for one, each in zip(outcomes, bounds, strict=True)]
        rows[name] = {
            "mean_absolute_cm": round(float(np.abs(off_cm).mean()), 2),
            "bias_cm": round(float(off_cm.mean()), 2),
            "half_band_cm": round(float(np.median(halves_cm)), 2),
            "coverage_percent": round(100 * float(np.mean(held)), 1),
        }
    return rows


def _columns(outcomes: Sequence[Outcome], name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n,), centimetres; errors and spreads (n,) as shares of them."""
    values = np.array([outcome.values_cm[name] for outcome in outcomes])
    truths = np.array([outcome.truth_cm[name] for outcome in outcomes])
    spreads = np.array([outcome.spread_cm[name] for outcome in outcomes])
    return values, (values - truths) / values, spreads / values
