"""HMR 2.0 behind the seam: regions of pictures to bodies."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from pose_service.bodies.smpl import SmplBody
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import BodyPoses, Camera, Look, Observation, Regions
from pose_service.core.skeletons import SMPL24
from pose_service.fourdhumans.crops import Sight, crops_of, joined, sights
from pose_service.fourdhumans.placing import fitted_translations_m
from pose_service.hmr2.cameras import picture_camera, picture_translations_m
from pose_service.hmr2.config import BETAS
from pose_service.hmr2.network import BodyEstimates, Hmr2
from pose_service.runtime.memory import MemoryGuard

log = logging.getLogger(__name__)

# HMR 2.0 gives no confidence of a joint. It is the detector's for the whole person; a joint that
# comes out outside of the picture cannot have been seen, so it counts by half of that.
_UNSEEN = 0.5


@dataclass(frozen=True)
class Estimate:
    """The net's answer for one person: (24, 3, 3), (10,), (3,); see `BodyEstimates`."""

    rotations: FloatArray
    betas: FloatArray
    crop_camera: FloatArray


@dataclass(frozen=True)
class Hmr2Regressor:
    """The seam's `Regressor`. `forward` is `net`'s own, or a compiled one."""

    net: Hmr2
    forward: Callable[[Tensor], BodyEstimates]
    body: SmplBody
    guard: MemoryGuard

    def observe(
        self,
        images: Sequence[ImageArray],
        regions: Sequence[Regions],
        look: Look = Look.PICTURE,
    ) -> list[list[Observation]]:
        """The body in every region, for the net sees one in whatever it is shown.

        Landmarks are SMPL's 24 joints, metres without translation. Regions without area, outside
        of the picture or absurd, and bodies that are not finite or behind the camera, are logged
        and left out. Large people are blurred before they are shrunk except in clips, as the two
        official programs do.
        """
        people = list(sights(images, regions))
        anti_alias = look is not Look.CLIP
        estimates = self.guard.run(people, lambda part: self._run(images, part, anti_alias))
        observed: list[list[Observation]] = [[] for _ in images]
        pairs = zip(people, estimates, strict=True)
        for picture, own in groupby(pairs, key=lambda pair: pair[0].picture):
            height_px, width_px, _ = images[picture].shape
            camera = picture_camera(width_px, height_px)
            observed[picture] = list(self._observations(list(own), camera))
        return observed

    def shared_shape(self, observations: Sequence[Observation], camera: Camera) -> FloatArray:
        """(10,) mean betas; each sight counts by its confidence."""
        betas = np.concatenate([given_pose(seen).shapes for seen in observations])
        weights = np.array([seen.confidence for seen in observations])
        return np.asarray(np.average(betas, axis=0, weights=np.maximum(weights, 1e-6)))

    def solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None = None
    ) -> BodyPoses:
        """The bodies as the net gave them; with `shape`, that of all of them.

        A body of another size at the same place would be seen larger or smaller, so it is placed
        anew to be seen where the landmarks are.
        """
        if not observations:
            return _nobody()
        poses = BodyPoses.join([given_pose(seen) for seen in observations])
        if shape is None:
            return poses
        shapes = np.tile(shape, (len(poses), 1))
        reshaped = BodyPoses(poses.rotations, poses.translations_m, shapes)
        translations_m = fitted_translations_m(
            self.body.pose(reshaped, vertices=False).joints_m.astype(np.float64),
            np.stack([seen.landmarks_px for seen in observations]),
            np.stack([seen.landmark_confidence for seen in observations]),
            camera,
        )
        return BodyPoses(poses.rotations, translations_m, shapes)

    @torch.inference_mode()
    def _run(
        self, images: Sequence[ImageArray], people: Sequence[Sight], anti_alias: bool
    ) -> list[Estimate]:
        device = next(self.net.parameters()).device
        squares = crops_of(images, people, anti_alias, device)
        answers = self.forward(squares)
        # a compiled net answers for the filling of its batch, too
        arrays = [values[: len(people)].cpu().numpy() for values in answers]
        return [Estimate(*row) for row in zip(*arrays, strict=True)]

    def _observations(
        self, own: Sequence[tuple[Sight, Estimate]], camera: Camera
    ) -> Iterator[Observation]:
        """Records of what was seen in one picture of `camera`."""
        people, estimates = zip(*own, strict=True)
        poses = _placed(people, estimates, camera)
        joints_m = self.body.pose(poses, vertices=False).joints_m
        with np.errstate(all="ignore"):
            points_px = camera.project(joints_m + poses.translations_m[:, None])
        for one, pose, metres, pixels in zip(people, poses, joints_m, points_px, strict=True):
            finite = np.isfinite(pose.rotations).all() and np.isfinite(pixels).all()
            if finite and pose.translations_m[0, 2] > 0:
                yield _observation(one, pose, metres, pixels, camera)
            else:
                where = one.box_xyxy_px.tolist()
                log.warning("[POSE] the body in %s came out not finite or behind us", where)


def _observation(
    one: Sight, pose: BodyPoses, joints_m: FloatArray, points_px: FloatArray, camera: Camera
) -> Observation:
    limits = (camera.width_px, camera.height_px)
    inside = np.all((points_px >= 0) & (points_px <= limits), axis=1)
    confidence = one.score * np.where(inside, 1.0, _UNSEEN)
    return Observation(
        track_id=one.track_id,
        box_xyxy_px=one.box_xyxy_px,
        confidence=one.score,
        roi=np.array([*one.square.centres_px[0], one.square.sides_px[0], 0.0]),
        landmarks_px=points_px,
        landmarks_m=joints_m,
        landmark_confidence=confidence,
        joint_confidence=confidence,
        pose=pose,
        mask=one.mask,
    )


def _placed(people: Sequence[Sight], estimates: Sequence[Estimate], camera: Camera) -> BodyPoses:
    """The net's bodies before the picture's camera."""
    crop_cameras = np.stack([estimate.crop_camera for estimate in estimates]).astype(np.float64)
    squares = joined(people)
    with np.errstate(all="ignore"):
        translations_m = picture_translations_m(crop_cameras, squares, camera)
    return BodyPoses(
        np.stack([estimate.rotations for estimate in estimates]),
        translations_m,
        np.stack([estimate.betas for estimate in estimates]),
    )


def given_pose(seen: Observation) -> BodyPoses:
    """The body of an observation; `ValueError` for one of another engine."""
    if seen.pose is None:
        raise ValueError("observation.pose: expected the body that HMR 2.0 gave, got None")
    return seen.pose


def _nobody() -> BodyPoses:
    return BodyPoses(np.zeros((0, len(SMPL24), 3, 3)), np.zeros((0, 3)), np.zeros((0, BETAS)))
