"""The one place that knows the answers' coordinates.

Metres are camera axes of the person: x right, y down, z away from the camera, global orientation
applied, `camera_translation` NOT added. A pixel of the received picture is the projection of
point + translation through `camera_full`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import weak_perspective
from pose_service.core.records import BodyPoses, Camera, Person, PosedBodies, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.engines.seam import BodyModel
from pose_service.legacy.encode import rounded

METRE_DECIMALS = 6
PIXEL_DECIMALS = 3


@dataclass(frozen=True)
class JointSet:
    """`points_m`: (joints, 3), rounded as sent. `points_px`: (joints, 2), their projection."""

    points_m: FloatArray
    points_px: FloatArray


@dataclass(frozen=True)
class BodyView:
    """One person's body in the answers' coordinates.

    `joints`: the 24 SMPL joints. `joint_sets`: all sets of the body by name, that one included.
    `vertices_m`: (vertices, 3), or None where no mesh was asked for. `translation_m`: (3,).
    """

    person: Person
    camera: Camera
    translation_m: FloatArray
    joint_sets: Mapping[str, JointSet]
    vertices_m: FloatArray | None

    @property
    def joints(self) -> JointSet:
        return self.joint_sets[SMPL24.name]

    @property
    def box_centre_px(self) -> FloatArray:
        """(2,) centre of the person's box."""
        centre: FloatArray = (self.person.box_xyxy_px[:2] + self.person.box_xyxy_px[2:]) / 2
        return centre

    @property
    def box_side_px(self) -> float:
        """Side of the square around the person's box."""
        return float(np.max(self.person.box_xyxy_px[2:] - self.person.box_xyxy_px[:2]))

    @property
    def crop_camera(self) -> tuple[float, float, float]:
        """Weak-perspective scale, tx, ty of the square around the person's box."""
        return weak_perspective(
            self.translation_m, self.camera, self.box_centre_px, self.box_side_px
        )

    @property
    def flaw(self) -> str:
        """Why this body cannot be answered, since JSON has no NaN; empty if it can."""
        parts = {
            "joints": self.joints.points_m,
            "projected joints": self.joints.points_px,
            "mesh": self.vertices_m,
            "translation": self.translation_m,
            "box": self.person.box_xyxy_px,
            "joint confidences": self.person.joint_confidence,
            "confidences": np.array([self.person.confidence, self.person.tracking_confidence]),
            "rotations": self.person.pose.rotations,
            "shape": self.person.pose.shapes,
        }
        for name, part in parts.items():
            if part is not None and not np.isfinite(part).all():
                return f"the body's {name} came out not finite"
        if not self.translation_m[2] > 0:
            return "the body came out behind the camera"
        return "" if self.box_side_px > 0 else "the person's box came out empty"


def view_frames(
    body: BodyModel, frames: Sequence[TrackedFrame], *, everybody: bool, mesh: bool
) -> list[tuple[BodyView, ...]]:
    """The bodies of each of `frames`, posed in one batch; only the primary's unless `everybody`."""
    shown = [frame.people if everybody else frame.people[:1] for frame in frames]
    poses = [person.pose for people in shown for person in people]
    views = _views(body.pose(BodyPoses.join(poses), vertices=mesh)) if poses else iter(())
    return [
        tuple(
            _place(person, frame.camera, *parts)
            for person, parts in zip(people, islice(views, len(people)), strict=True)
        )
        for frame, people in zip(frames, shown, strict=True)
    ]


def _views(posed: PosedBodies) -> Iterator[tuple[dict[str, FloatArray], FloatArray | None]]:
    """Joint sets and mesh of each body."""
    sets = {**posed.joint_sets_m, SMPL24.name: posed.joints_m}
    for i in range(len(posed.joints_m)):
        vertices = None if posed.vertices_m is None else posed.vertices_m[i]
        yield {name: points[i] for name, points in sets.items()}, vertices


def _place(
    person: Person,
    camera: Camera,
    joint_sets_m: Mapping[str, FloatArray],
    vertices_m: FloatArray | None,
) -> BodyView:
    translation_m = rounded(person.pose.translations_m[0], METRE_DECIMALS)
    sets = {
        name: _projected(points_m, translation_m, camera) for name, points_m in joint_sets_m.items()
    }
    return BodyView(person, camera, translation_m, sets, vertices_m)


def _projected(points_m: FloatArray, translation_m: FloatArray, camera: Camera) -> JointSet:
    """Projects the metres as they are sent, so that both always agree."""
    sent_m = rounded(points_m, METRE_DECIMALS)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        points_px = camera.project(sent_m + translation_m)
    return JointSet(sent_m, rounded(points_px, PIXEL_DECIMALS))
