"""Joints as a table of comma-separated values: a row for each person of each frame."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.skeletons import HMR44, SMPL24
from pose_service.export.posed import PosedFrame
from pose_service.export.tracklet_records import TrackletFrame

_FIRST = (
    "frame_number", "time_s", "track_id", "provenance", "confidence",
    "box_x1_px", "box_y1_px", "box_x2_px", "box_y2_px",
)  # fmt: skip
_OF_JOINT = ("x_m", "y_m", "z_m", "x_px", "y_px")


@dataclass(frozen=True)
class JointRow:
    """One person of one frame. `time_s` is None where it is not known.

    `joints_cam_m`: (n, 3) camera axes, translation added. `joints_px`: (n, 2) in the picture.
    """

    frame_number: int
    time_s: float | None
    track_id: int
    provenance: str
    confidence: float
    box_xyxy_px: FloatArray
    joints_cam_m: FloatArray
    joints_px: FloatArray

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("joints_cam_m", self.joints_cam_m, ("n", 3))
        expect_shape("joints_px", self.joints_px, (len(self.joints_cam_m), 2))


def joint_table(joints: Sequence[str], rows: Iterable[JointRow]) -> Iterator[bytes]:
    """The table, a line at a time, UTF-8: the first line has the columns' names.

    Each joint has five columns: `<joint>_x_m`, `_y_m`, `_z_m`, `_x_px`, `_y_px`. A cell that is not
    known is empty.
    """
    yield csv_line([*_FIRST, *(f"{joint}_{column}" for joint in joints for column in _OF_JOINT)])
    for row in rows:
        time_s = "" if row.time_s is None else f"{row.time_s:.6f}"
        numbers = np.concatenate([row.joints_cam_m, row.joints_px], axis=1).ravel()
        head = [row.frame_number, time_s, row.track_id, row.provenance, f"{row.confidence:.4f}"]
        box = [f"{value:.2f}" for value in row.box_xyxy_px.tolist()]
        yield csv_line([*head, *box, *(f"{value:.7g}" for value in numbers.tolist())])


def clip_table(frames: Iterable[PosedFrame]) -> Iterator[bytes]:
    """The 24 joints of everybody in a clip."""
    rows = (
        JointRow(
            frame_number=posed.frame.index,
            time_s=posed.frame.time_s,
            track_id=one.person.track_id,
            provenance=one.person.provenance.value,
            confidence=one.person.confidence,
            box_xyxy_px=one.person.box_xyxy_px,
            joints_cam_m=one.joints_cam_m,
            joints_px=posed.frame.camera.project(one.joints_cam_m),
        )
        for posed in frames
        for one in posed.people()
    )
    return joint_table(SMPL24.joints, rows)


def tracklet_table(frames: Iterable[TrackletFrame]) -> Iterator[bytes]:
    """The 44 joints of everybody in a tracklet file, which knows no times."""
    rows = (
        JointRow(
            frame_number=frame.index,
            time_s=None,
            track_id=person.track_id,
            provenance=person.provenance,
            confidence=person.confidence,
            box_xyxy_px=person.box_xyxy_px,
            joints_cam_m=person.joints_m + person.translation_m,
            joints_px=person.joints_px,
        )
        for frame in frames
        for person in frame.people
    )
    return joint_table(HMR44.joints, rows)


def csv_line(cells: Sequence[object]) -> bytes:
    """One line of a table, UTF-8."""
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue().encode()
