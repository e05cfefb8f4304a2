"""Keypoints whose places and angles are known, and toy 2D nets that see them in bright boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from toy_engine import bright_boxes

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.keypoints import KeypointFrame, KeypointModel, KeypointPerson
from pose_service.core.records import ClipInfo, Provenance
from pose_service.core.skeletons import COCO17
from pose_service.pipeline.keypoint_results import KeypointRun
from pose_service.pose2d.seam import Pose2D

MODEL = KeypointModel("ToyNet", "toy-1", "fp32", 2)
FPS = 30.0

# In shares of a box 3 high and 1 wide: arms out and forearms down, legs straight.
_RIGHT = {
    "eye": (0.45, 0.05), "ear": (0.4, 0.06), "shoulder": (0.3, 0.2), "elbow": (0.0, 0.2),
    "wrist": (0.0, 0.3), "hip": (0.4, 0.5), "knee": (0.4, 0.75), "ankle": (0.4, 1.0),
}  # fmt: skip


def _share(joint: str) -> tuple[float, float]:
    side, _, name = joint.partition("_")
    if not name:
        return 0.5, 0.06
    x, y = _RIGHT[name]
    return (x, y) if side == "right" else (1 - x, y)


SHARES = np.array([_share(joint) for joint in COCO17.joints])
"""(17, 2) of width and height from a box's upper left corner."""


def points_in(box_xyxy_px: FloatArray) -> FloatArray:
    """(17, 2) pixels of the person who fills the box."""
    points: FloatArray = box_xyxy_px[:2] + SHARES * (box_xyxy_px[2:] - box_xyxy_px[:2])
    return points


@dataclass
class ToyPeople:
    """Detector and net in one: every bright spot is a person."""

    asked: list[int] = field(default_factory=list)

    def detect(self, images: Sequence[ImageArray]) -> list[tuple[FloatArray, FloatArray]]:
        found = [bright_boxes(image) for image in images]
        return [(boxes, np.full(len(boxes), 0.9)) for boxes in found]

    def keypoints(
        self, image: ImageArray, boxes_xyxy_px: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        self.asked.append(len(boxes_xyxy_px))
        points = np.stack([points_in(box) for box in boxes_xyxy_px])
        return points, np.full(points.shape[:2], 0.8)


def toy_nets(people: ToyPeople | None = None) -> Pose2D:
    seen = people or ToyPeople()
    return Pose2D(seen, seen, MODEL)


def person(
    points_px: FloatArray,
    *,
    track_id: int = 1,
    confidence: float = 0.8,
    provenance: Provenance = Provenance.OBSERVED,
    points_cam_m: FloatArray | None = None,
) -> KeypointPerson:
    box = np.concatenate([points_px.min(axis=0), points_px.max(axis=0)])
    sure = np.full(len(COCO17), confidence)
    return KeypointPerson(track_id, provenance, confidence, box, points_px, sure, points_cam_m)


def run_of(people: Sequence[Sequence[KeypointPerson]]) -> KeypointRun:
    """A clip with these people in its frames; the first person of the clip is the primary."""
    count = len(people)
    frames = (KeypointFrame(i, i / FPS, tuple(one)) for i, one in enumerate(people))
    info = ClipInfo(count, FPS, 320, 240, count / FPS)
    return KeypointRun(info, next((p.track_id for one in people for p in one), None), MODEL, frames)
