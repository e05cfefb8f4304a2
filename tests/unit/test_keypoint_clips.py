"""Clips to keypoints: by 2D nets and by the engine, on disk, and as curves that are measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coloured_people import Nets
from keypoints_kit import MODEL, ToyPeople, person, points_in, run_of, toy_nets
from makers import clip_file
from toy_engine import CONFIDENCE, ToyBody, picture, toy_engine

from pose_service.biomechanics.events import AngleLimit
from pose_service.core.errors import BadVideoError, NotFoundError
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import (
    BodyPoses,
    Camera,
    Person,
    PosedBodies,
    Provenance,
    TrackedFrame,
)
from pose_service.core.skeletons import BLAZEPOSE33, COCO17, COCO17_FROM_BLAZEPOSE33, HMR44
from pose_service.media.part import ClipPart
from pose_service.pipeline.keypoint_bodies import keypoint_frames, model_of
from pose_service.pipeline.keypoint_clip import MeasuredClip
from pose_service.pipeline.keypoint_compare import compare_tracks, primary_curves
from pose_service.pipeline.keypoint_nets import keypoints_by_nets
from pose_service.pipeline.keypoint_results import StoredKeypoints, write_keypoints
from pose_service.pipeline.keypoint_run import KeypointJob, KeypointMaker
from pose_service.pipeline.keypoint_wish import Angles, KeypointWish
from pose_service.pipeline.video import ClipOptions, ClipStoppedError, ClipWatch, process_clip
from pose_service.pose2d.seam import NotChosen

BLUR_PX = 3.0
"""What a codec does to the edges of a box."""

BOX = np.array([60.0, 40.0, 120.0, 220.0])
RAW = KeypointWish(cutoff_hz=None)


def walk(index: int) -> tuple[int, int, int, int]:
    return (60 + 2 * index, 40, 120 + 2 * index, 220)


def by_nets(clip: Path, folder: Path, options: ClipOptions | None = None) -> StoredKeypoints:
    run = keypoints_by_nets(clip, toy_nets(), options or ClipOptions(), folder, ClipWatch())
    write_keypoints(folder, run)
    return StoredKeypoints.open(folder)


def stored(folder: Path, *people: list[KeypointPerson]) -> StoredKeypoints:
    write_keypoints(folder, run_of(people))
    return StoredKeypoints.open(folder)


def test_a_person_keeps_the_id_through_five_missed_frames_which_stay_empty(tmp_path: Path) -> None:
    missed = range(10, 15)
    images = [picture() if i in missed else picture(walk(i)) for i in range(30)]
    clip = by_nets(clip_file(tmp_path / "a.mp4", images), tmp_path)
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(30))
    assert [len(frame.people) for frame in frames] == [0 if i in missed else 1 for i in range(30)]
    assert {one.track_id for frame in frames for one in frame.people} == {clip.head.primary_id}
    for frame in frames:
        for one in frame.people:
            off = np.abs(one.points_px - points_in(np.array(walk(frame.index), float)))
            assert off.max() < BLUR_PX
            assert one.provenance is Provenance.OBSERVED
            assert one.points_cam_m is None


def test_the_larger_of_two_people_is_the_primary_and_comes_first(tmp_path: Path) -> None:
    images = [picture((10, 100, 40, 190), (160 + i, 20, 220 + i, 200)) for i in range(12)]
    clip = by_nets(clip_file(tmp_path / "a.mp4", images), tmp_path)
    for frame in clip.frames():
        first, second = frame.people
        assert first.track_id == clip.head.primary_id
        assert first.box_xyxy_px[0] > second.box_xyxy_px[0]


def test_nobody_is_asked_of_the_net_where_the_detector_sees_nobody(tmp_path: Path) -> None:
    people = ToyPeople()
    source = clip_file(tmp_path / "a.mp4", [picture()] * 3)
    run = keypoints_by_nets(source, toy_nets(people), ClipOptions(), tmp_path, ClipWatch())
    assert [frame.people for frame in run.frames] == [(), (), ()]
    assert (run.primary_id, people.asked) == (None, [])


def test_a_part_of_a_clip_is_looked_at_alone(tmp_path: Path) -> None:
    source = clip_file(tmp_path / "a.mp4", [picture(walk(i)) for i in range(30)])
    part = ClipOptions(max_frames=4, part=ClipPart(0.5, None, 2))
    clip = by_nets(source, tmp_path, part)
    times_s = [frame.time_s for frame in clip.frames()]
    assert times_s == pytest.approx([0.5, 0.5667, 0.6333, 0.7], abs=1e-3)
    assert (clip.head.info.first_frame, clip.head.info.every) == (15, 2)


def test_a_clip_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    source = clip_file(tmp_path / "a.mp4", [picture(walk(i)) for i in range(9)])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    told: list[int] = []
    watch = ClipWatch(lambda stage, done, total: told.append(done), lambda: len(told) > 4)
    with pytest.raises(ClipStoppedError):
        keypoints_by_nets(source, toy_nets(), ClipOptions(), scratch, watch)
    assert not [*scratch.iterdir()]


def test_what_is_no_clip_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("text")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(BadVideoError):
        keypoints_by_nets(tmp_path / "a.mp4", toy_nets(), ClipOptions(), scratch, ClipWatch())
    assert not [*scratch.iterdir()]


@pytest.mark.parametrize(
    ("angles", "is_there", "name", "fallback"),
    [
        (Angles.AUTO, True, "ToyNet", ""),
        (Angles.PICTURE, True, "ToyNet", ""),
        (Angles.SPACE, True, "toy", ""),
        (Angles.AUTO, False, "toy", "no file"),
        (Angles.PICTURE, False, "toy", "no file"),
    ],
)
def test_the_nets_see_the_clip_unless_there_are_none_or_angles_in_space_are_wanted(
    tmp_path: Path, angles: Angles, is_there: bool, name: str, fallback: str
) -> None:
    source = clip_file(tmp_path / "a.mp4", [picture(walk(i)) for i in range(10)])
    nets = toy_nets() if is_there else NotChosen("no file", "Get one.")
    job = KeypointJob(source, angles, tmp_path)
    run = KeypointMaker(Nets(), nets).run(job, ClipOptions(), ClipWatch())
    write_keypoints(tmp_path, run)
    clip = StoredKeypoints.open(tmp_path)
    assert (clip.head.model.name, clip.head.model.fallback) == (name, fallback)
    has_bodies = [one.points_cam_m is not None for frame in clip.frames() for one in frame.people]
    assert has_bodies == [name == "toy"] * 10


def test_landmarks_are_kept_only_where_they_are_asked_for_and_somebody_was_seen(
    tmp_path: Path,
) -> None:
    images = [picture() if i in (4, 5) else picture(walk(i)) for i in range(10)]
    source = clip_file(tmp_path / "a.mp4", images)
    for wanted in (False, True):
        options = ClipOptions(keypoints=wanted)
        frames = process_clip(source, Nets(), options, tmp_path, ClipWatch()).frames
        people = [frame.people[0] for frame in frames]
        seen = [i not in (4, 5) for i in range(10)]
        assert [one.landmarks_px is not None for one in people] == [wanted and it for it in seen]
        assert [one.raw_pose is not None for one in people] == [not wanted and it for it in seen]


def body_person(landmarks_px: np.ndarray | None) -> Person:
    """The toy's upright body, 4 m away."""
    pose = BodyPoses(np.tile(np.eye(3), (1, 2, 1, 1)), np.array([[0.5, 0.1, 4.0]]), np.ones((1, 1)))
    sure = None if landmarks_px is None else np.linspace(0.1, 0.9, len(landmarks_px))
    box = np.array([10.0, 10.0, 60.0, 200.0])
    seen = (landmarks_px, sure)
    whole = Person(3, Provenance.OBSERVED, 1.0, 0.7, box, np.full(24, 0.6), pose)
    return replace(whole, landmarks_px=seen[0], landmark_confidence=seen[1])


