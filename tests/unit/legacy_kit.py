"""People made by hand for the tests of the answers' shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from toy_engine import ToyBody

from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Camera, Person, Provenance, TrackedFrame
from pose_service.engines.seam import BodyModel
from pose_service.legacy.encode import encode
from pose_service.legacy.frame import Maker, frame_answer
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import view_frames

CAMERA = Camera(focal_px=1000.0, width_px=640, height_px=360)


@dataclass(frozen=True)
class Stand:
    """Where somebody stands, and as what they were known."""

    translation_m: tuple[float, float, float] = (0.2, -0.1, 5.0)
    track_id: int = 1
    provenance: Provenance = Provenance.OBSERVED
    box_xyxy_px: tuple[float, float, float, float] = (300.0, 100.0, 400.0, 300.0)
    tracking_confidence: float = 1.0


def person(stand: Stand, rotations: int = 2, shape: Sequence[float] = (1.0,)) -> Person:
    pose = BodyPoses(
        np.tile(np.eye(3), (1, rotations, 1, 1)),
        np.array([stand.translation_m]),
        np.array([shape]),
    )
    return Person(
        track_id=stand.track_id,
        provenance=stand.provenance,
        tracking_confidence=stand.tracking_confidence,
        confidence=0.8,
        box_xyxy_px=np.array(stand.box_xyxy_px),
        joint_confidence=np.full(24, 0.7),
        pose=pose,
    )


def frame_of(*people: Person, index: int = 0) -> TrackedFrame:
    return TrackedFrame(index, index / 30, CAMERA, people, processing_ms=12.345)


def maker_of(body: BodyModel) -> Maker:
    return Maker(body, orjson.Fragment(encode(body.faces)), "toy/1", False, False)


def answer_to(
    frame: TrackedFrame, options: AnswerOptions | None = None, body: BodyModel | None = None
) -> dict[str, Any]:
    """The answer as a client reads it."""
    options, body = options or AnswerOptions(), body or ToyBody()
    (views,) = view_frames(body, [frame], everybody=options.everybody, mesh=options.mesh)
    fields: dict[str, Any] = orjson.loads(
        encode(frame_answer(maker_of(body), frame, views, options))
    )
    return fields


def projected_px(points_m: FloatArray, translation_m: FloatArray) -> FloatArray:
    """The contract's formula, written out."""
    x, y, z = (np.asarray(points_m) + translation_m).T
    u = CAMERA.focal_px * x / z + CAMERA.width_px / 2
    v = CAMERA.focal_px * y / z + CAMERA.height_px / 2
    return np.stack([u, v], axis=1)
