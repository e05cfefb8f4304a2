"""A whole engine of toys: bright rectangles on black are people, upright sticks are their bodies.

Every part fills one protocol of `pose_service.engines.seam`, in as few lines as it takes, so that
the service can be tested without networks, and parts can be plugged in one by one by settings such
as `POSE_DETECTOR=toy_engine:detector`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray
from pose_service.core.config import Settings
from pose_service.core.records import (
    NEW_TRACK,
    BodyPoses,
    Camera,
    Look,
    Observation,
    PosedBodies,
    Regions,
)  # fmt: skip
from pose_service.core.skeletons import COCO17, SMPL24
from pose_service.engines.seam import Engine, Tracker

BODY_HEIGHT_M = 1.8
CONFIDENCE = 0.9
_BRIGHT = 128

_RIGHT_SIDE = {  # x, y, z of the right limbs; the left ones mirror x; y is down, the hip at 0
    "hip": (-0.1, 0.05, 0.0), "knee": (-0.1, 0.45, -0.02), "ankle": (-0.1, 0.85, 0.0),
    "foot": (-0.1, 0.9, -0.1), "collar": (-0.07, -0.5, 0.0), "shoulder": (-0.2, -0.5, 0.0),
    "elbow": (-0.45, -0.5, 0.0), "wrist": (-0.45, -0.25, 0.0), "hand": (-0.45, -0.17, 0.0),
}  # fmt: skip
_MIDDLE = {
    "pelvis": (0.0, 0.0, 0.0), "spine1": (0.0, -0.12, 0.0), "spine2": (0.0, -0.24, 0.0),
    "spine3": (0.0, -0.36, 0.0), "neck": (0.0, -0.58, 0.0), "head": (0.0, -0.7, 0.0),
}  # fmt: skip


def picture(
    *boxes_xyxy_px: tuple[int, int, int, int], size: tuple[int, int] = (320, 240)
) -> ImageArray:
    """(height, width, 3) black with a white rectangle for each person; `size` is width, height."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x1, y1, x2, y2 in boxes_xyxy_px:
        image[y1:y2, x1:x2] = 255
    return image


def _rest_joints_m() -> FloatArray:
    places = dict(_MIDDLE)
    for name, (x, y, z) in _RIGHT_SIDE.items():
        places |= {f"right_{name}": (x, y, z), f"left_{name}": (-x, y, z)}
    return np.array([places[joint] for joint in SMPL24.joints])


class ToyDetector:
    """Every bright spot is a region."""

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        return [_regions(bright_boxes(image)) for image in images]


def bright_boxes(image: ImageArray) -> FloatArray:
    """(n, 4) boxes around what is bright."""
    bright = (image.mean(axis=2) > _BRIGHT).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
    x, y, width, height = stats[1:, :4].T.astype(float)
    return np.stack([x, y, x + width, y + height], axis=1)


def _regions(boxes: FloatArray) -> Regions:
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, np.ptp(boxes.reshape(-1, 2, 2), axis=1)
    rois = np.column_stack([centres, sides.max(axis=1, initial=0), np.zeros(len(boxes))])
    scores = np.full(len(boxes), CONFIDENCE)
    return Regions(boxes, scores, rois, np.full(len(boxes), NEW_TRACK))


class ToyRegressor:
    """A region that is bright holds a body as high as the region."""

    def observe(
        self,
        images: Sequence[ImageArray],
        regions: Sequence[Regions],
        look: Look = Look.PICTURE,
    ) -> list[list[Observation]]:
        return [self._observe(of_image) for of_image in regions]

    def _observe(self, regions: Regions) -> list[Observation]:
        rows = zip(regions.boxes_xyxy_px, regions.rois, regions.track_ids, strict=True)
        return [
            Observation(
                track_id=int(track_id),
                box_xyxy_px=box,
                confidence=CONFIDENCE,
                roi=roi,
                landmarks_px=box.reshape(2, 2),
                landmarks_m=np.zeros((2, 3)),
                landmark_confidence=np.ones(2),
                joint_confidence=np.full(len(SMPL24), CONFIDENCE),
            )
            for box, roi, track_id in rows
        ]

    def shared_shape(self, observations: Sequence[Observation], camera: Camera) -> FloatArray:
        return np.ones(1)

    def solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None = None
    ) -> BodyPoses:
        count = len(observations)
        boxes = np.array([seen.box_xyxy_px for seen in observations]).reshape(count, 4)
        depths_m = camera.focal_px * BODY_HEIGHT_M / (boxes[:, 3] - boxes[:, 1])[:, None]
        offsets_px = (boxes[:, :2] + boxes[:, 2:]) / 2 - camera.centre_px
        return BodyPoses(
            np.tile(np.eye(3), (count, 2, 1, 1)),
            np.hstack([offsets_px * depths_m / camera.focal_px, depths_m]),
            np.tile(np.ones(1) if shape is None else shape, (count, 1)),
        )


