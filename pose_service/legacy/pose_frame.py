"""One frame of a clip of keypoints, as `/pose` answers it: the contract of the 2D service."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import PAIRS
from pose_service.biomechanics.movement import FrameMeasures
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.skeletons import COCO17
from pose_service.legacy.frame import Fields
from pose_service.pipeline.keypoint_clip import MeasuredClip, unknown
from pose_service.pose2d.config import BiomechanicsConfig

ANGLE_NAMES = (
    *("left_elbow", "right_elbow", "left_knee", "right_knee", "left_shoulder", "right_shoulder"),
    *("left_hip", "right_hip"),
)
"""The contract's six, then ours."""

_RENAMED = {"spine_angle_deg": "spine_angle"}
_PX, _METRES, _UNIT, _OTHER = 2, 4, 4, 2
_UNIT_SCORES = ("symmetry_index",)


@dataclass(frozen=True)
class FrameWriter:
    """Frames of one clip, as `MeasuredClip.frames` gives them, to entries.

    What `analysis` switches off is null.
    """

    clip: MeasuredClip
    analysis: BiomechanicsConfig

    def pose(self, frame: KeypointFrame) -> Fields:
        """An entry of `poses_per_frame`: the primary person, or nobody."""
        head = self.clip.clip.head
        person = next((one for one in frame.people if one.track_id == head.primary_id), None)
        about = _NOBODY if person is None else _about(person)
        place = {**_place(frame), "model_used": head.model.name}
        return {**self._body(frame.index, person), "frame_info": place | about}

    def people(self, frame: KeypointFrame) -> Fields:
        """An entry of `people_per_frame`: everybody."""
        people = [{**_about(one), **self._body(frame.index, one)} for one in frame.people]
        return {**_place(frame), "people": people}

    def _body(self, index: int, person: KeypointPerson | None) -> Fields:
        if person is None:
            measures = unknown(self.clip.axes)
            return {**_NO_BODY, "biomechanics": biomechanics_fields(measures, self.analysis)}
        track = self.clip.tracks[person.track_id]
        measures = track.movement.frame(index - track.curves.first)
        metres = person.points_cam_m
        return {
            "keypoints": _named(person.points_px, person.point_confidence),
            "keypoints_3d": None if metres is None else _named_3d(metres),
            "bounding_box": np.round(person.box_xyxy_px, _PX).tolist(),
            "biomechanics": biomechanics_fields(measures, self.analysis),
        }


def biomechanics_fields(measures: FrameMeasures, wanted: BiomechanicsConfig) -> Fields | None:
    """Everything measured of one person in one frame."""
    if not wanted.enabled:
        return None
    return {
        **_angle_parts(measures, wanted),
        "movement_analysis": _scores(measures, wanted),
        "body_alignment": _rounded(measures.body_alignment),
        **_balance_parts(measures, wanted),
    }


_NOBODY: Fields = {"track_id": None, "provenance": None, "confidence": None}
_NO_BODY: Fields = {"keypoints": None, "keypoints_3d": None, "bounding_box": None}


def _place(frame: KeypointFrame) -> Fields:
    return {"frame_number": frame.index, "timestamp": round(frame.time_s, 6)}


def _about(person: KeypointPerson) -> Fields:
    return {
        "track_id": person.track_id,
        "provenance": person.provenance.value,
        "confidence": round(person.confidence, _UNIT),
    }


def _angle_parts(measures: FrameMeasures, wanted: BiomechanicsConfig) -> Fields:
    angles, velocities = measures.joint_angles_deg, measures.angular_velocities_deg_s
    in_degrees = wanted.joint_angle_analysis
    return {
        "joint_angles": _angles(angles) if in_degrees else None,
        "angular_velocities": _angles(velocities) if in_degrees else None,
        "asymmetry": _asymmetry(angles) if wanted.symmetry_detection else None,
    }


def _scores(measures: FrameMeasures, wanted: BiomechanicsConfig) -> Fields:
    asked = {
        "pose_quality": wanted.movement_quality,
        "stability_score": wanted.stability_assessment,
        "symmetry_index": wanted.symmetry_detection,
        "athletic_readiness": wanted.movement_quality,
    }
    scores = _rounded(measures.movement_analysis)
    return {name: scores[name] if is_asked else None for name, is_asked in asked.items()}


def _balance_parts(measures: FrameMeasures, wanted: BiomechanicsConfig) -> Fields:
    asked = wanted.stability_assessment
    return {
        "support": _rounded(measures.support) if asked else None,
        "centre_of_mass": _point(measures.centre_of_mass) if asked else None,
        "centre_of_mass_velocity": _point(measures.centre_of_mass_velocity) if asked else None,
    }


def _named(points_px: FloatArray, confidence: FloatArray) -> Fields:
    rows = np.round(points_px, _PX).tolist()
    sure = np.round(confidence, _UNIT).tolist()
    return {
        joint: {"x": x, "y": y, "confidence": how_sure}
        for joint, (x, y), how_sure in zip(COCO17.joints, rows, sure, strict=True)
    }


def _named_3d(points_cam_m: FloatArray) -> Fields:
    rows = np.round(points_cam_m, _METRES).tolist()
    return {
        joint: {"x": x, "y": y, "z": z}
        for joint, (x, y, z) in zip(COCO17.joints, rows, strict=True)
    }


def _angles(values: Mapping[str, float | None]) -> Fields:
    return {name: rounded(values[name]) for name in ANGLE_NAMES}


def _asymmetry(angles_deg: Mapping[str, float | None]) -> Fields:
    """Left less right, degrees."""
    pairs = {joint: (angles_deg[f"left_{joint}"], angles_deg[f"right_{joint}"]) for joint in PAIRS}
    return {
        joint: None if left is None or right is None else rounded(left - right)
        for joint, (left, right) in pairs.items()
    }


def _rounded(values: Mapping[str, float | None]) -> Fields:
    return {
        _RENAMED.get(name, name): rounded(value, _UNIT if name in _UNIT_SCORES else _OTHER)
        for name, value in values.items()
    }


def rounded(value: float | None, decimals: int = _OTHER) -> float | None:
    """None stays None."""
    return None if value is None else round(value, decimals)


def _point(place: tuple[float, ...] | None) -> Fields | None:
    if place is None:
        return None
    decimals = _PX if len(place) == 2 else _METRES
    return {axis: round(value, decimals) for axis, value in zip("xyz", place, strict=False)}
