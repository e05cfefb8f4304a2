"""One person's movement as files of numbers: CSV, and TRC and MOT as Sports2D and Pose2Sim name
things (Pagnon & Kim 2024).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import chain

import numpy as np

from pose_service.biomechanics.alignment import Alignment
from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.joints import LEAST_CONFIDENCE, optional
from pose_service.biomechanics.movement import FrameMeasures, Movement
from pose_service.biomechanics.scores import Scores
from pose_service.biomechanics.support import Support
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.skeletons import COCO17
from pose_service.export.joint_table import csv_line
from pose_service.export.mot import MotHead, angle_file
from pose_service.export.posed import y_up
from pose_service.export.trc import MarkerRow, TrcHead, marker_file
from pose_service.rendering.keypoints import shown_keypoints

Space = Callable[[KeypointPerson], FloatArray]
"""Where a marker file's keypoints are: a person to (17, 3)."""

_MIDDLES = {"Hip": ("left_hip", "right_hip"), "Neck": ("left_shoulder", "right_shoulder")}

MARKERS = {
    "Hip": None, "RHip": "right_hip", "RKnee": "right_knee", "RAnkle": "right_ankle",
    "LHip": "left_hip", "LKnee": "left_knee", "LAnkle": "left_ankle", "Neck": None, "Nose": "nose",
    "RShoulder": "right_shoulder", "RElbow": "right_elbow", "RWrist": "right_wrist",
    "LShoulder": "left_shoulder", "LElbow": "left_elbow", "LWrist": "left_wrist",
    "REye": "right_eye", "LEye": "left_eye", "REar": "right_ear", "LEar": "left_ear",
}  # fmt: skip
"""Names and order of Pose2Sim's COCO_17, and the eyes and ears; None is between left and right."""

FLEXIONS = (
    "right_knee", "left_knee", "right_hip", "left_hip", "right_shoulder", "left_shoulder",
    "right_elbow", "left_elbow",
)  # fmt: skip
"""Columns of the MOT file in Sports2D's order, there with a space instead of the line."""

_GROUPS = (("movement_analysis", Scores), ("body_alignment", Alignment), ("support", Support))


def picture_px(person: KeypointPerson) -> FloatArray:
    """Pixels of the picture, x right, y down, z 0: as in Sports2D's `_px.trc`."""
    return np.column_stack([person.points_px, np.zeros(len(COCO17))])


def picture_m(m_per_px: float, height_px: int) -> Space:
    """The picture's plane in metres: x right, y up, from its lower left corner, z 0."""
    if not m_per_px > 0:
        raise ValueError(f"m_per_px: expected more than 0, got {m_per_px}")

    def place(person: KeypointPerson) -> FloatArray:
        from_corner = person.points_px * [1, -1] + [0, height_px]
        return np.column_stack([m_per_px * from_corner, np.zeros(len(COCO17))])

    return place


def camera_m(person: KeypointPerson) -> FloatArray:
    """Metres: x right, y up, z towards the camera; NaN for a person without a body."""
    if person.points_cam_m is None:
        return np.full((len(COCO17), 3), np.nan)
    return y_up(person.points_cam_m)


def keypoints_trc(
    keypoints: Iterable[KeypointFrame],
    track_id: int,
    head: TrcHead,
    space: Space = camera_m,
    *,
    least_confidence: float = LEAST_CONFIDENCE,
) -> Iterator[bytes]:
    """A marker file, some lines at a time; `nan` where a keypoint is not seen.

    `head.units` must go with `space`: `px` with `picture_px`, else `m`.
    """
    rows = (
        MarkerRow(frame.index, frame.time_s, _markers(one, space, least_confidence))
        for frame, one in of_track(keypoints, track_id)
    )
    return marker_file(tuple(MARKERS), rows, head)


def angles_mot(movement: Movement) -> Iterator[bytes]:
    """The angles as flexions, some lines at a time.

    Knee, hip and elbow are 180 less ours, so that a straight limb is 0; the shoulder is the arm's
    elevation, as ours. Sports2D gives flexions a sign by the side that a limb bends to; these have
    none. `nan` where not known.
    """
    angles = np.stack([movement.angle_deg(name) for name in FLEXIONS], axis=1)
    is_elevation = np.array([name.endswith("shoulder") for name in FLEXIONS])
    flexions = np.where(is_elevation, angles, 180 - angles)
    rows = zip(movement.times_s.tolist(), flexions.tolist(), strict=True)
    names = [name.replace("_", " ") for name in FLEXIONS]
    return angle_file(names, rows, MotHead("Coordinates", len(movement)))


def movement_csv(
    movement: Movement, keypoints: Iterable[KeypointFrame], track_id: int
) -> Iterator[bytes]:
    """A table, a line at a time: a row for every frame, whether the person is in it or not.

    Frame, time, provenance; `<keypoint>_x_px`, `_y_px`, `_confidence`; `<angle>_deg`, `_deg_s`;
    scores, alignment and support by name. A cell that is not known is empty.
    """
    points = [
        f"{joint}_{cell}" for joint in COCO17.joints for cell in ("x_px", "y_px", "confidence")
    ]
    rates = chain((f"{name}_deg" for name in ANGLES), (f"{name}_deg_s" for name in ANGLES))
    others = (field.name for _, group in _GROUPS for field in fields(group))
    yield csv_line(["frame_number", "time_s", "provenance", *points, *rates, *others])
    for (frame, one), measured in zip(
        of_track(keypoints, track_id), movement.frames(), strict=False
    ):
        yield csv_line([
            frame.index, f"{frame.time_s:.6f}", "" if one is None else one.provenance.value,
            *_point_cells(one), *map(_cell, _values(measured)),
        ])  # fmt: skip


def of_track(
    keypoints: Iterable[KeypointFrame], track_id: int
) -> Iterator[tuple[KeypointFrame, KeypointPerson | None]]:
    """Every frame, and the person of this track in it."""
    for frame in keypoints:
        yield frame, next((one for one in frame.people if one.track_id == track_id), None)


def _markers(one: KeypointPerson | None, space: Space, least: float) -> FloatArray | None:
    if one is None:
        return None
    places = np.where(shown_keypoints(one, least)[:, None], space(one), np.nan)
    by_name = dict(zip(COCO17.joints, places, strict=True))
    return np.stack([
        np.mean([by_name[end] for end in _MIDDLES[marker]], axis=0) if joint is None
        else by_name[joint]
        for marker, joint in MARKERS.items()
    ])  # fmt: skip


def _point_cells(one: KeypointPerson | None) -> list[str]:
    if one is None:
        return [""] * (3 * len(COCO17))
    cells = np.column_stack([one.points_px, one.point_confidence]).ravel().tolist()
    return [_cell(optional(value)) for value in cells]


def _values(measured: FrameMeasures) -> Iterator[float | None]:
    yield from measured.joint_angles_deg.values()
    yield from measured.angular_velocities_deg_s.values()
    for name, _ in _GROUPS:
        yield from getattr(measured, name).values()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.7g}"