CAMERA = Camera(400.0, 320, 240)


def only_frame(one: Person) -> KeypointFrame:
    (frame,) = keypoint_frames([TrackedFrame(7, 0.5, CAMERA, (one,), 1.0)], ToyBody())
    return frame


def test_points_that_the_engine_sees_are_the_keypoints() -> None:
    landmarks_px = np.random.default_rng(0).uniform(0, 200, (len(BLAZEPOSE33), 2))
    (seen,) = only_frame(body_person(landmarks_px)).people
    places = list(COCO17_FROM_BLAZEPOSE33)
    np.testing.assert_array_equal(seen.points_px, landmarks_px[places])
    np.testing.assert_allclose(seen.point_confidence, np.linspace(0.1, 0.9, 33)[places])


@pytest.mark.parametrize("landmarks_px", [None, np.zeros((24, 2))])
def test_else_they_are_the_bodys_projected(landmarks_px: np.ndarray | None) -> None:
    """By the pinhole formula: u = f x / z + width / 2."""
    frame = only_frame(body_person(landmarks_px))
    (seen,) = frame.people
    assert (frame.index, frame.time_s, seen.track_id) == (7, 0.5, 3)
    assert seen.points_cam_m is not None
    x, y, z = seen.points_cam_m.T
    np.testing.assert_allclose(seen.points_px[:, 0], 400 * x / z + 160)
    np.testing.assert_allclose(seen.points_px[:, 1], 400 * y / z + 120)
    np.testing.assert_allclose(seen.point_confidence, 0.6)
    hip = seen.points_cam_m[COCO17.index("left_hip")]
    np.testing.assert_allclose(hip, [0.5 + 0.1, 0.1 + 0.05, 4.0])


