"""A movement as CSV, TRC and MOT, each read back by a reader of its own."""

import csv
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from biomechanics_kit import without
from reports_kit import HEIGHT_PX, frames_of, person_of, squats, unseen, with_bodies

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.movement import measure
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17
from pose_service.export.trc import TrcHead
from pose_service.reports.tables import (
    FLEXIONS,
    MARKERS,
    Space,
    angles_mot,
    camera_m,
    keypoints_trc,
    movement_csv,
    picture_m,
    picture_px,
)

HEAD = TrcHead("squats.trc", 12, 30.0, "px")
KNEE = COCO17.index("left_knee")


def table_of(frames: list[KeypointFrame], track_id: int = 1) -> list[dict[str, str]]:
    movement = measure(squats(len(frames)))
    lines = b"".join(movement_csv(movement, frames, track_id)).decode()
    return list(csv.DictReader(StringIO(lines)))


def markers_of(frames: list[KeypointFrame], space: Space) -> tuple[dict[str, str], FloatArray]:
    """Head by name, and (frames, 2 + 3 markers) numbers."""
    lines = b"".join(keypoints_trc(frames, 1, HEAD, space)).decode().split("\n")
    head = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert [name for name in lines[3].split("\t")[2:] if name] == list(MARKERS)
    rows = [[float(cell) for cell in line.split("\t")] for line in lines[6:-1]]
    return head, np.array(rows)


def marker(rows: FloatArray, name: str) -> FloatArray:
    """(frames, 3)"""
    place = 2 + 3 * list(MARKERS).index(name)
    found: FloatArray = rows[:, place : place + 3]
    return found


def test_the_table_has_a_row_for_every_frame_with_all_that_was_measured() -> None:
    series = squats(12)
    frames = frames_of(series)
    rows, movement = table_of(frames), measure(series)
    assert [int(row["frame_number"]) for row in rows] == list(range(12))
    for index, row in enumerate(rows):
        measured = movement.frame(index)
        assert float(row["time_s"]) == pytest.approx(measured.time_s, abs=1e-6)
        assert row["provenance"] == "observed"
        x, y = frames[index].people[0].points_px[KNEE]
        # seven digits
        assert float(row["left_knee_x_px"]) == pytest.approx(x, rel=1e-6)
        assert float(row["left_knee_y_px"]) == pytest.approx(y, rel=1e-6)
        assert float(row["left_knee_confidence"]) == 0.9
        for name in ANGLES:
            assert float(row[f"{name}_deg"]) == pytest.approx(
                measured.joint_angles_deg[name], rel=1e-6
            )
            assert float(row[f"{name}_deg_s"]) == pytest.approx(
                measured.angular_velocities_deg_s[name], rel=1e-6, abs=1e-9
            )
        groups = (measured.movement_analysis, measured.body_alignment, measured.support)
        for name, value in (pair for group in groups for pair in group.items()):
            cell = row[name]
            assert (float(cell) if cell else None) == (
                None if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)
            )


def test_cells_that_are_not_known_are_empty() -> None:
    series = without(unseen(squats(6), slice(4, 6)), "left_knee")
    frames = frames_of(series)
    lines = b"".join(movement_csv(measure(series), frames, 1)).decode()
    rows = list(csv.DictReader(StringIO(lines)))
    assert rows[0]["left_knee_x_px"] == "" and rows[0]["left_knee_deg"] == ""
    assert rows[0]["right_knee_deg"] != "" and rows[0]["spine_angle_deg"] != ""
    assert rows[5]["provenance"] == rows[5]["right_knee_x_px"] == rows[5]["right_knee_deg"] == ""
    assert rows[5]["time_s"] == "0.166667" and rows[5]["pose_quality"] == "0"
    assert "nan" not in lines.partition("\n")[2]


def test_the_table_is_of_the_track_that_is_asked_for() -> None:
    series = squats(3)
    both = [
        replace(frame, people=(person_of(series, 0, 7), *frame.people))
        for frame in frames_of(series)
    ]
    assert table_of(both) == table_of(frames_of(series))
    assert table_of(both, 7)[2]["nose_x_px"] == table_of(both, 7)[0]["nose_x_px"]


