"""How far a measure may be off: low and high bounds and one word.

Three errors add up as independent ones do, by their squares: what frames differ in, what all
frames get wrong alike (pose taken for shape, clothes), and the scale.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import hypot
from types import MappingProxyType

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.measurement.records import MEASURES
from pose_service.measurement.shape_pool import PooledShape

# half a band as a share of its value: what sizes of clothes can tell, and twice that
_GOOD, _FAIR = 0.04, 0.08


class Reliability(StrEnum):
    """What a value is good for."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    SCALE_GUESSED = "scale_guessed"


def _everywhere(value: float) -> Mapping[str, float]:
    return MappingProxyType(dict.fromkeys(MEASURES, value))


@dataclass(frozen=True)
class ErrorModel:
    """Standard deviations, relative unless a unit is named, and what makes a band of them.

    The defaults are assumptions, `calibrated` says whether they have been held against bodies of
    known measures. `shared_sd`: by measure, what no number of frames averages out, pose taken for
    shape above all.
    `stature_sd`: of adults about the body that is assumed without a height: 0.069 m of 1.76 m in
    men, 0.064 m of 1.63 m in women (ANSUR II, Gordon et al. 2014), together 0.054. `stated_sd_cm`:
    of a height that somebody states of themselves. `deviations`: half a band in standard
    deviations, 1.645 for 90 % of a Gaussian. `widening`: by measure, what calibration multiplies
    the band by.
    """

    shared_sd: Mapping[str, float] = field(default_factory=lambda: _everywhere(0.03))
    stature_sd: float = 0.054
    stated_sd_cm: float = 1.5
    deviations: float = 1.645
    widening: Mapping[str, float] = field(default_factory=lambda: _everywhere(1.0))
    calibrated: bool = False

    def __post_init__(self) -> None:
        for name, by_measure in (("shared_sd", self.shared_sd), ("widening", self.widening)):
            if set(by_measure) != set(MEASURES):
                raise ValueError(f"{name}: expected a number for each of {', '.join(MEASURES)}")
        numbers = [self.stature_sd, self.stated_sd_cm, self.deviations]
        if min(*numbers, *self.shared_sd.values(), *self.widening.values()) < 0:
            raise ValueError("ErrorModel: expected no number below 0")


@dataclass(frozen=True)
class Bound:
    """One measure, centimetres, with the band that is meant to hold the truth."""

    value_cm: float
    low_cm: float
    high_cm: float
    reliability: Reliability


def bounded(
    values_cm: Mapping[str, float],
    shape_sd_cm: Mapping[str, float],
    model: ErrorModel,
    *,
    height_given: bool,
) -> dict[str, Bound]:
    """Bounds for each of the nine, by name.

    `values_cm`: at the given height, if there is one. `shape_sd_cm`: what `shape_spread_cm` gives,
    computed at that height too. Raises `ValueError` unless both have all nine.
    """
    for name, given in (("values_cm", values_cm), ("shape_sd_cm", shape_sd_cm)):
        if missing := set(MEASURES) - set(given):
            raise ValueError(f"{name}: expected all nine measures, {sorted(missing)} missing")
    scale_sd = model.stated_sd_cm / values_cm["height"] if height_given else model.stature_sd
    bounds = {}
    for name in MEASURES:
        value_cm = values_cm[name]
        body_sd = hypot(shape_sd_cm[name] / value_cm, model.shared_sd[name])
        if name == "height":
            # a given height is not measured on the body, and a guessed one is all scale
            body_sd = 0.0
        half = model.deviations * model.widening[name] * hypot(body_sd, scale_sd)
        word = _word(half) if height_given else Reliability.SCALE_GUESSED
        bounds[name] = Bound(value_cm, max(0.0, value_cm * (1 - half)), value_cm * (1 + half), word)
    return bounds


def _word(half: float) -> Reliability:
    if half <= _GOOD:
        return Reliability.GOOD
    return Reliability.FAIR if half <= _FAIR else Reliability.POOR


def shape_spread_cm(
    pooled: PooledShape, measure_cm: Callable[[FloatArray], Mapping[str, float]]
) -> dict[str, float]:
    """Standard deviation of each measure by the pooled shape's `error_covariance`.

    `measure_cm` measures the body of a shape (b,). First order: two measurings along each principal
    axis of the covariance along which there is any error, at one standard deviation to both sides.
    """
    variances, axes = np.linalg.eigh(pooled.error_covariance)
    squares = dict.fromkeys(MEASURES, 0.0)
    for variance, axis in zip(variances, axes.T, strict=True):
        if variance <= 1e-12 * variances.max() or variance <= 0:
            continue
        step = np.sqrt(variance) * axis
        more, less = measure_cm(pooled.shape + step), measure_cm(pooled.shape - step)
        for name in MEASURES:
            squares[name] += ((more[name] - less[name]) / 2) ** 2
    return {name: float(np.sqrt(square)) for name, square in squares.items()}
