"""A person's weight as evidence of the shape of an SMPL body whose height is known."""

import numpy as np

from pose_service.avatar.people import DENSITY_KG_M3
from pose_service.bodies.smpl_rest import SmplRest
from pose_service.core.arrays import FloatArray, IntArray

MOST_CHANGE = 3.0
"""So far, in standard deviations of people, a weight may take the shape from what was seen."""

# Assumptions, not calibrated. What the network gets wrong is taken to be as much as people differ,
# whose spread is one unit of each number; a stated weight with clothes and air for true to 5 %.
_SHAPE_SD, _WEIGHT_SD = 1.0, 0.05
# the mass is so nearly exponential in the numbers that the third step is below a gram
_STEPS = 4


def shape_of_weight(
    body: SmplRest, betas: FloatArray, height_cm: float, weight_kg: float
) -> FloatArray:
    """(10,) the shape that explains both what was seen, `betas` (10,), and the weight.

    Least squares of the change of each number and of the logarithm of the mass, in Gauss-Newton
    steps; no farther than `MOST_CHANGE`.
    """
    change = np.zeros_like(betas)
    for _ in range(_STEPS):
        log_mass, slopes = log_mass_of(body, betas + change, height_cm)
        lacking = np.log(weight_kg) - log_mass + slopes @ change
        gain = slopes / (slopes @ slopes + (_WEIGHT_SD / _SHAPE_SD) ** 2)
        change = gain * lacking
    length = float(np.linalg.norm(change))
    shape: FloatArray = betas + change * min(1.0, MOST_CHANGE / max(length, MOST_CHANGE))
    return shape


def log_mass_of(body: SmplRest, betas: FloatArray, height_cm: float) -> tuple[float, FloatArray]:
    """Logarithm of the kilograms of the body made `height_cm` tall, and its slopes (10,)."""
    vertices_m = body.vertices(betas)
    top, bottom = np.argmax(vertices_m[:, 1]), np.argmin(vertices_m[:, 1])
    tall_m = float(vertices_m[top, 1] - vertices_m[bottom, 1])
    tall_slopes = body.basis_m[top, 1] - body.basis_m[bottom, 1]
    volume_m3, gradient_m2 = _volume(vertices_m, body.faces)
    volume_slopes = np.tensordot(gradient_m2, body.basis_m, axes=2)
    scale = height_cm / (100 * tall_m)
    log_mass = float(np.log(DENSITY_KG_M3 * volume_m3 * scale**3))
    return log_mass, volume_slopes / volume_m3 - 3 * tall_slopes / tall_m


def mass_kg(vertices_m: FloatArray, faces: IntArray) -> float:
    """Of the body inside of a closed surface."""
    volume_m3, _ = _volume(vertices_m, faces)
    return DENSITY_KG_M3 * volume_m3


def _volume(vertices_m: FloatArray, faces: IntArray) -> tuple[float, FloatArray]:
    """Cubic metres inside of a closed surface, and what moving each vertex adds, (v, 3).

    A sixth of the triple products of all triangles, each of which is linear in each corner.
    """
    a, b, c = (vertices_m[faces[:, corner]] for corner in range(3))
    products = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1) / 6
    gradient = np.empty_like(vertices_m)
    for axis in range(3):
        sums = np.bincount(faces.ravel(), products[..., axis].ravel(), len(vertices_m))
        gradient[:, axis] = sums
    return float(np.einsum("fi,fi->", a, products[:, 0])), gradient