def test_markers_in_pixels_lie_where_they_are_in_the_picture() -> None:
    frames = frames_of(squats(12))
    head, rows = markers_of(frames, picture_px)
    assert head["Units"] == "px" and head["NumMarkers"] == "19" and head["NumFrames"] == "12"
    np.testing.assert_array_equal(rows[:, 0], np.arange(1, 13))
    np.testing.assert_allclose(rows[:, 1], np.arange(12) / 30, atol=1e-6)
    for index, frame in enumerate(frames):
        points = frame.people[0].points_px
        np.testing.assert_allclose(marker(rows, "LKnee")[index], [*points[KNEE], 0], atol=1e-6)
        hips = points[[COCO17.index("left_hip"), COCO17.index("right_hip")]]
        np.testing.assert_allclose(marker(rows, "Hip")[index], [*hips.mean(axis=0), 0], atol=1e-6)


def test_markers_in_metres_of_the_picture_have_y_up_from_its_lower_edge() -> None:
    frames = frames_of(squats(2))
    _, rows = markers_of(frames, picture_m(0.005, HEIGHT_PX))
    x, y = frames[0].people[0].points_px[KNEE]
    np.testing.assert_allclose(
        marker(rows, "LKnee")[0], [0.005 * x, 0.005 * (HEIGHT_PX - y), 0], atol=1e-6
    )
    with pytest.raises(ValueError, match="m_per_px: expected more than 0"):
        picture_m(0.0, HEIGHT_PX)


def test_markers_of_bodies_have_y_up_and_z_towards_the_camera() -> None:
    frames = with_bodies(frames_of(squats(2)))
    _, rows = markers_of(frames, camera_m)
    body_m = frames[0].people[0].points_cam_m
    assert body_m is not None
    np.testing.assert_allclose(marker(rows, "LKnee")[0], body_m[KNEE] * [1, -1, -1], atol=1e-6)
    _, without_body = markers_of(frames_of(squats(2)), camera_m)
    assert np.isnan(without_body[:, 2:]).all()


def test_hidden_markers_and_middles_between_them_are_nan() -> None:
    _, rows = markers_of(frames_of(without(squats(2), "left_hip")), picture_px)
    for name in ("LHip", "Hip"):
        assert np.isnan(marker(rows, name)).all()
    assert np.isfinite(marker(rows, "RHip")).all() and np.isfinite(marker(rows, "Neck")).all()
    _, nobody = markers_of(frames_of(unseen(squats(2), slice(None))), picture_px)
    assert np.isnan(nobody[:, 2:]).all() and len(nobody) == 2


def test_flexions_are_those_of_sports2d_without_their_sign() -> None:
    movement = measure(without(squats(12), "left_ankle"))
    lines = b"".join(angles_mot(movement)).decode().splitlines()
    end = lines.index("endheader")
    head = dict(line.split("=") for line in lines[1:end])
    assert lines[0] == "Coordinates"
    assert head == {"version": "1", "nRows": "12", "nColumns": "9", "inDegrees": "yes"}
    names = lines[end + 1].split("\t")
    assert names[:3] == ["time", "right knee", "left knee"] and len(names) == 9
    rows = np.array([[float(cell) for cell in line.split("\t")] for line in lines[end + 2 :]])
    by_name = dict(zip(names, rows.T, strict=True))
    for name in FLEXIONS:
        ours = movement.angle_deg(name)
        flexion = ours if name.endswith("shoulder") else 180 - ours
        # two decimals
        np.testing.assert_allclose(by_name[name.replace("_", " ")], flexion, atol=0.0051)
    assert np.isnan(by_name["left knee"]).all()
    # the squat's deepest bend, 80 degrees and the 5 of standing
    assert by_name["right knee"][0] == pytest.approx(180 - 172)


def test_every_keypoint_is_a_marker_once() -> None:
    assert sorted(joint for joint in MARKERS.values() if joint) == sorted(COCO17.joints)
    assert sorted(FLEXIONS) == sorted(ANGLES)


def test_who_was_filled_in_is_told_in_the_table() -> None:
    (frame,) = frames_of(squats(1))
    filled = replace(frame.people[0], provenance=Provenance.INTERPOLATED)
    assert table_of([replace(frame, people=(filled,))])[0]["provenance"] == "interpolated"
