"""The 17 keypoints of everybody in a clip that went through a 3D engine."""

from collections.abc import Iterable, Iterator

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointModel, KeypointPerson
from pose_service.core.records import Camera, Person, TrackedFrame
from pose_service.core.skeletons import COCO17, SKELETONS, SMPL24
from pose_service.engines.seam import BodyModel, Engine
from pose_service.export.posed import PosedPerson
from pose_service.pipeline.posing import posed_frames

# Places of the 17 in the sets that have all of them, by the set's name and by its length.
_PLACES = {
    skeleton.name: [skeleton.index(joint) for joint in COCO17.joints]
    for skeleton in SKELETONS.values()
    if set(COCO17.joints) <= set(skeleton.joints)
}
_PLACES_BY_LENGTH = {len(SKELETONS[name]): places for name, places in _PLACES.items()}

# SMPL has no face: its head stands for nose, eyes and ears.
_SMPL_PLACES = [
    SMPL24.index(joint if joint in SMPL24.joints else "head") for joint in COCO17.joints
]

_NAMES = {"embedded": "BlazePose", "4dhumans": "HMR 2.0"}
_HALF_TYPES = ("bf16", "fp16")


def keypoint_frames(frames: Iterable[TrackedFrame], body: BodyModel) -> Iterator[KeypointFrame]:
    """Every frame, the people in their order; whoever cannot be drawn is left out.

    In the picture the keypoints are what was seen, where the engine sees these very points (give
    `frames` that kept their landmarks); else, and where nobody was seen, the body's, projected.
    """
    for posed in posed_frames(frames, body):
        camera = posed.frame.camera
        people = tuple(_keypoints(one, camera) for one in posed.people())
        yield KeypointFrame(posed.frame.index, posed.frame.time_s, people)


def model_of(engine: Engine, fallback: str) -> KeypointModel:
    """What an engine is called where it stands for a net of keypoints."""
    half = [name for name in _HALF_TYPES if name in engine.setup]
    name = _NAMES.get(engine.name, engine.name)
    return KeypointModel(name, engine.model_version, half[0] if half else "fp32", 3, fallback)


def _keypoints(posed: PosedPerson, camera: Camera) -> KeypointPerson:
    person = posed.person
    points_cam_m = _coco_m(posed) + posed.translation_m
    points_px, confidence = _seen(person) or _projected(points_cam_m, person, camera)
    return KeypointPerson(
        track_id=person.track_id,
        provenance=person.provenance,
        confidence=person.confidence,
        box_xyxy_px=person.box_xyxy_px,
        points_px=points_px,
        point_confidence=confidence,
        points_cam_m=points_cam_m,
    )


def _coco_m(posed: PosedPerson) -> FloatArray:
    """(17, 3) without the translation, from the first of the body's sets that has them."""
    for name, points_m in posed.joint_sets_m.items():
        if name in _PLACES:
            return np.asarray(points_m[_PLACES[name]])
    return np.asarray(posed.joints_m[_SMPL_PLACES])


def _seen(person: Person) -> tuple[FloatArray, FloatArray] | None:
    """Pixels and confidences, where the landmarks hold the 17."""
    if person.landmarks_px is None or person.landmark_confidence is None:
        return None
    places = _PLACES_BY_LENGTH.get(len(person.landmarks_px))
    if places is None:
        return None
    return person.landmarks_px[places], person.landmark_confidence[places].clip(0.0, 1.0)


def _projected(
    points_cam_m: FloatArray, person: Person, camera: Camera
) -> tuple[FloatArray, FloatArray]:
    """The same from the body; a point that is not before the camera is sure of nothing."""
    before = points_cam_m[:, 2] > 0
    safe_m = np.where(before[:, None], points_cam_m, [0.0, 0.0, 1.0])
    confidence = person.joint_confidence[_SMPL_PLACES].clip(0.0, 1.0)
    return camera.project(safe_m), np.where(before, confidence, 0.0)
