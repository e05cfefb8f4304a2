"""Damped Gauss-Newton steps on a batch of bodies, with the Jacobian by hand.

Unknowns of a body: a rotation vector for each of the 20 free joints and the root's position t.
Residuals, all in metres:

- 3D: target minus the mid-hip, minus the seen landmark;
- 2D: (x/z - ray) times t_z, which is held still within a step;
- prior: a joint's rotation vector away from rest.

Each landmark's residuals count by its weight and by a robust factor (Cauchy's); those in the
picture count more than those in 3D, because the network sees the picture and guesses the depth.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.body_landmarks import landmark_moments
from pose_service.bodies.fit_evidence import TARGET_NAMES, TARGETS, Evidence
from pose_service.bodies.fit_start import DEPTH_RANGE_M, SCALE_RANGE, BodyState
from pose_service.bodies.segments import FREE_JOINTS, Segments, place
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import rotation_from_vector, vector_from_rotation

Rescale = Callable[[FloatArray, FloatArray], FloatArray]
"""Scales (n,) from the sums (n,) of seen times model and of model times model."""

_HIPS = [TARGET_NAMES.index("left_hip"), TARGET_NAMES.index("right_hip")]
_ROTATED = 3 * len(FREE_JOINTS)
_OUTLIER_3D_M, _OUTLIER_2D_M = 0.15, 0.10
NOISE_M = 0.03
"""What a landmark of weight 1 is off, one standard deviation: the unit of all weights."""
# Twice the trust in the picture takes 16-21 % off the 2D error on clips for 7-12 % more in 3D.
_TRUST_3D, _TRUST_2D = 1.0, 2.0
_DAMPING, _LEAST_DAMPING = 1e-3, 1e-6
_LONGEST_TURN_RAD, _LONGEST_MOVE_M = 0.6, 1.0
_NEAREST_POINT_M = 0.1
# Standard deviations, rad, about the rest axes: x to the side, y to the back, z up.
_PRIOR_SD_RAD = {
    "spine04": (0.35, 0.25, 0.25),
    "spine02": (0.35, 0.25, 0.25),
    "spine01": (0.35, 0.25, 0.25),
    "neck01": (0.4, 0.3, 0.5),
    "head": (0.5, 0.35, 0.6),
    "clavicle": (0.15, 0.15, 0.15),
    "upperarm01": (1.5, 1.5, 1.0),
    "lowerarm01": (1.2, 1.2, 1.2),
    "wrist": (0.5, 0.5, 0.5),
    "upperleg01": (1.5, 0.7, 0.6),
    "lowerleg01": (1.6, 0.25, 0.25),
    "foot": (0.5, 0.3, 0.3),
}
POSE_PRIOR = np.array(
    [(NOISE_M / np.array(_PRIOR_SD_RAD[name.partition(".")[0]])) ** 2 for name in FREE_JOINTS[1:]]
)
"""(19, 3) weights of the rotation vectors of all free joints but the root."""


@dataclass(frozen=True)
class Solver:
    """The body's side of the problem: its segments and the targets' levers (27, 20, 3)."""

    segments: Segments
    levers: FloatArray

    @classmethod
    def of(cls, body: AnnyBody) -> Self:
        """Raises `ValueError` if `body` lacks a bone or keypoint that the fit needs."""
        moment_m, mass = landmark_moments(body)
        segments = Segments.of(body)
        return cls(segments, segments.levers(moment_m[list(TARGETS)], mass[list(TARGETS)]))

    def refine(
        self, seen: Evidence, state: BodyState, steps: int, rescale: Rescale | None = None
    ) -> BodyState:
        """`steps` steps; with `rescale`, the scales are estimated again before every other one."""
        for step in range(steps):
            if rescale is not None and step % 2:
                state = self.rescaled(seen, state, rescale)
            state = self.step(seen, state)
        return state

    def step(self, seen: Evidence, state: BodyState) -> BodyState:
        """One damped step for every body."""
        residuals, jacobian = self.linearise(seen, state)
        weights = robust_weights(seen, residuals)
        rows = (jacobian * np.sqrt(weights)[:, None]).reshape(len(seen), _ROTATED + 3, -1)
        values = (residuals * np.sqrt(weights)).reshape(len(seen), -1, 1)
        normal, slope = rows @ rows.swapaxes(1, 2), (rows @ values)[..., 0]
        bent = vector_from_rotation(state.rotations[:, 1:])
        slope[:, 3:_ROTATED] += (POSE_PRIOR * bent).reshape(len(seen), -1)
        diagonal = np.einsum("nii->ni", normal)
        diagonal[:, 3:_ROTATED] += POSE_PRIOR.ravel()
        diagonal += _DAMPING * diagonal + _LEAST_DAMPING
        return moved(state, -np.linalg.solve(normal, slope[..., None])[..., 0])

    def linearise(self, seen: Evidence, state: BodyState) -> tuple[FloatArray, FloatArray]:
        """Residuals (n, 5, 27) and their Jacobian (n, 63, 5, 27).

        The five are x, y, z of the 3D residual and x, y of the 2D one. The 63 are each joint's
        turn, R <- R exp(turn), and the root's move.
        """
        turns = self.segments.turns(state.rotations)
        points = state.scales[:, None, None] * place(self.levers, turns).swapaxes(1, 2)
        residuals = self._off(seen, state, points)
        depths, slopes, held = _pictured(points, state)
        motion = self._motion(turns, state.scales)
        jacobian = np.empty((len(seen), _ROTATED + 3, *residuals.shape[1:]))
        jacobian[:, :, :3] = motion - motion[..., _HIPS].mean(axis=-1, keepdims=True)
        jacobian[:, :, 3:] = motion[:, :, :2] - slopes[:, None] * motion[:, :, 2:]
        jacobian[:, :, 3:] *= (held / depths)[:, None]
        return residuals, jacobian

    def residuals(self, seen: Evidence, state: BodyState) -> FloatArray:
        """(n, 5, 27), as `linearise` gives them."""
        turns = self.segments.turns(state.rotations)
        points = state.scales[:, None, None] * place(self.levers, turns).swapaxes(1, 2)
        return self._off(seen, state, points)

    @staticmethod
    def _off(seen: Evidence, state: BodyState, points: FloatArray) -> FloatArray:
        """(n, 5, 27) residuals of `points` (n, 3, 27), the root at the origin."""
        residuals = np.empty((len(seen), 5, len(TARGET_NAMES)))
        residuals[:, :3] = points - points[..., _HIPS].mean(axis=-1, keepdims=True)
        residuals[:, :3] -= seen.points_m.swapaxes(1, 2)
        _, slopes, held = _pictured(points, state)
        residuals[:, 3:] = (slopes - seen.rays.swapaxes(1, 2)) * held
        return residuals

    def rescaled(self, seen: Evidence, state: BodyState, rescale: Rescale) -> BodyState:
        """Scales by weighted least squares in 3D; bodies move so that their picture stays."""
        points = place(self.levers, self.segments.turns(state.rotations))
        points -= points[:, _HIPS].mean(axis=1, keepdims=True)
        weights = seen.weights[..., None]
        both = np.sum(weights * seen.points_m * points, axis=(1, 2))
        scales = np.clip(rescale(both, np.sum(weights * points**2, axis=(1, 2))), *SCALE_RANGE)
        growth = (scales / state.scales)[:, None]
        return replace(
            state, scales=scales, translations_m=_in_reach(state.translations_m * growth)
        )

    def _motion(self, turns: FloatArray, scales: FloatArray) -> FloatArray:
        """(n, 63, 3, 27) how the targets move, camera axes, per unknown.

        A joint's turn moves a target by (turned axis) x (what the segments below add to it).
        """
        count, joints = turns.shape[:2]
        arms = turns @ self.levers.transpose(1, 2, 0)
        arms = self.segments.below @ arms.reshape(count, joints, -1)
        arms = arms.reshape(count, joints, 1, 3, -1) * scales[:, None, None, None, None]
        axes = turns.swapaxes(2, 3)[..., None]
        motion = np.zeros((count, _ROTATED + 3, 3, len(TARGET_NAMES)))
        turned = motion[:, :_ROTATED].reshape(count, joints, 3, 3, -1)
        for x, y, z in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            turned[:, :, :, x] = (
                axes[..., y, :] * arms[..., z, :] - axes[..., z, :] * arms[..., y, :]
            )
        motion[:, _ROTATED:] = np.eye(3)[..., None]
        return motion


def _pictured(points: FloatArray, state: BodyState) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Depths (n, 1, 27), x/z and y/z (n, 2, 27) of `points` (n, 3, 27), and the root's depth."""
    moved = state.translations_m[..., None]
    depths = np.maximum((points + moved)[:, 2:], _NEAREST_POINT_M)
    return depths, (points + moved)[:, :2] / depths, moved[:, 2:]


