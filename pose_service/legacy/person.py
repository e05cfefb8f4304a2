"""One entry of `persons`: everybody in a frame, with the body's own parameters."""

from typing import Any

import numpy as np
import orjson

from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import SKELETONS
from pose_service.engines.seam import BodyModel
from pose_service.legacy.encode import rounded
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import METRE_DECIMALS, BodyView, JointSet

SMPL = "smpl"
_ROTATION_DECIMALS = 6
_SHAPE_DECIMALS = 5
_BOX_DECIMALS = 2


def person_entry(
    view: BodyView, body: BodyModel, mesh: orjson.Fragment | None, options: AnswerOptions
) -> dict[str, Any]:
    """`mesh`: this body's vertices, encoded already, or None for an answer without meshes."""
    person = view.person
    tx, ty, tz = view.translation_m.tolist()
    entry = {
        "track_id": person.track_id,
        "confidence": confidence(person.confidence),
        "tracking_confidence": confidence(person.tracking_confidence),
        "provenance": person.provenance.value,
        "identity_risk": confidence(person.identity_risk),
        "keypoints_3d": view.joints.points_m,
        "keypoints_2d": view.joints.points_px,
        "camera": {"tx": tx, "ty": ty, "tz": tz, "focal_length": float(view.camera.focal_px)},
        "bbox": rounded(person.box_xyxy_px, _BOX_DECIMALS),
        "mesh_vertices": mesh,
        **body_parameters(person.pose, body),
    }
    if options.joint_sets:
        entry["joint_sets"] = {name: _joint_set(name, view) for name in options.joint_sets}
    if options.raw:
        entry["raw"] = None if person.raw_pose is None else _raw(person.raw_pose, body)
    return entry


def confidence(value: float) -> float:
    """A number of 0 to 1 with four decimals."""
    return round(min(max(float(value), 0.0), 1.0), 4)


def body_parameters(pose: BodyPoses, body: BodyModel) -> dict[str, Any]:
    """`smpl` and `body`: SMPL's names for an SMPL body, the body's own for any other."""
    rotations = rounded(pose.rotations[0], _ROTATION_DECIMALS)
    shape = rounded(pose.shapes[0], _SHAPE_DECIMALS)
    if body.name == SMPL:
        smpl = {"betas": shape, "body_pose": rotations[1:], "global_orient": rotations[0]}
        return {"smpl": smpl, "body": None}
    size = {"scale": float(shape[0])} if len(shape) == 1 else {"shape": shape}
    names = list(body.rotation_names)
    own = {"model": body.name, "rotation_names": names, "rotations": rotations, **size}
    return {"smpl": None, "body": own}


def _raw(pose: BodyPoses, body: BodyModel) -> dict[str, Any] | None:
    """The frame's own solution; null where it came out not finite, since JSON has no NaN."""
    parts = (pose.rotations, pose.translations_m, pose.shapes)
    if not all(np.isfinite(part).all() for part in parts):
        return None
    translation_m = rounded(pose.translations_m[0], METRE_DECIMALS)
    return {"camera_translation": translation_m, **body_parameters(pose, body)}


def _joint_set(name: str, view: BodyView) -> dict[str, Any] | None:
    """Null where this body has no such set."""
    points: JointSet | None = view.joint_sets.get(name)
    if points is None or not np.isfinite(points.points_px).all():
        return None
    return {
        "names": list(SKELETONS[name].joints),
        "points_px": points.points_px,
        "points_m": points.points_m,
    }
