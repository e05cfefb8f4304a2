"""One entry of `persons`: everybody in a frame, with the body's own parameters."""

from typing import Any

import numpy as np
import orjson

from pose_service.core.records import Person
from pose_service.core.skeletons import SKELETONS
from pose_service.engines.seam import BodyModel
from pose_service.legacy.encode import rounded
from pose_service.legacy.views import BodyView, JointSet

SMPL = "smpl"
_ROTATION_DECIMALS = 6
_SHAPE_DECIMALS = 5
_BOX_DECIMALS = 2


def person_entry(
    view: BodyView, body: BodyModel, mesh: orjson.Fragment | None, joint_sets: tuple[str, ...]
) -> dict[str, Any]:
    """`mesh`: this body's vertices, encoded already, or None for an answer without meshes."""
    person = view.person
    tx, ty, tz = view.translation_m.tolist()
    entry = {
        "track_id": person.track_id,
        "confidence": confidence(person.confidence),
        "tracking_confidence": confidence(person.tracking_confidence),
        "provenance": person.provenance.value,
        "keypoints_3d": view.joints.points_m,
        "keypoints_2d": view.joints.points_px,
        "camera": {"tx": tx, "ty": ty, "tz": tz, "focal_length": float(view.camera.focal_px)},
        "bbox": rounded(person.box_xyxy_px, _BOX_DECIMALS),
        "mesh_vertices": mesh,
        **body_parameters(person, body),
    }
    if joint_sets:
        entry["joint_sets"] = {name: _joint_set(name, view) for name in joint_sets}
    return entry


def confidence(value: float) -> float:
    """A number of 0 to 1 with four decimals."""
    return round(min(max(float(value), 0.0), 1.0), 4)


def body_parameters(person: Person, body: BodyModel) -> dict[str, Any]:
    """`smpl` and `body`: SMPL's names for an SMPL body, the body's own for any other."""
    rotations = rounded(person.pose.rotations[0], _ROTATION_DECIMALS)
    shape = rounded(person.pose.shapes[0], _SHAPE_DECIMALS)
    if body.name == SMPL:
        smpl = {"betas": shape, "body_pose": rotations[1:], "global_orient": rotations[0]}
        return {"smpl": smpl, "body": None}
    size = {"scale": float(shape[0])} if len(shape) == 1 else {"shape": shape}
    names = list(body.rotation_names)
    own = {"model": body.name, "rotation_names": names, "rotations": rotations, **size}
    return {"smpl": None, "body": own}


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
