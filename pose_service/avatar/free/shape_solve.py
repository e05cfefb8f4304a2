"""Damped Gauss-Newton steps on pose and shape together, of one sight or of several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.avatar.free.body_maker import BodyMaker
from pose_service.avatar.free.clothes import Clothes
from pose_service.avatar.free.shape_prior import ShapePrior
from pose_service.avatar.free.shape_problem import (
    TURNED,
    UNKNOWNS,
    Guess,
    Rows,
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


@dataclass(frozen=True)
class _System:
    """Normal equations of one sight, by pose (63) and shape (6).

    `mixed`: (63, 6). `solved`: (63, 7) the pose block's inverse times the pose's slope and `mixed`.
    `mass`: of the shape, not in the equations.
    """

    shape_normal: FloatArray
    shape_slope: FloatArray
    mixed: FloatArray
    solved: FloatArray
    mass: Rows

    @classmethod
    def of(cls, normal: FloatArray, slope: FloatArray, mass: Rows) -> "_System":
        """Of all unknowns' `normal` (69, 69) and `slope` (69,)."""
        pose, shape = slice(TURNED + 3), slice(TURNED + 3, None)
        _damp(block := normal[pose, pose])
        mixed = normal[pose, shape]
        solved = np.linalg.solve(block, np.column_stack([slope[pose], mixed]))
        return cls(normal[shape, shape], slope[shape], mixed, solved, mass)

    def pose_change(self, shape_change: FloatArray) -> FloatArray:
        """(63,) what the pose does while the shape changes (6,)."""
        change: FloatArray = -self.solved[:, 0] - self.solved[:, 1:] @ shape_change
        return change


class ShapeSolver:
    """Pose and phenotypes of one sight, from a start near by."""

    def __init__(
        self, maker: BodyMaker, prior: ShapePrior, clothes: Clothes, surface: ClosedFaces
    ) -> None:
        self._maker, self._prior, self._clothes, self._surface = maker, prior, clothes, surface

    def refine(self, sighted: Sighted, guess: Guess, steps: int = STEPS) -> Guess:
        """`guess` after `steps` steps."""
        (refined,) = self.refine_together([sighted], [guess], np.ones(1), steps)
        return refined

    def refine_together(
        self, sights: Sequence[Sighted], guesses: Sequence[Guess], weights: FloatArray, steps: int
    ) -> list[Guess]:
        """Several sights of one person: a pose each, one shape, which all guesses must have.

        `weights`: (n,) 0 to 1 what each sight counts, one of them above 0.
        """
        for _ in range(steps):
            guesses = self._step(sights, guesses, weights)
        return list(guesses)

    def _step(
        self, sights: Sequence[Sighted], guesses: Sequence[Guess], weights: FloatArray
    ) -> list[Guess]:
        """The poses are eliminated from each sight's equations (Schur's complement)."""
        systems = [self._system(*pair) for pair in zip(sights, guesses, strict=True)]
        known = (NOISE_M / self._prior.sd) ** 2
        phenotypes = guesses[0].phenotypes
        normal, slope = np.diag(known), known * (phenotypes - self._prior.mean)
        _add_mass(normal, slope, systems[0].mass)
        for system, weight in zip(systems, weights, strict=True):
            normal += weight * system.shape_normal
            slope += weight * system.shape_slope
        _damp(normal)
        for system, weight in zip(systems, weights, strict=True):
            normal -= weight * system.mixed.T @ system.solved[:, 1:]
            slope -= weight * system.mixed.T @ system.solved[:, 0]
        change = -np.linalg.solve(normal, slope)
        step = np.clip(change, -_LONGEST_CHANGE, _LONGEST_CHANGE)
        settled = self._maker.settled(phenotypes + step)
        return [
            _moved(guess, system.pose_change(change), settled)
            for guess, system in zip(guesses, systems, strict=True)
        ]

    def _system(self, sighted: Sighted, guess: Guess) -> _System:
        problem = ShapeProblem(self._maker, guess, self._surface)
        normal, slope = np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros(UNKNOWNS)
        for values, slopes, weights in self._blocks(problem, sighted):
            weighted = slopes * weights[:, None]
            normal += weighted.T @ slopes
            slope += weighted.T @ values
        np.einsum("ii->i", normal)[3:TURNED] += POSE_PRIOR.ravel()
        slope[3:TURNED] += (POSE_PRIOR * vector_from_rotation(guess.rotations[1:])).ravel()
        return _System.of(normal, slope, problem.mass())

    def _blocks(
        self, problem: ShapeProblem, sighted: Sighted
    ) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Values (n,), slopes (n, unknowns) and weights (n,) of landmarks and outline."""
        residuals, by_unknown = problem.landmarks(sighted.evidence)
        weights = robust_weights(sighted.evidence, residuals[None])[0]
        rim, vertices = problem.outline(sighted, self._clothes.ease_m)
        return [
            (residuals.ravel(), by_unknown.reshape(UNKNOWNS, -1).T, weights.ravel()),
            (rim.values, rim.slopes, self._outline_weights(rim.values, vertices)),
        ]

    def _outline_weights(self, values: FloatArray, vertices: IntArray) -> FloatArray:
        trust = self._clothes.trust[vertices] * (NOISE_M / _OUTLINE_SD_M) ** 2 / _ROWS_ALIKE
        weights: FloatArray = trust / (1 + (values / _OUTLIER_OUTLINE_M) ** 2)
        return weights


def _add_mass(normal: FloatArray, slope: FloatArray, mass: Rows) -> None:
    """A stated weight, where there is one, counts once, however many sights there are."""
    weight = (NOISE_M / _MASS_SD) ** 2
    by_shape = mass.slopes[:, TURNED + 3 :]
    normal += weight * by_shape.T @ by_shape
    slope += weight * by_shape.T @ mass.values


def _damp(normal: FloatArray) -> None:
    diagonal = np.einsum("ii->i", normal)
    diagonal += _DAMPING * diagonal + _LEAST_DAMPING


def _moved(guess: Guess, pose_change: FloatArray, phenotypes: FloatArray) -> Guess:
    state = moved(guess.state, pose_change[None])
    return Guess(state.rotations[0], state.translations_m[0], phenotypes)
