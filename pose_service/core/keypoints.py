"""What is known of people in the picture's plane: 17 keypoints each, frame by frame."""

from dataclasses import dataclass

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17


@dataclass(frozen=True)
class KeypointPerson:
    """One person in one frame, keypoints in COCO's order.

    `points_px`: (17, 2), x right, y down. `point_confidence`: (17,) 0 to 1. `points_cam_m`: (17, 3)
    camera axes, metres, translation added, where an engine gave a body; else None.
    `confidence`: 0 to 1, of the person. A frame that was filled (`provenance`) shows where the
    keypoints may have been.
    """

    track_id: int
    provenance: Provenance
    confidence: float
    box_xyxy_px: FloatArray
    points_px: FloatArray
    point_confidence: FloatArray
    points_cam_m: FloatArray | None = None

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("points_px", self.points_px, (len(COCO17), 2))
        expect_shape("point_confidence", self.point_confidence, (len(COCO17),))
        if self.points_cam_m is not None:
            expect_shape("points_cam_m", self.points_cam_m, (len(COCO17), 3))


@dataclass(frozen=True)
class KeypointFrame:
    """The people of one frame, the primary one first."""

    index: int
    time_s: float
    people: tuple[KeypointPerson, ...]


@dataclass(frozen=True)
class KeypointModel:
    """What saw the keypoints. `precision`: `fp32`, `fp16`; `axes`: 2, or 3 with `points_cam_m`.

    `fallback`: why a better one was not taken; empty where none was wanted.
    """

    name: str
    version: str
    precision: str
    axes: int
    fallback: str = ""
