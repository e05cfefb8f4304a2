"""One frame of a clip of keypoints, as `/pose` answers it: the contract of the 2D service."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import PAIRS
from pose_service.biomechanics.joints import observed
from pose_service.biomechanics.movement import FrameMeasures, measure
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.skeletons import COCO17
from pose_service.legacy.frame import Fields
from pose_service.pipeline.keypoint_tracks import MeasuredTrack
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
    """Frames of one clip to entries. `tracks`: everybody's measures by track id.

    What `analysis` switches off is null.
    """

    tracks: Mapping[int, MeasuredTrack]
    primary_id: int | None
    model_used: str
    analysis: BiomechanicsConfig
    axes: int

    def pose(self, frame: KeypointFrame) -> Fields:
        """An entry of `poses_per_frame`: the primary person, or nobody."""
        person = next((one for one in frame.people if one.track_id == self.primary_id), None)
        info = {**self._place(frame), "model_used": self.model_used}
        if person is None:
            nobody = {"keypoints": None, "keypoints_3d": None, "bounding_box": None}
            info |= {"provenance": None, "track_id": None, "confidence": None}
            return {**nobody, "biomechanics": self._measures(None), "frame_info": info}
        about = self._about(person)
        box = about.pop("bounding_box")
        return {**self._body(frame.index, person), "bounding_box": box, "frame_info": info | about}

    def people(self, frame: KeypointFrame) -> Fields:
        """An entry of `people_per_frame`: everybody."""
        people = [
            {**self._about(person), **self._body(frame.index, person)} for person in frame.people
        ]
        return {**self._place(frame), "people": people}

    def _place(self, frame: KeypointFrame) -> Fields:
        return {"frame_number": frame.index, "timestamp": round(frame.time_s, 6)}

    def _about(self, person: KeypointPerson) -> Fields:
        return {
            "track_id": person.track_id,
            "provenance": person.provenance.value,
            "confidence": round(person.confidence, _UNIT),
            "bounding_box": np.round(person.box_xyxy_px, _PX).tolist(),
        }

    def _body(self, index: int, person: KeypointPerson) -> Fields:
        """Keypoints as they were measured where the person was seen, else as they were filled."""
        track = self.tracks[person.track_id]
        place = index - track.curves.first
        points_px, points_cam_m = person.points_px, person.points_cam_m
        if track.curves.seen[place]:
            points_px = track.curves.points_px[place]
            if track.curves.points_cam_m is not None:
                points_cam_m = track.curves.points_cam_m[place]
        return {
            "keypoints": _named(points_px, person.point_confidence),
            "keypoints_3d": None if points_cam_m is None else _named_3d(points_cam_m),
            "biomechanics": self._measures(track.movement.frame(place)),
        }

    def _measures(self, measures: FrameMeasures | None) -> Fields | None:
        wanted = self.analysis
        if not wanted.enabled:
            return None
        one = _unknown(self.axes) if measures is None else measures
        return {
            **_angle_parts(one, wanted),
            "movement_analysis": _scores(one, wanted),
            "body_alignment": _rounded(one.body_alignment),
            **_balance_parts(one, wanted),
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


def _unknown(axes: int) -> FrameMeasures:
    """What is measured of nobody."""
    points, confidence = np.full((1, len(COCO17), axes), np.nan), np.zeros((1, len(COCO17)))
    return measure(observed(COCO17, np.zeros(1), points, confidence)).frame(0)
