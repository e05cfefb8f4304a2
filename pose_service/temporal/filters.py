"""Zero-lag filters over time: a Kalman smoother and a Gaussian, for true (uneven) times."""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

INITIAL_SPEED_SD = 5.0
"""Before the first step a speed is unknown: so wide, in units per second, that it is not felt."""

GAUSSIAN_REACH = 3.0
"""A Gaussian is cut off at so many standard deviations."""


def rts_smooth(
    values: FloatArray, times_s: FloatArray, process_noise: float, measurement_sd: FloatArray
) -> FloatArray:
    """Rauch-Tung-Striebel smoother with a constant-velocity model.

    `values`: (n, points, d); `times_s`: (n,), increasing. `process_noise` is the spectral density
    of the acceleration (units^2/s^3). `measurement_sd`: (n, points), in the units of `values`; the
    axes of a point share it. Returns (n, points, d).
    """
    count = len(times_s)
    expect_shape("values", values, (count, "points", "d"))
    expect_shape("measurement_sd", measurement_sd, values.shape[:2])
    if count < 3:
        return values.copy()
    steps = np.diff(times_s)
    variances = measurement_sd[..., None] ** 2
    state = np.stack([values[0], np.zeros_like(values[0])], axis=1)
    covariance = np.zeros((values.shape[1], 2, 2))
    covariance[:, 0, 0], covariance[:, 1, 1] = variances[0, :, 0], INITIAL_SPEED_SD**2
    filtered, covariances = [state], [covariance]
    predicted, predicted_covariances = [], []
    for step, value, variance in zip(steps, values[1:], variances[1:], strict=True):
        move, noise = _constant_velocity(step, process_noise)
        ahead, ahead_covariance = move @ state, move @ covariance @ move.T + noise
        gain = ahead_covariance[:, :, 0] / (ahead_covariance[:, :1, 0] + variance)
        state = ahead + gain[..., None] * (value - ahead[:, 0])[:, None]
        covariance = ahead_covariance - gain[..., None] * ahead_covariance[:, :1]
        predicted.append(ahead)
        predicted_covariances.append(ahead_covariance)
        filtered.append(state)
        covariances.append(covariance)
    smooth = filtered[-1]
    result = np.empty_like(values)
    result[-1] = smooth[:, 0]
    for i in range(count - 2, -1, -1):
        move, _ = _constant_velocity(steps[i], process_noise)
        back = covariances[i] @ move.T @ np.linalg.inv(predicted_covariances[i])
        smooth = filtered[i] + back @ (smooth - predicted[i])
        result[i] = smooth[:, 0]
    return result


def gaussian_smooth(
    values: FloatArray, times_s: FloatArray, sd_s: float, weights: FloatArray | None = None
) -> FloatArray:
    """Mean of the neighbours in time, weighted by a Gaussian of `sd_s` seconds.

    `values`: (n, d); `times_s`: (n,), increasing; `weights`: (n, d) further weights, positive.
    Returns (n, d).
    """
    count = len(times_s)
    expect_shape("values", values, (count, "d"))
    if count < 2:
        return values.copy()
    mass = np.ones(values.shape) if weights is None else weights.astype(np.float64)
    weighted, weights = values * mass, mass.copy()
    total = weighted.copy()
    shortest = float(np.min(np.diff(times_s)))
    reach = min(count - 1, int(np.ceil(GAUSSIAN_REACH * sd_s / max(shortest, 1e-6))))
    for offset in range(1, reach + 1):
        near = np.exp(-0.5 * ((times_s[offset:] - times_s[:-offset]) / sd_s) ** 2)[:, None]
        total[offset:] += near * weighted[:-offset]
        total[:-offset] += near * weighted[offset:]
        mass[offset:] += near * weights[:-offset]
        mass[:-offset] += near * weights[offset:]
    smoothed: FloatArray = total / mass
    return smoothed


def _constant_velocity(step_s: float, noise: float) -> tuple[FloatArray, FloatArray]:
    """Transition (2, 2) and process covariance (2, 2) of one step."""
    move = np.array([[1.0, step_s], [0.0, 1.0]])
    covariance = noise * np.array([[step_s**3 / 3, step_s**2 / 2], [step_s**2 / 2, step_s]])
    return move, covariance
