"""One person of one frame as upstream's tracklets hold it: SPEC of PHALP's output, key by key."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.geometry import weak_perspective
from pose_service.core.records import Camera
from pose_service.core.skeletons import HMR44
from pose_service.export.box_masks import box_mask
from pose_service.export.padded_square import PaddedSquare
from pose_service.export.posed import PosedPerson

# boxes are grown to this shape, width to height, before the square is cut out
_BOX_ASPECT = 192, 256
_PERSON_CLASS = 0


@dataclass(frozen=True)
class Place:
    """Where a person is entered: the frame's path, its camera, the person's place in the frame."""

    path: str
    camera: Camera
    number: int


def person_fields(one: PosedPerson, tracked_time: int, place: Place) -> dict[str, Any]:
    """The person's entry of every list of a frame, by the list's key, in upstream's order."""
    person, camera = one.person, place.camera
    centre_px, side_px = _square(person.box_xyxy_px)
    height, width = camera.height_px, camera.width_px
    mask = person.mask or box_mask(person.box_xyxy_px, width, height)
    return {
        "tid": person.track_id,
        "bbox": _box_xywh(person.box_xyxy_px),
        "tracked_time": tracked_time,
        "center": centre_px.astype(np.float32),
        "scale": side_px / max(height, width),
        "size": [height, width],
        "img_path": place.path,
        "img_name": place.path.rpartition("/")[2],
        "class_name": np.int64(_PERSON_CLASS),
        "conf": np.float32(person.confidence),
        "annotations": [],
        "smpl": _smpl(one),
        **_cameras_and_joints(one, camera, centre_px, side_px),
        "mask": [{"size": [mask.height_px, mask.width_px], "counts": mask.text()}],
        "extra_data": place.number,
    }


def _smpl(one: PosedPerson) -> dict[str, Any]:
    rotations = one.person.pose.rotations[0].astype(np.float32)
    return {
        "global_orient": rotations[:1],
        "body_pose": rotations[1:],
        "betas": one.person.pose.shapes[0].astype(np.float32),
    }


def _cameras_and_joints(
    one: PosedPerson, camera: Camera, centre_px: FloatArray, side_px: float
) -> dict[str, Any]:
    square = PaddedSquare.of(camera)
    translation_m = square.translation_m(one.translation_m, camera)
    joints_m = _joints45_m(one)
    crop_camera = weak_perspective(one.translation_m, camera, centre_px, side_px)
    fields = {
        "camera": translation_m,
        "camera_bbox": np.array(crop_camera),
        "3d_joints": joints_m,
        "2d_joints": square.projected(joints_m + translation_m).ravel(),
    }
    return {key: values.astype(np.float32) for key, values in fields.items()}


def _joints45_m(one: PosedPerson) -> FloatArray:
    """HMR 2.0's 44 joints and a row of zeros: the body's origin."""
    if HMR44.name not in one.joint_sets_m:
        sets = ", ".join(one.joint_sets_m) or "none"
        raise BadRequestError(f"tracklets need the joints {HMR44.name}; this body has {sets}")
    return np.concatenate([one.joint_sets_m[HMR44.name], np.zeros((1, 3))])


def _square(box_xyxy_px: FloatArray) -> tuple[FloatArray, float]:
    """Centre and side of the square that shows the box."""
    width, height = _BOX_ASPECT
    spans = box_xyxy_px[2:] - box_xyxy_px[:2]
    return (box_xyxy_px[:2] + box_xyxy_px[2:]) / 2, float(max(spans[1], spans[0] * height / width))


def _box_xywh(box_xyxy_px: FloatArray) -> FloatArray:
    low, high = box_xyxy_px[:2], box_xyxy_px[2:]
    return np.concatenate([low, high - low]).astype(np.float32)
