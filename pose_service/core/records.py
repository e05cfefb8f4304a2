"""Frozen records that travel between the stages.

Pixels: x right, y down, origin at the picture's upper left corner. Camera axes: x right, y down,
z away from the camera, metres. Every record checks its shapes when it is made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.core.masks import Mask
from pose_service.core.skeletons import SMPL24

NEW_TRACK = -1
"""Track id of a region or body that belongs to no track yet."""

_ROI_PER_BOX = 1.25
"""Side of the square that is looked at, by the longer side of a box drawn around a person."""


class Provenance(StrEnum):
    """Where a pose comes from: seen in this frame, foretold from the past, or filled between."""

    OBSERVED = "observed"
    PREDICTED = "predicted"
    INTERPOLATED = "interpolated"


class Look(StrEnum):
    """What pictures are looked at for: engines trade finding more against finding wrongly by it."""

    PICTURE = "picture"
    """A picture by itself."""
    SESSION = "session"
    """The same, as one of a session: people are followed from it to the next."""
    THOROUGH = "thorough"
    """The same, for smaller and closer people too; may take several times as long."""
    OUTLINE = "outline"
    """A picture by itself, and the person's pixels are wanted too (`Observation.mask`)."""
    CLIP = "clip"
    """Frames of a clip: who is missed in one frame is seen in the next."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with its principal point at the picture's centre."""

    focal_px: float
    width_px: int
    height_px: int

    @property
    def centre_px(self) -> FloatArray:
        """(2,) principal point."""
        return np.array([self.width_px / 2, self.height_px / 2])

    def project(self, points_cam_m: FloatArray) -> FloatArray:
        """(..., 3) camera axes, metres, translation added, to (..., 2) pixels."""
        return self.focal_px * points_cam_m[..., :2] / points_cam_m[..., 2:3] + self.centre_px


@dataclass(frozen=True)
class Frame:
    """One picture. `image`: (height, width, 3) uint8 RGB; `time_s` from the clip's first frame."""

    index: int
    time_s: float
    image: ImageArray

    def __post_init__(self) -> None:
        expect_shape("image", self.image, ("height", "width", 3))
        if self.image.dtype != np.uint8:
            raise ValueError(f"image: expected uint8, got {self.image.dtype}")

    @property
    def width_px(self) -> int:
        return int(self.image.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.image.shape[0])


@dataclass(frozen=True)
class Regions:
    """Where people may be: a detector's finds and a tracker's expectations.

    `boxes_xyxy_px`: (n, 4). `scores`: (n,) 0 to 1. `rois`: (n, 4) turned squares for engines that
    crop them, as centre x, centre y, side (pixels) and angle (radians, clockwise on the screen).
    `track_ids`: (n,), `NEW_TRACK` for a detector's find. `masks`: n, each None where it is not
    known; or None at all, where nobody asked for any.
    """

    boxes_xyxy_px: FloatArray
    scores: FloatArray
    rois: FloatArray
    track_ids: IntArray
    masks: tuple[Mask | None, ...] | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.masks is not None and len(self.masks) != count:
            raise ValueError(f"masks: expected {count}, got {len(self.masks)}")
        expect_shape("boxes_xyxy_px", self.boxes_xyxy_px, (count, 4))
        expect_shape("scores", self.scores, (count,))
        expect_shape("rois", self.rois, (count, 4))
        expect_shape("track_ids", self.track_ids, (count,))

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Self:
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4)), np.zeros(0, np.int64))

    @classmethod
    def of_boxes(cls, boxes_xyxy_px: FloatArray) -> Self:
        """Regions around people whose boxes (n, 4) are known: surely there, tracks 1 to n."""
        low, high = boxes_xyxy_px[:, :2], boxes_xyxy_px[:, 2:]
        sides = _ROI_PER_BOX * (high - low).max(axis=1, initial=0)
        rois = np.column_stack([(low + high) / 2, sides, np.zeros(len(sides))])
        return cls(boxes_xyxy_px, np.ones(len(sides)), rois, np.arange(1, len(sides) + 1))

    @classmethod
    def join(cls, parts: Sequence["Regions"]) -> Self:
        """All of `parts` in one, in order."""
        parts = list(parts) or [cls.empty()]
        return cls(
            np.concatenate([part.boxes_xyxy_px for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.rois for part in parts]),
            np.concatenate([part.track_ids for part in parts]),
            _joined_masks(parts),
        )

    def take(self, chosen: IntArray) -> "Regions":
        """The regions at the places `chosen`, a list of indices or a mask."""
        masks = self.masks
        if masks is not None:
            masks = tuple(masks[place] for place in np.arange(len(self))[chosen])
        return Regions(
            self.boxes_xyxy_px[chosen], self.scores[chosen], self.rois[chosen],
            self.track_ids[chosen], masks,
        )  # fmt: skip


def _joined_masks(parts: Sequence[Regions]) -> tuple[Mask | None, ...] | None:
    if all(part.masks is None for part in parts):
        return None
    return tuple(mask for part in parts for mask in part.masks or [None] * len(part))


