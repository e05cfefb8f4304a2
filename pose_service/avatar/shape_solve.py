"""Damped Gauss-Newton steps on pose and shape together."""

import numpy as np

from pose_service.avatar.body_maker import BodyMaker
from pose_service.avatar.clothes import Clothes
from pose_service.avatar.shape_prior import ShapePrior
from pose_service.avatar.shape_problem import (
    TURNED,
    UNKNOWNS,
    Guess,
    ShapeProblem,
    Sighted,
)
from pose_service.bodies.fit_solve import NOISE_M, POSE_PRIOR, moved, robust_weights
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.geometry import vector_from_rotation
from pose_service.measurement.surface import ClosedFaces

STEPS = 6
_DAMPING, _LEAST_DAMPING = 1e-3, 1e-6
_LONGEST_CHANGE = 0.3  # of a phenotype number in one step
_OUTLIER_OUTLINE_M = 0.03
_OUTLINE_SD_M = 0.012
# Neighbours on the outline are wrong together: so many rows tell as much as one.
_ROWS_ALIKE = 4.0
_MASS_SD = 0.06  # of a stated mass, and of a volume without a lung's exact air


class ShapeSolver:
    """Pose and phenotypes of one sight, from a start near by."""

    def __init__(
        self, maker: BodyMaker, prior: ShapePrior, clothes: Clothes, surface: ClosedFaces
    ) -> None:
        self._maker, self._prior, self._clothes, self._surface = maker, prior, clothes, surface

    def refine(self, sighted: Sighted, guess: Guess, steps: int = STEPS) -> Guess:
        """`guess` after `steps` steps."""
        for _ in range(steps):
            guess = self._step(sighted, guess)
        return guess

    def _step(self, sighted: Sighted, guess: Guess) -> Guess:
        problem = ShapeProblem(self._maker, guess, self._surface)
        normal, slope = np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros(UNKNOWNS)
        for values, slopes, weights in self._blocks(problem, sighted):
            weighted = slopes * weights[:, None]
            normal += weighted.T @ slopes
            slope += weighted.T @ values
        bent = vector_from_rotation(guess.rotations[1:])
        diagonal = np.einsum("ii->i", normal)
        diagonal[3:TURNED] += POSE_PRIOR.ravel()
        slope[3:TURNED] += (POSE_PRIOR * bent).ravel()
        known = (NOISE_M / self._prior.sd) ** 2
        diagonal[TURNED + 3 :] += known
        slope[TURNED + 3 :] += known * (guess.phenotypes - self._prior.mean)
        diagonal += _DAMPING * diagonal + _LEAST_DAMPING
        change = -np.linalg.solve(normal, slope)
        return self._moved(guess, change)

    def _blocks(
        self, problem: ShapeProblem, sighted: Sighted
    ) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Values (n,), slopes (n, unknowns) and weights (n,) of landmarks, outline and mass."""
        residuals, by_unknown = problem.landmarks(sighted.evidence)
        weights = robust_weights(sighted.evidence, residuals[None])[0]
        rim, vertices = problem.outline(sighted, self._clothes.ease_m)
        mass = problem.mass()
        return [
            (residuals.ravel(), by_unknown.reshape(UNKNOWNS, -1).T, weights.ravel()),
            (rim.values, rim.slopes, self._outline_weights(rim.values, vertices)),
            (mass.values, mass.slopes, np.full(len(mass.values), (NOISE_M / _MASS_SD) ** 2)),
        ]

    def _outline_weights(self, values: FloatArray, vertices: IntArray) -> FloatArray:
        trust = self._clothes.trust[vertices] * (NOISE_M / _OUTLINE_SD_M) ** 2 / _ROWS_ALIKE
        weights: FloatArray = trust / (1 + (values / _OUTLIER_OUTLINE_M) ** 2)
        return weights

    def _moved(self, guess: Guess, change: FloatArray) -> Guess:
        state = moved(guess.state, change[None, : TURNED + 3])
        step = np.clip(change[TURNED + 3 :], -_LONGEST_CHANGE, _LONGEST_CHANGE)
        phenotypes = self._maker.settled(guess.phenotypes + step)
        return Guess(state.rotations[0], state.translations_m[0], phenotypes)