class OtherSets(ToyBody):
    """The toy with further joint sets in place of COCO's 17; points tell their place in the set."""

    def __init__(self, **sets: int) -> None:
        super().__init__()
        self._sets = sets

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        posed = super().pose(poses, vertices=vertices)
        places = {
            name: np.tile(np.arange(count)[:, None], (len(poses), 1, 3)) / 100.0
            for name, count in self._sets.items()
        }
        return replace(posed, joint_sets_m=places)


def test_the_17_are_taken_out_of_a_larger_set_by_name_else_out_of_smpls_joints() -> None:
    """HMR 2.0's 44 have all of them; SMPL's 24 have a head in place of a face."""
    one = body_person(None)
    shift = one.pose.translations_m[0]
    frame = TrackedFrame(0, 0.0, CAMERA, (one,), 1.0)
    (large,) = keypoint_frames([frame], OtherSets(hmr44=len(HMR44)))
    (plain,) = keypoint_frames([frame], OtherSets())
    of_large, of_plain = (found.people[0].points_cam_m for found in (large, plain))
    assert of_large is not None
    assert of_plain is not None
    places = np.array([HMR44.index(joint) for joint in COCO17.joints]) / 100
    np.testing.assert_allclose(of_large - shift, np.tile(places[:, None], (1, 3)))
    head, nose = np.array([0.0, -0.7, 0.0]), COCO17.index("nose")
    np.testing.assert_allclose(of_plain[nose] - shift, head, atol=1e-9)


def test_a_body_that_reaches_behind_the_camera_has_points_that_are_sure_of_nothing() -> None:
    one = body_person(None)
    near = BodyPoses(one.pose.rotations, np.array([[0.0, 0.0, 0.01]]), one.pose.shapes)
    (seen,) = only_frame(replace(one, pose=near)).people
    assert seen.points_cam_m is not None
    behind = seen.points_cam_m[:, 2] <= 0
    assert behind.any()
    assert np.isfinite(seen.points_px).all()
    assert not seen.point_confidence[behind].any()


def test_an_engine_is_named_with_the_reason_why_it_was_taken() -> None:
    model = model_of(replace(toy_engine(), name="embedded", setup="cpu/fp16/off"), "no file")
    assert (model.name, model.version, model.precision) == ("BlazePose", "toy/1", "fp16")
    assert (model.axes, model.fallback) == (3, "no file")


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    points = points_in(BOX) + 0.123456
    metres = np.random.default_rng(1).normal(size=(17, 3))
    one = person(points, track_id=4, points_cam_m=metres, provenance=Provenance.PREDICTED)
    clip = stored(tmp_path, [one], [])
    first, second = clip.frames()
    (back,) = first.people
    assert (back.track_id, back.provenance, second.people) == (4, Provenance.PREDICTED, ())
    assert back.points_cam_m is not None
    np.testing.assert_allclose(back.points_px, points, atol=0.005)
    np.testing.assert_allclose(back.points_cam_m, metres, atol=5e-5)
    assert (clip.head.model, clip.head.info.frame_count) == (MODEL, 2)
    assert [frame.index for frame in clip.frames(1, 2)] == [1]


