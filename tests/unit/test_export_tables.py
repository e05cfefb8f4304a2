"""Arrays, tables and marker files of a clip, each read back and held against the records."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from export_kit import CAMERA, FPS, HEIGHT_PX, WIDTH_PX, frame_of, posed, smpl_person, walk

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.joint_angles import ANGLES, joint_angles_deg
from pose_service.core.records import Provenance, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.export.arrays_file import PROVENANCES, ClipSize, arrays_file
from pose_service.export.joint_table import clip_table
from pose_service.export.mot import MotHead, mot_file
from pose_service.export.posed import PosedPerson
from pose_service.export.track_span import TrackSpan, span_of, spans_of
from pose_service.export.trc import TrcHead, trc_file

KNEE = SMPL24.index("left_knee")


def two_people() -> list[TrackedFrame]:
    """Track 1 in frames 0 to 4, track 2 in frames 1 to 3, filled in frame 2; frame 5 is empty."""
    frames = walk("ooooo-")
    for index, word in ((1, "observed"), (2, "interpolated"), (3, "observed")):
        other = smpl_person(2, index, Provenance(word))
        frames[index] = frame_of(index, [*frames[index].people, other])
    return frames


def people_of(frames: list[TrackedFrame]) -> Iterator[tuple[TrackedFrame, PosedPerson]]:
    return ((each.frame, one) for each in posed(frames) for one in each.people())


def arrays_of(frames: list[TrackedFrame]) -> dict[str, FloatArray]:
    rows = sum(len(frame.people) for frame in frames)
    size = ClipSize(rows, len(frames), 10, SMPL24.joints)
    file = BytesIO(b"".join(arrays_file(posed(frames), size)))
    with np.load(file, allow_pickle=False) as archive:
        return dict(archive)


def test_arrays_have_a_row_for_each_person_of_each_frame() -> None:
    frames = two_people()
    arrays = arrays_of(frames)
    for row, (frame, one) in enumerate(people_of(frames)):
        person = one.person
        assert arrays["frame_index"][row] == frame.index
        assert arrays["track_id"][row] == person.track_id
        assert arrays["provenance_names"][arrays["provenance"][row]] == person.provenance.value
        # float32 of 30 m and 1280 px
        np.testing.assert_allclose(arrays["joints_cam_m"][row], one.joints_cam_m, atol=2e-6)
        points_px = CAMERA.project(one.joints_cam_m)
        np.testing.assert_allclose(arrays["joints_px"][row], points_px, atol=1e-4)
        np.testing.assert_array_equal(
            arrays["rotations"][row], person.pose.rotations[0].astype(np.float32)
        )
        np.testing.assert_allclose(arrays["translation_m"][row], one.translation_m, rtol=1e-7)
        np.testing.assert_allclose(arrays["box_xyxy_px"][row], person.box_xyxy_px, rtol=1e-7)
    assert len(arrays["frame_index"]) == row + 1 == 8
    np.testing.assert_allclose(arrays["frame_time_s"], np.arange(6) / FPS)
    assert arrays["camera"].tolist() == [CAMERA.focal_px, WIDTH_PX, HEIGHT_PX]
    assert arrays["joint_names"].tolist() == list(SMPL24.joints)
    assert arrays["provenance_names"].tolist() == list(PROVENANCES)


def test_arrays_of_nobody_are_empty_and_still_say_what_they_are() -> None:
    arrays = arrays_of(walk("--"))
    assert arrays["joints_cam_m"].shape == (0, 24, 3)
    np.testing.assert_allclose(arrays["frame_time_s"], [0, 1 / FPS])


def test_a_table_of_a_clip_gives_places_before_the_camera_and_in_the_picture() -> None:
    frames = two_people()
    head, *rows = b"".join(clip_table(posed(frames))).decode().splitlines()
    names = head.split(",")
    for line, (frame, one) in zip(rows, people_of(frames), strict=True):
        row = dict(zip(names, line.split(","), strict=True))
        assert (row["frame_number"], row["track_id"]) == (
            str(frame.index), str(one.person.track_id)
        )  # fmt: skip
        metres = [float(row[f"left_knee_{axis}_m"]) for axis in "xyz"]
        np.testing.assert_allclose(metres, one.joints_cam_m[KNEE], rtol=1e-6)
        pixels = [float(row[f"left_knee_{axis}_px"]) for axis in "xy"]
        np.testing.assert_allclose(pixels, CAMERA.project(one.joints_cam_m)[KNEE], rtol=1e-6)


def markers(file: str) -> tuple[dict[str, str], list[str], FloatArray]:
    """A TRC file as the format's description says: its head, names, and rows of numbers."""
    lines = file.split("\n")
    assert lines[0].split("\t")[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    head = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    names = [name for name in lines[3].split("\t")[2:] if name]
    assert lines[4].split("\t")[2:5] == ["X1", "Y1", "Z1"]
    assert lines[5] == lines[-1] == ""
    cells = [[float(cell) for cell in line.split("\t")] for line in lines[6:-1]]
    return head, names, np.array(cells)


def test_a_marker_file_has_the_joints_with_y_up_and_holes_where_nobody_is() -> None:
    frames = two_people()
    head, names, rows = markers(
        b"".join(trc_file(posed(frames), 2, TrcHead("a.trc", 6, FPS))).decode()
    )
    assert head["NumFrames"] == "6" and head["NumMarkers"] == "24" and head["Units"] == "m"
    assert float(head["DataRate"]) == FPS
    assert names == list(SMPL24.joints)
    np.testing.assert_allclose(rows[:, 0], np.arange(1, 7))
    np.testing.assert_allclose(rows[:, 1], np.arange(6) / FPS)
    assert np.isnan(rows[[0, 4, 5], 2:]).all() and np.isfinite(rows[1:4]).all()
    person = posed(frames)[2].person(2)
    assert person is not None
    x, y, z = person.joints_cam_m[KNEE]
    # six decimals
    np.testing.assert_allclose(rows[2, 2 + 3 * KNEE :][:3], [x, -y, -z], atol=1e-6)


def test_an_angle_table_has_the_angles_of_the_answers() -> None:
    frames = two_people()
    lines = b"".join(mot_file(posed(frames), 2, MotHead("a.mot", 6))).decode().splitlines()
    end = lines.index("endheader")
    head = dict(line.split("=") for line in lines[1:end])
    assert head == {"version": "1", "nRows": "6", "nColumns": "10", "inDegrees": "yes"}
    assert lines[end + 1].split("\t") == ["time", *ANGLES]
    rows = np.array([[float(cell) for cell in line.split("\t")] for line in lines[end + 2 :]])
    person = posed(frames)[3].person(2)
    assert person is not None
    wanted = joint_angles_deg(person.joints_m)
    np.testing.assert_allclose(rows[3], [3 / FPS, *wanted.values()], atol=0.006)
    assert np.isnan(rows[5, 1:]).all()


def test_a_span_runs_from_the_first_frame_of_a_track_to_its_last() -> None:
    spans = spans_of(two_people())
    assert spans == {1: TrackSpan(1, 0, 4), 2: TrackSpan(2, 1, 3)}
    assert len(spans[2]) == 3
    with pytest.raises(BadRequestError, match="track: expected one of 1, 2, got 7"):
        span_of(spans, 7)
    with pytest.raises(BadRequestError, match="nobody was found"):
        span_of({}, None)
