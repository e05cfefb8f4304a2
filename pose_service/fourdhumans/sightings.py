"""HMR 2.0's bodies as PHALP's tracker knows people, and how sure it is of who they are."""

from collections.abc import Sequence

import numpy as np

from pose_service.bodies.smpl import SmplBody
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Observation
from pose_service.core.skeletons import HMR44
from pose_service.fourdhumans.regressor import given_pose
from pose_service.phalp.distance.cost import GATE
from pose_service.phalp.features import location_features, pose_features
from pose_service.phalp.records import Detection
from pose_service.phalp.track.frames import TrackedFrame


def detections_of(people: Sequence[Observation], body: SmplBody, longer_px: int) -> list[Detection]:
    """`people` of one picture, whose longer side is `longer_px`.

    Its camera is that of the picture padded to a square, so bodies stay where they are.
    """
    if not people:
        return []
    poses = BodyPoses.join([given_pose(seen) for seen in people])
    joints_m = body.pose(poses, vertices=False).joint_sets_m[HMR44.name]
    columns = (
        people,
        location_features(joints_m, poses.translations_m),
        pose_features(poses.rotations, poses.shapes, poses.translations_m),
    )
    return [
        Detection(seen.box_xyxy_px, seen.confidence, longer_px, location, pose)
        for seen, location, pose in zip(*columns, strict=True)
    ]


def identity_risks(tracked: TrackedFrame, gate: float = GATE) -> FloatArray:
    """(n,) of the n detections that are on tracks, in their order: 0 to 1.

    What a detection costs on its own track, by the least that it costs on another one; 0 where no
    other is within the `gate`, or the track begins here.
    """
    risks = np.zeros(tracked.costs.shape[1])
    for row, column in tracked.assignment.matches:
        of_all = tracked.costs[:, column]
        second = np.delete(of_all, row).min(initial=np.inf)
        if second <= gate:
            risks[column] = min(of_all[row] / second, 1.0)
    return risks