def test_a_folder_without_a_head_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        StoredKeypoints.open(tmp_path)


def test_a_wish_comes_back_from_the_jobs_record() -> None:
    table = (AngleLimit("deep", "left_knee", 70.0, None, 0.2),)
    wish = KeypointWish(True, False, 0.5, Angles.SPACE, None, table, "other")
    assert KeypointWish.from_json(wish.to_json()) == wish


def test_angles_in_the_picture_are_those_of_the_points(tmp_path: Path) -> None:
    """Arms out and forearms down; the trunk leans to neither side."""
    clip = MeasuredClip.of(stored(tmp_path, *[[person(points_in(BOX))]] * 9), RAW)
    assert clip.primary is not None
    for side in ("left", "right"):
        np.testing.assert_allclose(clip.primary.movement.angle_deg(f"{side}_elbow"), 90)
        np.testing.assert_allclose(clip.primary.movement.angle_deg(f"{side}_shoulder"), 90)
    np.testing.assert_allclose(clip.primary.movement.alignment.spine_angle_deg, 0, atol=1e-6)


def test_what_was_filled_is_shown_but_not_measured(tmp_path: Path) -> None:
    seen = [person(points_in(BOX))]
    filled = [person(points_in(BOX) + 50, provenance=Provenance.INTERPOLATED, confidence=0.6)]
    clip = MeasuredClip.of(stored(tmp_path, seen, seen, filled, seen), RAW)
    assert clip.primary is not None
    known = np.isfinite(clip.primary.movement.angle_deg("left_knee"))
    assert known.tolist() == [True, True, False, True]
    (shown,) = [*clip.frames()][2].people
    np.testing.assert_allclose(shown.points_px, points_in(BOX) + 50)