@dataclass(frozen=True)
class BodyPoses:
    """Parameters of n bodies of one body model.

    `rotations`: (n, joints, 3, 3) local joint rotations, the root's first, in camera axes.
    `translations_m`: (n, 3) of the body's origin in camera axes. `shapes`: (n, shape parameters).
    """

    rotations: FloatArray
    translations_m: FloatArray
    shapes: FloatArray

    def __post_init__(self) -> None:
        count = len(self.rotations)
        expect_shape("rotations", self.rotations, (count, "joints", 3, 3))
        expect_shape("translations_m", self.translations_m, (count, 3))
        expect_shape("shapes", self.shapes, (count, "shape parameters"))

    def __len__(self) -> int:
        return len(self.rotations)

    def __iter__(self) -> Iterator["BodyPoses"]:
        return (self.take(slice(i, i + 1)) for i in range(len(self)))

    def take(self, chosen: slice | IntArray) -> "BodyPoses":
        return BodyPoses(self.rotations[chosen], self.translations_m[chosen], self.shapes[chosen])

    @classmethod
    def join(cls, parts: Sequence["BodyPoses"]) -> Self:
        """All of `parts` (at least one) in one, in order."""
        return cls(
            np.concatenate([part.rotations for part in parts]),
            np.concatenate([part.translations_m for part in parts]),
            np.concatenate([part.shapes for part in parts]),
        )


@dataclass(frozen=True)
class PosedBodies:
    """What a body model makes of n `BodyPoses`; axes of the camera, translation NOT added.

    `joints_m`: (n, 24, 3) in SMPL's order. `joint_sets_m`: further sets by the name of their
    skeleton, (n, joints, 3). `vertices_m`: (n, vertices, 3), or None where no mesh was asked for.
    """

    joints_m: FloatArray
    joint_sets_m: dict[str, FloatArray]
    vertices_m: FloatArray | None

    def __post_init__(self) -> None:
        expect_shape("joints_m", self.joints_m, ("n", len(SMPL24), 3))


@dataclass(frozen=True)
class Observation:
    """What a regressor saw of one body in one frame.

    `confidence`: 0 to 1, of the whole body. `roi`: (4,) as in `Regions`, where the body is now.
    `landmarks_px`: (k, 2); `landmarks_m`: (k, 3) camera axes, origin at the mid-hip;
    `landmark_confidence`: (k,) 0 to 1, how far each may be believed. `joint_confidence`: (24,)
    0 to 1, in SMPL's order. `pose` holds the body where the net itself gives one, else None.

    `mask`: the pixels that show the person, where the detector told. `appearance`: (k,) how the
    person looks, numbers of 0 and more whose sum is 1, where the tracker found it out.
    `identity_risk`: 0 to 1, how nearly another track fitted as well as the person's own; 0 where
    none was a rival.
    """

    track_id: int
    box_xyxy_px: FloatArray
    confidence: float
    roi: FloatArray
    landmarks_px: FloatArray
    landmarks_m: FloatArray
    landmark_confidence: FloatArray
    joint_confidence: FloatArray
    pose: BodyPoses | None = None
    mask: Mask | None = None
    appearance: FloatArray | None = None
    identity_risk: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.landmarks_px)
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("roi", self.roi, (4,))
        expect_shape("landmarks_px", self.landmarks_px, (count, 2))
        expect_shape("landmarks_m", self.landmarks_m, (count, 3))
        expect_shape("landmark_confidence", self.landmark_confidence, (count,))
        expect_shape("joint_confidence", self.joint_confidence, (len(SMPL24),))


@dataclass(frozen=True)
class Person:
    """One body in one frame, as it is answered and stored.

    `track_id` is constant through a clip or session. `tracking_confidence` is 1 when observed and
    falls over a gap. `pose` holds exactly one body. `raw_pose`: the same as the net gave it in this
    very frame, before smoothing and with the frame's own shape; None where nobody was seen.
    `mask`: the pixels that show the person, where they are known. `identity_risk`: see
    `Observation`. `landmarks_px`: (k, 2) what was seen in this frame, smoothed as the pose is, and
    `landmark_confidence`: (k,); None unless they were asked for and the person was seen.
    """

    track_id: int
    provenance: Provenance
    tracking_confidence: float
    confidence: float
    box_xyxy_px: FloatArray
    joint_confidence: FloatArray
    pose: BodyPoses
    raw_pose: BodyPoses | None = None
    mask: Mask | None = None
    identity_risk: float = 0.0
    landmarks_px: FloatArray | None = None
    landmark_confidence: FloatArray | None = None

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("joint_confidence", self.joint_confidence, (len(SMPL24),))
        if self.landmarks_px is not None and self.landmark_confidence is not None:
            expect_shape("landmarks_px", self.landmarks_px, (len(self.landmark_confidence), 2))
        for name, pose in (("pose", self.pose), ("raw_pose", self.raw_pose)):
            if pose is not None and len(pose) != 1:
                raise ValueError(f"{name}: expected one body, got {len(pose)}")


@dataclass(frozen=True)
class TrackedFrame:
    """The people of one frame, the primary first; no picture, so that it can be stored."""

    index: int
    time_s: float
    camera: Camera
    people: tuple[Person, ...]
    processing_ms: float

    @property
    def primary(self) -> Person | None:
        return self.people[0] if self.people else None


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip once all its frames were decoded.

    `fps` is the mean rate by the clip's own times. `notes` tells what the caller should know, for
    example that the file ends early. Of a part of a clip, frame i is the file's frame
    `first_frame + i * every`, counted from 0.
    """

    frame_count: int
    fps: float
    width_px: int
    height_px: int
    duration_s: float
    notes: tuple[str, ...] = ()
    first_frame: int = 0
    every: int = 1