def robust_weights(seen: Evidence, residuals: FloatArray) -> FloatArray:
    """(n, 5, 27) weights of the squared residuals."""
    weights = np.empty_like(residuals)
    for part, outlier_m, trust in (
        (slice(0, 3), _OUTLIER_3D_M, _TRUST_3D),
        (slice(3, 5), _OUTLIER_2D_M, _TRUST_2D),
    ):
        squared = np.sum(residuals[:, part] ** 2, axis=1, keepdims=True)
        weights[:, part] = trust * seen.weights[:, None] / (1 + squared / outlier_m**2)
    return weights


def moved(state: BodyState, change: FloatArray) -> BodyState:
    """The bodies after a change (n, 63), each joint's turn and the move cut to a longest one."""
    turn = _cut(change[:, :_ROTATED].reshape(len(change), -1, 3), _LONGEST_TURN_RAD)
    move = _cut(change[:, _ROTATED:], _LONGEST_MOVE_M)
    return BodyState(
        state.rotations @ rotation_from_vector(turn),
        _in_reach(state.translations_m + move),
        state.scales,
    )


def _cut(vectors: FloatArray, longest: float) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    cut: FloatArray = vectors * (longest / np.maximum(length, longest))
    return cut


def _in_reach(translations_m: FloatArray) -> FloatArray:
    depth = np.clip(translations_m[:, 2:], *DEPTH_RANGE_M)
    reached: FloatArray = np.concatenate([translations_m[:, :2], depth], axis=1)
    return reached
