"""The free body laid on seen landmarks: a batched Gauss-Newton fit in NumPy.

The body ends up 30-60 mm from the networks' own 3D landmarks (photographs; clips 35-45), which is
less than these are from the truth: one body of fixed bone lengths cannot follow theirs, which
change from frame to frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.fit_solve import Rescale, Solver
from pose_service.bodies.fit_start import SCALE_RANGE, BodyState, first_guess
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import BodyPoses, Camera, Observation

_STEPS = 8
_SHAPE_SAMPLE = 60
_BATCH = 64


@dataclass(frozen=True)
class FitErrors:
    """How far n fitted bodies are from what was seen: means over the 27 landmarks of the fit,
    unseen ones too.

    `mean_3d_mm`: (n,) root-relative. `mean_2d_px`: (n,) in the picture.
    """

    mean_3d_mm: FloatArray
    mean_2d_px: FloatArray


class BodyFitter:
    """Landmarks to `BodyPoses` of the free body; the shape is one number, its scale.

    Rotations are those of `FREE_JOINTS`: the root's takes the body's rest axes (x to its left, y
    to its back, z up) to camera axes, the others turn about rest axes. The translation is the root
    bone's head in camera axes, metres, with z at least 0.2.
    """

    def __init__(self, body: AnnyBody) -> None:
        self._solver = Solver.of(body)

    def shared_shape(self, observations: Sequence[Observation], camera: Camera) -> FloatArray:
        """(1,) the scale of the one body that all of `observations` (at least one) show.

        Long tracks are sampled evenly: a scale does not need every frame.
        """
        if not observations:
            raise ValueError("observations: expected at least one, got none")
        chosen = np.linspace(0, len(observations) - 1, min(len(observations), _SHAPE_SAMPLE))
        sample = [observations[int(place)] for place in chosen.round()]
        return self._fit(Evidence.gather(sample, camera), _one_scale).scales[:1]

    def solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None = None
    ) -> BodyPoses:
        """One body per observation, in one batch; each with its own scale unless `shape` (1,) says.

        Raises `ValueError` where an observation has not 33 finite landmarks.
        """
        if shape is not None:
            _expect_scale(shape)
        # a body takes 0.3 MB while it is fitted: long clips go in parts
        starts = range(0, len(observations), _BATCH)
        parts = (observations[start : start + _BATCH] for start in starts)
        nobody = BodyPoses(
            np.zeros((0, len(FREE_JOINTS), 3, 3)), np.zeros((0, 3)), np.zeros((0, 1))
        )
        return BodyPoses.join([nobody, *(self._solve(part, camera, shape) for part in parts)])

    def errors(
        self, observations: Sequence[Observation], camera: Camera, poses: BodyPoses
    ) -> FitErrors:
        """How far `poses` are from `observations` (at least one), one each."""
        seen = Evidence.gather(observations, camera)
        state = BodyState(poses.rotations, poses.translations_m, poses.shapes[:, 0])
        residuals, _ = self._solver.linearise(seen, state)
        off_px = camera.focal_px / state.translations_m[:, 2, None, None] * residuals[:, 3:]
        return FitErrors(
            1000 * np.linalg.norm(residuals[:, :3], axis=1).mean(axis=1),
            np.linalg.norm(off_px, axis=1).mean(axis=1),
        )

    def _solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None
    ) -> BodyPoses:
        seen = Evidence.gather(observations, camera)
        if shape is None:
            state = self._fit(seen, _own_scale)
        else:
            state = self._fit(seen, None, np.full(len(seen), shape[0]))
        return BodyPoses(state.rotations, state.translations_m, state.scales[:, None])

    def _fit(
        self, seen: Evidence, rescale: Rescale | None, scales: FloatArray | None = None
    ) -> BodyState:
        start = first_guess(self._solver.segments, self._solver.levers, seen, scales)
        return self._solver.refine(seen, start, _STEPS, rescale)


def _own_scale(both: FloatArray, model: FloatArray) -> FloatArray:
    return both / model


def _one_scale(both: FloatArray, model: FloatArray) -> FloatArray:
    return np.full(len(model), both.sum() / model.sum())


def _expect_scale(shape: FloatArray) -> None:
    expect_shape("shape", shape, (1,))
    least, most = SCALE_RANGE
    if not least <= shape[0] <= most:
        raise ValueError(f"shape: expected a scale of {least} to {most}, got {shape[0]}")
