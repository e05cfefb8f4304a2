"""Stored clips with their bodies posed, a few frames at a time: what exports are made from."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Person, PosedBodies, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.engines.seam import BodyModel
from pose_service.export.posed import PosedFrame

POSED_TOGETHER = 32


def posed_frames(frames: Iterable[TrackedFrame], body: BodyModel) -> Iterator[PosedFrame]:
    """`sound_frames` with the joints of their people, without meshes."""
    sound = sound_frames(frames)
    while batch := list(islice(sound, POSED_TOGETHER)):
        poses = [person.pose for frame in batch for person in frame.people]
        bodies = body.pose(BodyPoses.join(poses), vertices=False) if poses else _nobody()
        end = 0
        for frame in batch:
            start, end = end, end + len(frame.people)
            yield PosedFrame(frame, _rows(bodies, start, end))


def sound_frames(frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
    """`frames` without whom cannot be drawn, as in the answers.

    That is bodies and boxes that are not finite, and bodies behind the camera.
    """
    return (replace(frame, people=tuple(filter(_is_sound, frame.people))) for frame in frames)


def _is_sound(person: Person) -> bool:
    pose = person.pose
    numbers: tuple[FloatArray | float, ...] = (
        pose.rotations, pose.translations_m, pose.shapes, person.box_xyxy_px, person.confidence
    )  # fmt: skip
    return all(np.isfinite(part).all() for part in numbers) and bool(pose.translations_m[0, 2] > 0)


def _nobody() -> PosedBodies:
    return PosedBodies(np.zeros((0, len(SMPL24), 3)), {}, None)


def _rows(bodies: PosedBodies, start: int, end: int) -> PosedBodies:
    sets = {name: points[start:end] for name, points in bodies.joint_sets_m.items()}
    return PosedBodies(bodies.joints_m[start:end], sets, None)
