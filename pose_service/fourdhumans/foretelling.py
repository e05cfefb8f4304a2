"""Poses of people who are not seen, foretold by PHALP's pose predictor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Observation
from pose_service.phalp.features import pose_features
from pose_service.phalp.parts import PosePredictor
from pose_service.phalp.records import HISTORY
from pose_service.temporal.kinematic import KinematicModel

# the predictor's time goes by frames, of which clips had about so many where it was trained
_FRAMES_PER_S: Final = 30.0
_ROTATIONS: Final = slice(0, 216)


@dataclass(frozen=True)
class Foretelling:
    """A `TemporalModel`: rotations after the known ones by a net, all else by `kinematic`.

    It runs a net, so `predict` is for the owner's thread alone.
    """

    predict_poses: PosePredictor
    kinematic: KinematicModel

    def smooth_observations(
        self, observations: Sequence[Observation], times_s: FloatArray
    ) -> list[Observation]:
        """See `TemporalModel.smooth_observations`."""
        return self.kinematic.smooth_observations(observations, times_s)

    def smooth_poses(self, poses: BodyPoses, times_s: FloatArray) -> BodyPoses:
        """See `TemporalModel.smooth_poses`."""
        return self.kinematic.smooth_poses(poses, times_s)

    def predict(self, poses: BodyPoses, times_s: FloatArray, wanted_s: FloatArray) -> BodyPoses:
        """See `TemporalModel.predict`."""
        moved = self.kinematic.predict(poses, times_s, wanted_s)
        if not len(wanted_s) or wanted_s[0] < times_s[-1]:
            return moved
        rotations = self._rotations(poses, times_s, wanted_s)
        # a net may leave the numbers; movement never does
        if not np.isfinite(rotations).all():
            return moved
        return BodyPoses(rotations, moved.translations_m, moved.shapes)

    def _rotations(self, poses: BodyPoses, times_s: FloatArray, wanted_s: FloatArray) -> FloatArray:
        """(m, 24, 3, 3) at `wanted_s` (m,), from the last seven poses: one batch."""
        # somebody who was seen less often has the first sight several times
        last = np.maximum(np.arange(len(poses) - HISTORY, len(poses)), 0)
        frames, wanted = (
            np.rint(_FRAMES_PER_S * each).astype(np.int64) for each in (times_s[last], wanted_s)
        )
        features = pose_features(
            poses.rotations[last], poses.shapes[last], poses.translations_m[last]
        )
        count = len(wanted)
        foretold = self.predict_poses(
            np.repeat(features[None], count, axis=0),
            np.repeat(frames[None], count, axis=0),
            np.maximum(wanted - frames[-1] - 1, 0),
        )
        return foretold[:, _ROTATIONS].reshape(count, -1, 3, 3)
