"""The temporal model of the embedded engine: kinematics only, nothing learned."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import (
    quaternion_from_rotation,
    rotation_from_quaternion,
    rotation_from_vector,
    vector_from_rotation,
)
from pose_service.core.records import BodyPoses, Observation
from pose_service.temporal.filters import gaussian_smooth, rts_smooth

# Smoothing as measured on a runner at 30 frames a second (6.6 mm/frame^2 of acceleration left of
# 28.4, 96 % of the ankle's travel kept); in seconds, so that it means the same at any rate.
LANDMARK_PROCESS_NOISE = 10.0
LANDMARK_SD_M = 0.02
# A landmark is as much less exact as it is less sure, down to a fiftieth.
LEAST_BELIEF = 0.02
PIXEL_SD_S = 1 / 30
ROTATION_SD_S = 1 / 30
# A single camera sees depth worst: it is most of the jitter, so it is smoothed hardest.
DEPTH_SD_S = 2.5 / 30

# Prediction: the last movement goes on and dies away with this time constant.
VELOCITY_WINDOW_S = 0.12
DAMPING_S = 0.15
MAX_TURN_RAD_S = 8.0
MAX_SPEED_M_S = 6.0


class KinematicModel:
    """Kalman smoothing of landmarks, Gaussian smoothing of poses, damped constant velocity."""

    def smooth_observations(
        self, observations: Sequence[Observation], times_s: FloatArray
    ) -> list[Observation]:
        """See `TemporalModel.smooth_observations`."""
        if len(observations) < 3:
            return list(observations)
        metres = np.stack([seen.landmarks_m for seen in observations])
        pixels = np.stack([seen.landmarks_px for seen in observations])
        confidence = np.stack([seen.landmark_confidence for seen in observations])
        believed = np.clip(confidence, LEAST_BELIEF, 1.0)
        metres = rts_smooth(metres, times_s, LANDMARK_PROCESS_NOISE, LANDMARK_SD_M / believed)
        pixels = gaussian_smooth(
            pixels.reshape(len(pixels), -1),
            times_s,
            PIXEL_SD_S,
            np.repeat(believed**2, 2, axis=1),
        ).reshape(pixels.shape)
        return [
            replace(seen, landmarks_m=in_metres, landmarks_px=in_pixels)
            for seen, in_metres, in_pixels in zip(observations, metres, pixels, strict=True)
        ]

    def smooth_poses(self, poses: BodyPoses, times_s: FloatArray) -> BodyPoses:
        """See `TemporalModel.smooth_poses`. Directions and depth are smoothed apart."""
        if len(poses) < 3:
            return poses
        count, joints = poses.rotations.shape[:2]
        quaternions = _same_hemisphere(quaternion_from_rotation(poses.rotations))
        quaternions = gaussian_smooth(
            quaternions.reshape(count, -1), times_s, ROTATION_SD_S
        ).reshape(count, joints, 4)
        quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
        depth = poses.translations_m[:, 2:]
        direction = gaussian_smooth(poses.translations_m[:, :2] / depth, times_s, PIXEL_SD_S)
        depth = np.exp(gaussian_smooth(np.log(depth), times_s, DEPTH_SD_S))
        return BodyPoses(
            rotation_from_quaternion(quaternions),
            np.concatenate([direction * depth, depth], axis=1),
            poses.shapes,
        )

    def predict(self, poses: BodyPoses, times_s: FloatArray, wanted_s: FloatArray) -> BodyPoses:
        """See `TemporalModel.predict`. With a single known pose the body stands still."""
        forward = len(wanted_s) == 0 or wanted_s[0] >= times_s[-1]
        near = len(times_s) - 1 if forward else 0
        far = _pose_before(times_s, near)
        turn, speed = _velocity(poses, times_s, far, near)
        ahead = wanted_s - times_s[near]
        travel = np.sign(ahead) * DAMPING_S * (1 - np.exp(-np.abs(ahead) / DAMPING_S))
        rotations = poses.rotations[near] @ rotation_from_vector(turn * travel[:, None, None])
        translations = poses.translations_m[near] + speed * travel[:, None]
        # a body walking towards the camera must not end up behind it
        translations[:, 2] = np.maximum(translations[:, 2], 0.5 * poses.translations_m[near, 2])
        shapes = np.repeat(poses.shapes[near : near + 1], len(wanted_s), axis=0)
        return BodyPoses(rotations, translations, shapes)


def _pose_before(times_s: FloatArray, near: int) -> int:
    """The known pose about `VELOCITY_WINDOW_S` away from the pose `near`."""
    return int(np.argmin(np.abs(np.abs(times_s - times_s[near]) - VELOCITY_WINDOW_S)))


def _velocity(
    poses: BodyPoses, times_s: FloatArray, far: int, near: int
) -> tuple[FloatArray, FloatArray]:
    """Turn (joints, 3) rad/s in each joint's own axes, and speed (3,) m/s, from `far` to `near`."""
    span = times_s[near] - times_s[far]
    if span == 0:
        return np.zeros((poses.rotations.shape[1], 3)), np.zeros(3)
    between = np.swapaxes(poses.rotations[far], -1, -2) @ poses.rotations[near]
    turn = vector_from_rotation(between) / span
    speed = (poses.translations_m[near] - poses.translations_m[far]) / span
    return _at_most(turn, MAX_TURN_RAD_S), _at_most(speed, MAX_SPEED_M_S)


def _at_most(vectors: FloatArray, limit: float) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    shortened: FloatArray = vectors * np.minimum(1.0, limit / np.maximum(lengths, 1e-9))
    return shortened


def _same_hemisphere(quaternions: FloatArray) -> FloatArray:
    """(n, joints, 4) with signs such that each is nearest to the one before it."""
    dots = np.sum(quaternions[1:] * quaternions[:-1], axis=-1)
    signs = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    aligned = quaternions.copy()
    aligned[1:] *= signs[..., None]
    return aligned
