"""One body shape from the shapes that single frames gave."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

# Tukey's biweight: 95 % efficient on Gaussian data (Huber and Ronchetti 2009, ch. 4); a frame this
# many spreads away counts for nothing.
_TUKEY = 4.685
# the standard deviation of a Gaussian by its median absolute deviation
_SD_BY_MAD = 1.4826
_STEPS, _SETTLED = 50, 1e-10


@dataclass(frozen=True, eq=False)
class PooledShape:
    """The shape of one person, from n frames.

    `shape`: (b,). `frame_covariance`: (b, b) how far a single frame's shape strays from it.
    `error_covariance`: (b, b) how far it may itself be off, as far as frames differ: what all
    frames get wrong alike is not in it. `weights`: (n,) what each frame counted, 0 for a stray one.
    `effective_frames`: as many independent frames of equal weight would tell as much.
    """

    shape: FloatArray
    frame_covariance: FloatArray
    error_covariance: FloatArray
    weights: FloatArray
    effective_frames: float

    def __post_init__(self) -> None:
        (size,) = self.shape.shape
        expect_shape("frame_covariance", self.frame_covariance, (size, size))
        expect_shape("error_covariance", self.error_covariance, (size, size))
        expect_shape("weights", self.weights, ("n",))


def pool_shapes(shapes: FloatArray, confidences: FloatArray) -> PooledShape:
    """Weighted mean of `shapes` (n, b), in the order of time, without strays.

    `confidences`: (n,), at least 0, any unit; a frame that is sure counts more. From the weighted
    median on, frames count by Tukey's biweight of their distance (an M-estimate with fixed scale).
    A single frame has covariances of zero: it tells nothing of its own error. Raises `ValueError`
    without a frame of confidence above 0, or where numbers are not finite.
    """
    expect_shape("shapes", shapes, ("n", "b"))
    expect_shape("confidences", confidences, (len(shapes),))
    if not np.isfinite(shapes).all() or not np.isfinite(confidences).all():
        raise ValueError("shapes, confidences: expected finite numbers")
    if not len(shapes) or confidences.min() < 0 or confidences.max() <= 0:
        raise ValueError("confidences: expected none below 0 and one above 0, or there is no frame")
    weights = _settled_weights(shapes, confidences / confidences.max())
    shape = weights @ shapes / weights.sum()
    covariance = _covariance(shapes - shape, weights)
    effective = _effective_count(shapes - shape, weights)
    return PooledShape(shape, covariance, covariance / effective, weights, effective)


def _settled_weights(shapes: FloatArray, confidences: FloatArray) -> FloatArray:
    """(n,) confidence times biweight, once the mean moves no more."""
    centre = weighted_median(shapes, confidences)
    spread = _SD_BY_MAD * weighted_median(np.abs(shapes - centre), confidences)
    # where most frames agree to the last digit, any difference is one of rounding or a stray
    spread = np.maximum(spread, 1e-6 * (1 + np.abs(centre)))
    weights = confidences
    for _ in range(_STEPS):
        distances = np.sqrt((((shapes - centre) / spread) ** 2).mean(axis=1))
        weights = confidences * np.clip(1 - (distances / _TUKEY) ** 2, 0, None) ** 2
        if not weights.any():
            return confidences
        moved = weights @ shapes / weights.sum() - centre
        centre = centre + moved
        if np.all(np.abs(moved) <= _SETTLED * spread):
            break
    return weights


def weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """(b,) the lower weighted median of each column of `values` (n, b).

    >>> weighted_median(np.array([[1.0], [2.0], [9.0]]), np.array([1.0, 1.0, 5.0])).tolist()
    [9.0]
    """
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0)
    rows = np.argmax(reached >= reached[-1] / 2, axis=0)
    median: FloatArray = np.take_along_axis(values, order, axis=0)[rows, np.arange(values.shape[1])]
    return median


def _covariance(deviations: FloatArray, weights: FloatArray) -> FloatArray:
    """(b, b) unbiased for weights that tell reliability; zero for one frame."""
    freedom = weights.sum() - (weights**2).sum() / weights.sum()
    total: FloatArray = (weights[:, None] * deviations).T @ deviations
    return total / freedom if freedom > 1e-12 else 0 * total


def _effective_count(deviations: FloatArray, weights: FloatArray) -> float:
    """Kish's (1965) count by weights, less what neighbours in time repeat.

    Errors are taken for a first-order autoregression: n (1 - r) / (1 + r) of n are independent, r
    being the correlation of neighbours (Bartlett 1946). One frame is the least.
    """
    kish = float(weights.sum() ** 2 / (weights**2).sum())
    scale = np.sqrt(weights @ deviations**2 / weights.sum())
    kept = (deviations / np.where(scale > 0, scale, 1))[weights > 0]
    power = float((kept**2).mean())
    if len(kept) < 3 or power == 0:
        return kish
    correlation = float((kept[1:] * kept[:-1]).mean()) / power
    correlation = min(max(correlation, 0.0), 0.999)
    return max(1.0, kish * (1 - correlation) / (1 + correlation))