class ToyBody:
    """Joints of an upright stick in a closed surface; its shape is one number, the scale."""

    rotation_names: tuple[str, ...] = ("root", "head")

    def __init__(self, name: str = "toy", rings: int = 2, segments: int = 4) -> None:
        """The surface has `rings * segments + 2` vertices."""
        self.name = name
        self._joints_m = _rest_joints_m()
        self._vertices_m = _globe_m(rings, segments)
        self.faces: IntArray = _globe_faces(rings, segments)
        self.vertex_count = len(self._vertices_m)

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        turns = np.swapaxes(poses.rotations[:, 0], 1, 2)
        scales = poses.shapes[:, :1, None]
        joints_m = scales * self._joints_m @ turns
        coco_m = joints_m[:, [SMPL24.index(_smpl_name(joint)) for joint in COCO17.joints]]
        mesh_m = scales * self._vertices_m @ turns if vertices else None
        return PosedBodies(joints_m, {COCO17.name: coco_m}, mesh_m)


def _smpl_name(joint: str) -> str:
    return joint if joint in SMPL24.joints else "head"


def _globe_m(rings: int, segments: int) -> FloatArray:
    """A globe as high as the body, half as wide and deep: poles last."""
    height = np.pi * np.arange(1, rings + 1) / (rings + 1)
    around = 2 * np.pi * np.arange(segments) / segments
    x = np.outer(np.sin(height), np.cos(around)) / 2
    z = np.outer(np.sin(height), np.sin(around)) / 2
    y = np.repeat(-np.cos(height)[:, None], segments, axis=1)
    poles = [(0, -1, 0), (0, 1, 0)]
    points = np.concatenate([np.stack([x, y, z], axis=-1).reshape(-1, 3), poles])
    return BODY_HEIGHT_M / 2 * points


def _globe_faces(rings: int, segments: int) -> IntArray:
    """(2 * rings * segments, 3) triangles, counter-clockwise seen from outside."""
    top, bottom = rings * segments, rings * segments + 1
    here = np.arange(rings * segments).reshape(rings, segments)
    beside = np.roll(here, -1, axis=1)
    a, b, c, d = here[:-1], beside[:-1], here[1:], beside[1:]
    parts = [
        np.stack([np.full(segments, top), here[0], beside[0]], -1),
        np.stack([a, c, b], -1).reshape(-1, 3),
        np.stack([b, c, d], -1).reshape(-1, 3),
        np.stack([here[-1], np.full(segments, bottom), beside[-1]], -1),
    ]
    return np.concatenate(parts)


class ToyTracker:
    """A body is the track whose last box it overlaps, else a new one."""

    lookahead = 4

    def __init__(self) -> None:
        self._boxes: dict[int, FloatArray] = {}

    def wants_detection(self, frame_index: int) -> bool:
        return True

    def regions(self, frame_index: int, found: Regions) -> Regions:
        return found

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        taken: set[int] = set()
        tracked = []
        for seen in observations:
            free = (key for key in self._boxes if key not in taken)
            known = next((key for key in free if _overlap(self._boxes[key], seen)), None)
            track_id = len(self._boxes) + 1 if known is None else known
            taken.add(track_id)
            self._boxes[track_id] = seen.box_xyxy_px
            tracked.append(replace(seen, track_id=track_id))
        return tracked


def _overlap(box: FloatArray, seen: Observation) -> bool:
    other = seen.box_xyxy_px
    return bool(np.all(np.minimum(box[2:], other[2:]) > np.maximum(box[:2], other[:2])))


class ToyTemporal:
    """Nothing is smoothed, and who is not seen stands still."""

    def smooth_observations(
        self, observations: Sequence[Observation], times_s: FloatArray
    ) -> list[Observation]:
        return list(observations)

    def smooth_poses(self, poses: BodyPoses, times_s: FloatArray) -> BodyPoses:
        return poses

    def predict(self, poses: BodyPoses, times_s: FloatArray, wanted_s: FloatArray) -> BodyPoses:
        nearest = 0 if wanted_s[0] < times_s[0] else len(poses) - 1
        return poses.take(np.full(len(wanted_s), nearest))


def detector(settings: Settings) -> ToyDetector:
    """Factory for `POSE_DETECTOR`."""
    return ToyDetector()


def regressor(settings: Settings) -> ToyRegressor:
    """Factory for `POSE_REGRESSOR`."""
    return ToyRegressor()


def body(settings: Settings) -> ToyBody:
    """Factory for `POSE_BODY`."""
    return ToyBody()


def tracker(settings: Settings) -> Callable[[float], Tracker]:
    """Factory for `POSE_TRACKER`: what makes one tracker per clip, from its frames per second."""
    return lambda fps: ToyTracker()


def temporal(settings: Settings) -> ToyTemporal:
    """Factory for `POSE_TEMPORAL`."""
    return ToyTemporal()


def toy_engine(toy_body: ToyBody | None = None) -> Engine:
    """All toys together."""
    return Engine(
        name="toy",
        model_version="toy/1",
        device="cpu",
        detector=ToyDetector(),
        regressor=ToyRegressor(),
        body=toy_body or ToyBody(),
        temporal=ToyTemporal(),
        new_tracker=lambda fps: ToyTracker(),
        focal_px=lambda width_px, height_px: float(max(width_px, height_px)),
        models={"toy": "loaded"},
        frames_together=4,
        frames_apart=True,
    )


def build_toy(settings: Settings) -> tuple[Engine, str]:
    """For `ModelHub(settings, build=build_toy)`."""
    return toy_engine(), "a test asked for it"


def large_body() -> ToyBody:
    """A body with SMPL's counts: 6890 vertices, 13776 triangles."""
    return ToyBody(rings=84, segments=82)
