"""Tracklets of a file in the names and units of this service's answers."""

from typing import Any

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.skeletons import HMR44
from pose_service.export.padded_square import PaddedSquare
from pose_service.export.tracklet_records import Tracklet, TrackletFrame

_METRE_DECIMALS, _PIXEL_DECIMALS, _ROTATION_DECIMALS = 6, 3, 6


def frame_fields(frame: TrackletFrame) -> dict[str, Any]:
    """One frame: `frame_number` from 0, its size, and `persons` as a clip's answer has them.

    What a tracklet file does not tell is left out: times, meshes, SMPL's 24 joints.
    """
    width_px, height_px = frame.size_px or (None, None)
    return {
        "frame_number": frame.index,
        "frame_path": frame.path,
        "frame_width": width_px,
        "frame_height": height_px,
        "shot": frame.shot,
        "persons": [_person_fields(person, frame) for person in frame.people],
    }


def _person_fields(person: Tracklet, frame: TrackletFrame) -> dict[str, Any]:
    square = PaddedSquare(*(frame.size_px or (1, 1)))
    tx, ty, tz = _rounded(person.translation_m, _METRE_DECIMALS).tolist()
    scale, shift_x, shift_y = _rounded(person.crop_camera, _METRE_DECIMALS).tolist()
    rotations = _rounded(person.rotations, _ROTATION_DECIMALS)
    return {
        "track_id": person.track_id,
        "confidence": round(person.confidence, 4),
        "tracked_time": person.tracked_time,
        "provenance": person.provenance,
        "bbox": _rounded(person.box_xyxy_px, _PIXEL_DECIMALS),
        "smpl": {
            "betas": _rounded(person.betas, _METRE_DECIMALS),
            "body_pose": rotations[1:],
            "global_orient": rotations[0],
        },
        "camera": {"tx": tx, "ty": ty, "tz": tz, "focal_length": square.focal_px},
        "camera_params": {
            "scale": scale, "tx": shift_x, "ty": shift_y, "type": "weak_perspective"
        },
        "joint_sets": {
            HMR44.name: {
                "names": list(HMR44.joints),
                "points_px": _rounded(person.joints_px, _PIXEL_DECIMALS),
                "points_m": _rounded(person.joints_m, _METRE_DECIMALS),
            }
        },
    }  # fmt: skip


def _rounded(values: FloatArray, decimals: int) -> FloatArray:
    return np.round(values, decimals)