def test_unsure_points_stay_where_they_were_seen_and_the_others_are_smoothed(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(2)
    noisy = [points_in(BOX) + rng.normal(0, 3, (17, 2)) for _ in range(40)]
    sure = np.full(17, 0.8)
    wrist = COCO17.index("left_wrist")
    sure[wrist] = 0.2
    people = [[replace(person(points), point_confidence=sure)] for points in noisy]
    clip = MeasuredClip.of(stored(tmp_path, *people), KeypointWish())
    shown = np.stack([frame.people[0].points_px for frame in clip.frames()])
    off = np.abs(shown - np.stack(noisy)).max(axis=(0, 2))
    assert off[wrist] < 0.01, "as stored, to a hundredth of a pixel"
    assert (np.delete(off, wrist) > 1).all()
    jitter, raw_jitter = (np.diff(one[:, :5], axis=0).std() for one in (shown, np.stack(noisy)))
    assert jitter < 0.5 * raw_jitter


def test_half_the_joints_hidden_leaves_what_does_not_need_them(tmp_path: Path) -> None:
    """The right side is behind the left one, as seen from the side."""
    sure = np.array([0.1 if joint.startswith("right") else 0.8 for joint in COCO17.joints])
    one = replace(person(points_in(BOX)), point_confidence=sure)
    clip = MeasuredClip.of(stored(tmp_path, *[[one]] * 6), RAW)
    measures = clip.measures[1][3]
    known = {name for name, angle in measures.joint_angles_deg.items() if angle is not None}
    # hips and shoulders are measured to the trunk, which needs both sides
    assert known == {"left_elbow", "left_knee"}
    assert measures.movement_analysis["pose_quality"] == pytest.approx(100 * 0.8 / 2)
    assert measures.movement_analysis["symmetry_index"] is None
    assert measures.movement_analysis["stability_score"] is None
    assert measures.centre_of_mass is None
    assert measures.body_alignment["spine_angle_deg"] is None


def test_a_track_that_begins_late_has_rows_for_the_whole_clip(tmp_path: Path) -> None:
    first = person(points_in(BOX))
    late = person(points_in(BOX + 100), track_id=2)
    clip = MeasuredClip.of(stored(tmp_path, *[[first]] * 5, *[[first, late]] * 6, [first]), RAW)
    own, whole = clip.tracks[2].movement, clip.movement(2)
    assert (len(own), len(whole)) == (6, 12)
    np.testing.assert_allclose(whole.times_s, np.arange(12) / 30)
    np.testing.assert_array_equal(whole.angles_deg[5:11], own.angles_deg)
    assert np.isnan(np.delete(whole.angles_deg, range(5, 11), axis=0)).all()
    assert whole.scores.pose_quality.tolist() == [0] * 5 + own.scores.pose_quality.tolist() + [0]
    assert clip.measures[2][4].joint_angles_deg["left_knee"] is None
    assert clip.measures[2][5] == own.frame(0)
    assert clip.measures[2][-1] == own.frame(5)


@pytest.mark.parametrize(
    ("angles", "axes"), [(Angles.AUTO, 3), (Angles.SPACE, 3), (Angles.PICTURE, 2)]
)
def test_angles_are_in_space_where_there_are_bodies_unless_told_otherwise(
    tmp_path: Path, angles: Angles, axes: int
) -> None:
    """In the picture the elbow is at a right angle; in space the arm is straight, towards us."""
    metres = np.column_stack([points_in(BOX) / 100, np.full(17, 3.0)])
    for joint in ("left_elbow", "left_wrist"):
        metres[COCO17.index(joint)] = metres[COCO17.index("left_shoulder")]
    metres[COCO17.index("left_elbow"), 2] -= 0.3
    metres[COCO17.index("left_wrist"), 2] -= 0.6
    clip = stored(tmp_path, *[[person(points_in(BOX), points_cam_m=metres)]] * 4)
    measured = MeasuredClip.of(clip, replace(RAW, angles=angles))
    assert measured.axes == axes
    assert measured.primary is not None
    expected = 180 if axes == 3 else 90
    np.testing.assert_allclose(measured.primary.movement.angle_deg("left_elbow"), expected)


def test_clips_in_space_and_in_the_picture_are_compared_in_the_picture(tmp_path: Path) -> None:
    metres = np.column_stack([points_in(BOX) / 100, np.full(17, 3.0)])
    (tmp_path / "flat").mkdir()
    deep = stored(tmp_path, *[[person(points_in(BOX), points_cam_m=metres)]] * 5)
    flat = stored(tmp_path / "flat", *[[person(points_in(BOX))]] * 7)
    own, other = MeasuredClip.of(deep, RAW), primary_curves(flat)
    assert own.primary is not None
    assert other is not None
    comparison, note = compare_tracks(own.primary, other, RAW)
    assert comparison is not None
    assert comparison.distance_deg == pytest.approx(0, abs=1e-6)
    assert note.startswith("compared in the picture")


def test_clips_without_a_common_angle_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    seen = MeasuredClip.of(stored(tmp_path, *[[person(points_in(BOX))]] * 5), RAW)
    hidden = stored(tmp_path / "hidden", *[[person(points_in(BOX), confidence=0.1)]] * 5)
    other = primary_curves(hidden)
    assert seen.primary is not None
    assert other is not None
    comparison, note = compare_tracks(seen.primary, other, RAW)
    assert comparison is None
    assert note.startswith("not compared")


def test_the_toy_is_as_sure_of_its_keypoints_as_of_its_joints(tmp_path: Path) -> None:
    source = clip_file(tmp_path / "a.mp4", [picture(walk(i)) for i in range(8)])
    run = KeypointMaker(Nets(), NotChosen("", "")).run(
        KeypointJob(source, Angles.AUTO, tmp_path), ClipOptions(), ClipWatch()
    )
    for frame in run.frames:
        np.testing.assert_allclose(frame.people[0].point_confidence, CONFIDENCE)
