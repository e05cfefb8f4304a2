"""Bodies of given phenotypes that are as tall as somebody said."""

import numpy as np

from pose_service.avatar.people import DENSITY_KG_M3
from pose_service.avatar.records import Wish
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray

_HEIGHT = PHENOTYPES.index("height")
_STEP = 0.02
_STEPS = 3  # of Newton's; the stature is all but linear in its number


class BodyMaker:
    """Bodies of phenotypes as tall as the wish says."""

    def __init__(self, shapes: BodyShapes, wish: Wish) -> None:
        self._shapes = shapes
        self._height_m = None if wish.height_cm is None else wish.height_cm / 100
        self.weight_kg = wish.weight_kg

    def settled(self, phenotypes: FloatArray) -> FloatArray:
        """(6,) `phenotypes` with the height number that gives the wish's stature, if it can."""
        settled = np.clip(phenotypes, 0, 1)
        if self._height_m is None:
            return settled
        for _ in range(_STEPS):
            short, tall = settled.copy(), settled.copy()
            tall[_HEIGHT] += _STEP if tall[_HEIGHT] < 0.5 else -_STEP
            first, second = (stature_m(self._shapes.body(one)) for one in (short, tall))
            slope = (second - first) / (tall[_HEIGHT] - short[_HEIGHT])
            settled[_HEIGHT] = np.clip(settled[_HEIGHT] + (self._height_m - first) / slope, 0, 1)
        return settled

    def scale(self, phenotypes: FloatArray) -> float:
        """What brings the body of `phenotypes` to the wish's stature."""
        if self._height_m is None:
            return 1.0
        return self._height_m / stature_m(self._shapes.body(phenotypes))

    def body(self, phenotypes: FloatArray) -> AnnyBody:
        return self._shapes.body(phenotypes, self.scale(phenotypes))


def stature_m(body: AnnyBody) -> float:
    """From the lowest to the highest vertex at rest."""
    return float(np.ptp(body.rest_vertices_m[:, 2]))


def mass_kg(body: AnnyBody) -> float:
    """By the volume of the surface."""
    a, b, c = (body.rest_vertices_m[body.faces[:, k]].astype(np.float64) for k in range(3))
    return DENSITY_KG_M3 * float(np.einsum("fi,fi->", a, np.cross(b, c))) / 6
