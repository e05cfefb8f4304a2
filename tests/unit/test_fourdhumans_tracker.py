"""PHALP behind the seam: who keeps an id, how sure that is, and what serves without its files."""

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from official_files import write_files
from tiny_fourdhumans import ENGINE, settings

from pose_service.bodies.smpl import SmplBody
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.errors import EngineError
from pose_service.core.masks import Mask
from pose_service.core.records import NEW_TRACK, BodyPoses, Camera, Observation, Regions
from pose_service.engines.seam import Engine
from pose_service.fourdhumans.foretelling import Foretelling
from pose_service.fourdhumans.shots import ShotCuts
from pose_service.fourdhumans.sightings import identity_risks
from pose_service.fourdhumans.tracker import BodyTracker
from pose_service.hmr2.cameras import picture_camera
from pose_service.phalp.files import APPEARANCE, BMAP, FMAP, MEAN_STD, POSE_PREDICTOR, POSE_SETTINGS
from pose_service.phalp.matching import assign
from pose_service.phalp.parts import PosePredictor, newest_poses
from pose_service.phalp.records import BoolArray
from pose_service.phalp.track.frames import TrackedFrame
from pose_service.tracking.boxes import BoxTracker

FPS = 30.0
WIDTH_PX, HEIGHT_PX = 640, 360
CAMERA = picture_camera(WIDTH_PX, HEIGHT_PX)
# of the body's origin: a person is then about 200 px high
DEPTH_M = 110.0
RED, BLUE = (200, 20, 20), (20, 20, 200)
UPRIGHT = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def engine(data_dir: Path) -> Engine:
    return ENGINE.build(settings(data_dir))


@pytest.fixture(scope="module")
def body(engine: Engine) -> SmplBody:
    assert isinstance(engine.body, SmplBody)
    return engine.body


def standing(body: SmplBody, x_px: float, *, depth_m: float = DEPTH_M) -> Observation:
    """A person seen upright with the body's origin at `x_px` in the middle of the height."""
    rotations = np.tile(np.eye(3), (1, 24, 1, 1))
    rotations[:, 0] = UPRIGHT
    place_m = np.array([[(x_px - WIDTH_PX / 2) * depth_m / CAMERA.focal_px, 0.0, depth_m]])
    pose = BodyPoses(rotations, place_m, np.zeros((1, 10)))
    joints_m = body.pose(pose, vertices=False).joints_m
    points_px = CAMERA.project(joints_m + place_m[:, None])[0]
    low, high = points_px.min(axis=0) - 10, points_px.max(axis=0) + 10
    return Observation(
        track_id=NEW_TRACK,
        box_xyxy_px=np.concatenate([low, high]),
        confidence=0.9,
        roi=np.array([*(low + high) / 2, (high - low).max(), 0.0]),
        landmarks_px=points_px,
        landmarks_m=joints_m[0],
        landmark_confidence=np.full(24, 0.9),
        joint_confidence=np.full(24, 0.9),
        pose=pose,
    )


def masked(seen: Observation) -> Observation:
    """With a mask as large as the box."""
    x1, y1, x2, y2 = np.rint(np.clip(seen.box_xyxy_px, 0, None)).astype(int)
    pixels = np.zeros((HEIGHT_PX, WIDTH_PX), bool)
    pixels[y1:y2, x1:x2] = True
    return replace(seen, mask=Mask.of(pixels))


def scene(*people: tuple[Observation, tuple[int, int, int]]) -> ImageArray:
    """Grey, with the trunk of each of `people`, who stretch out their arms, in a colour."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)
    for seen, colour in people:
        x, y = np.rint(seen.roi[:2]).astype(int)
        image[max(y - 90, 0) : y + 90, max(x - 28, 0) : x + 28] = colour
    return image


def ids(observations: Sequence[Observation]) -> list[int]:
    return [seen.track_id for seen in observations]


def blind(body: SmplBody, **changed: object) -> BodyTracker:
    """A tracker without nets."""
    return BodyTracker(body, None, FPS, settings(Path(), **changed))


GREY = scene()


# Who keeps an id


def test_people_have_an_id_from_their_first_frame_and_keep_it(body: SmplBody) -> None:
    tracker = blind(body)
    for frame in range(8):
        people = [standing(body, 150 + 4 * frame), standing(body, 500 - 4 * frame)]
        # the order in which they are found says nothing
        found = people if frame % 2 else people[::-1]
        by_place = sorted(tracker.update(frame, GREY, found), key=lambda one: one.roi[0])
        assert ids(by_place) == [2, 1]
    assert tracker.update(8, GREY, []) == []


def test_a_person_who_was_hidden_for_20_frames_keeps_the_id(body: SmplBody) -> None:
    tracker = blind(body)
    for frame in range(8):
        (seen,) = tracker.update(frame, GREY, [standing(body, 200)])
    for frame in range(8, 28):
        assert tracker.update(frame, GREY, []) == []
    (again,) = tracker.update(28, GREY, [standing(body, 205)])
    assert again.track_id == seen.track_id


def test_frames_of_a_session_may_come_in_any_order(body: SmplBody) -> None:
    tracker = blind(body)
    for frame in (0, 2, 1, 5, 4, 3, 6):
        (seen,) = tracker.update(frame, GREY, [standing(body, 200 + 3 * frame)])
        assert seen.track_id == 1


def test_one_body_seen_twice_is_one_person(body: SmplBody) -> None:
    tracker = blind(body)
    twice = [standing(body, 200), replace(standing(body, 201), confidence=0.7)]
    for frame in range(4):
        (seen,) = tracker.update(frame, GREY, twice)
        assert (seen.track_id, seen.confidence) == (1, 0.9)


class Colours:
    """Stands in for `PhalpNets`: a look is the colour in the middle, whose distance decides."""

    def __init__(self) -> None:
        self.textures = self.looks = self.predict_poses = self

    def in_compat(self, compat: str) -> PosePredictor:
        return newest_poses

    def of(self, image: ImageArray, people: Sequence[Observation]) -> list[FloatArray | None]:
        places = [np.rint(seen.roi[1::-1]).astype(int) for seen in people]
        colours = [image[row, column] / 255 for row, column in places]
        return [colour if seen.mask else None for seen, colour in zip(people, colours, strict=True)]

    def costs(
        self, tracks: Sequence[FloatArray], detections: Sequence[FloatArray], possible: BoolArray
    ) -> FloatArray:
        apart = np.stack([*tracks])[:, None] - np.stack([*detections])
        return 100 * np.asarray((apart**2).sum(axis=2))

    def mixed(
        self, kept: Sequence[FloatArray], seen: Sequence[FloatArray], scores: FloatArray
    ) -> list[FloatArray]:
        return list(kept)


def test_looks_tell_apart_two_who_change_places(body: SmplBody) -> None:
    left, right = masked(standing(body, 250)), masked(standing(body, 310))
    tracker = BodyTracker(body, Colours(), FPS, settings(Path()))  # type: ignore[arg-type]
    for frame in range(8):
        before = tracker.update(frame, scene((left, RED), (right, BLUE)), [left, right])
    after = tracker.update(8, scene((left, BLUE), (right, RED)), [left, right])
    assert (ids(before), ids(after)) == ([1, 2], [2, 1])
    # by place alone nobody has moved
    unmasked = [replace(seen, mask=None) for seen in (left, right)]
    assert ids(tracker.update(9, scene((left, RED), (right, BLUE)), unmasked)) == [2, 1]


def test_people_without_a_mask_are_followed_by_place_and_pose(
    engine: Engine, body: SmplBody
) -> None:
    tracker = engine.new_tracker(FPS)
    for frame in range(3):
        people = [standing(body, 200 + frame), masked(standing(body, 420))]
        assert ids(tracker.update(frame, scene((people[1], RED)), people)) == [1, 2]
        # and no look is made up for them
        assert len(tracker._tracker._looks) == 1  # type: ignore[attr-defined]


# How sure it is


def frame_of(cost: list[list[float]]) -> TrackedFrame:
    costs = np.array(cost)
    return TrackedFrame(0, (), (), costs, assign(costs, 100.0))


@pytest.mark.parametrize(
    ("cost", "risks"),
    [
        ([[2.0, 50.0], [40.0, 4.0]], [0.05, 0.08]),
        # nobody else within the gate
        ([[2.0, 500.0], [np.inf, 4.0]], [0.0, 0.0]),
        # the second begins a track
        ([[2.0, 200.0]], [0.0, 0.0]),
        # one had to give way to the other's sake
        ([[10.0, 12.0], [11.0, 90.0]], [1.0, 12 / 90]),
    ],
)
def test_the_risk_is_the_own_cost_by_the_least_of_another_track(
    cost: list[list[float]], risks: list[float]
) -> None:
    np.testing.assert_allclose(identity_risks(frame_of(cost)), risks)


def test_risk_grows_as_two_come_together(body: SmplBody) -> None:
    tracker = blind(body)
    risks = []
    for frame in range(12):
        pair = [standing(body, 300 - 8 * (12 - frame)), standing(body, 310 + 8 * (12 - frame))]
        risks.append(max(one.identity_risk for one in tracker.update(frame, GREY, pair)))
    assert risks[-1] > max(risks[1:6])
    assert all(0 <= risk <= 1 for risk in risks)


def test_colours_are_those_of_the_torso(body: SmplBody) -> None:
    people = [standing(body, 150), standing(body, 450), standing(body, 300)]
    image = scene(*zip(people, (RED, BLUE, RED), strict=True))
    looks = [one.appearance for one in blind(body).update(0, image, people)]
    red, blue, red_too = (look for look in looks if look is not None)
    assert red.sum() == pytest.approx(1)
    np.testing.assert_array_equal(red, red_too)
    assert np.minimum(red, blue).sum() < 0.1


def test_colours_reach_from_the_shoulders_to_the_hips(body: SmplBody) -> None:
    person = standing(body, 300)
    shoulders, hips = person.landmarks_px[[16, 17, 1, 2], 1].reshape(2, 2).mean(axis=1)
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), RED, np.uint8)
    image[int((shoulders + hips) / 2) :] = BLUE
    (seen,) = blind(body).update(0, image, [person])
    assert seen.appearance is not None
    # of 16 rows one may be on the other side
    np.testing.assert_allclose(np.sort(seen.appearance)[-2:], [0.5, 0.5], atol=1 / 16)


# As upstream


def test_small_people_are_followed_unless_upstreams_ways_are_wanted(body: SmplBody) -> None:
    small = standing(body, 200, depth_m=4 * DEPTH_M)
    assert small.box_xyxy_px[3] - small.box_xyxy_px[1] < 100
    people = [standing(body, 450), small]
    assert ids(blind(body).update(0, GREY, people)) == [1, 2]
    assert ids(blind(body, phalp="upstream").update(0, GREY, people)) == [1]
    assert blind(body, phalp="upstream").update(0, GREY, []) == []


def test_cuts_are_looked_for_unless_upstreams_ways_are_wanted(
    body: SmplBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(ShotCuts, "begins", lambda self, index, image: bool(asked.append(index)))
    for phalp, looked in (("fixed", [0, 1]), ("upstream", [])):
        asked.clear()
        tracker = blind(body, phalp=phalp)
        for frame in range(2):
            tracker.update(frame, GREY, [standing(body, 200)])
        assert asked == looked


def test_the_pose_predictor_is_read_as_the_setting_says(data_dir: Path, engine: Engine) -> None:
    odd = ENGINE.build(settings(data_dir, phalp="upstream"))
    for made, compat in ((engine, "fixed"), (odd, "upstream")):
        tracker = made.new_tracker(FPS)
        assert tracker._tracker._predict_poses.predictor.compat == compat  # type: ignore[attr-defined]
        assert tracker._tracker._compat == compat  # type: ignore[attr-defined]
        # foretelling asks for several moments of one person, each for itself
        assert isinstance(made.foretell, Foretelling)
        assert made.foretell.predict_poses.predictor.compat == "fixed"  # type: ignore[attr-defined]


# A detector that looks at every k-th frame


def test_between_detections_each_tracks_own_box_is_looked_at(body: SmplBody) -> None:
    tracker = blind(body, detect_every=3)
    assert tracker.lookahead == 1
    detected = []
    for frame in range(9):
        person = standing(body, 200 + 5 * frame)
        if wanted := tracker.wants_detection(frame):
            detected.append(frame)
        found = Regions.of_boxes(person.box_xyxy_px[None]) if wanted else Regions.empty()
        found = replace(found, track_ids=np.full(len(found), NEW_TRACK))
        regions = tracker.regions(frame, found)
        assert regions.track_ids.tolist() == [NEW_TRACK if wanted else 1]
        (seen,) = tracker.update(frame, GREY, [replace(person, track_id=regions.track_ids[0])])
        assert seen.track_id == 1
        # carried boxes go with landmarks, which are float32
        np.testing.assert_allclose(seen.box_xyxy_px, person.box_xyxy_px, atol=1e-4)
    assert detected == [0, 3, 6]


def test_a_look_at_a_tracks_own_box_begins_no_track(body: SmplBody) -> None:
    tracker = blind(body, detect_every=3)
    tracker.update(0, GREY, [standing(body, 100)])
    # the person has left, and the net sees somebody far off in what the box shows
    elsewhere = replace(standing(body, 560), track_id=1)
    assert tracker.update(1, GREY, [elsewhere]) == []


def test_every_frame_detected_lets_several_be_looked_at_together(engine: Engine) -> None:
    tracker = engine.new_tracker(FPS)
    assert tracker.lookahead == 8
    assert all(tracker.wants_detection(frame) for frame in range(3))


# Without the files


@pytest.mark.parametrize(
    "name", [APPEARANCE.name, POSE_PREDICTOR.name, MEAN_STD.name, BMAP.name, FMAP.name]
)
def test_without_one_of_phalps_files_it_serves_by_place_and_pose_and_says_so(
    data_dir: Path, tmp_path: Path, name: str
) -> None:
    there = shutil.copytree(data_dir, tmp_path / "data", copy_function=shutil.os.link)
    (there / APPEARANCE.folder / name).unlink()
    chance = ENGINE.probe(settings(there))
    assert chance.available
    assert "told apart by place and pose alone" in chance.reason
    assert f"{name} is missing" in chance.reason
    assert "fetch-weights 4dhumans" in chance.reason


def test_an_engine_without_phalps_files_has_a_tracker_without_nets(
    data_dir: Path, tmp_path: Path, body: SmplBody, caplog: pytest.LogCaptureFixture
) -> None:
    there = shutil.copytree(data_dir, tmp_path / "data", copy_function=shutil.os.link)
    (there / APPEARANCE.folder / APPEARANCE.name).unlink()
    with caplog.at_level(logging.WARNING):
        engine = ENGINE.build(settings(there))
    assert "told apart by place and pose alone" in caplog.text
    assert f"{APPEARANCE.name} is missing" in caplog.text
    assert "phalp" not in engine.models
    assert engine.live is engine.temporal
    tracker = engine.new_tracker(FPS)
    for frame in range(3):
        people = [masked(standing(body, 200)), standing(body, 420)]
        assert ids(tracker.update(frame, GREY, people)) == [1, 2]


def test_without_its_settings_the_pose_predictor_is_read_from_its_tensors(
    data_dir: Path, tmp_path: Path
) -> None:
    there = shutil.copytree(data_dir, tmp_path / "data", copy_function=shutil.os.link)
    (there / APPEARANCE.folder / POSE_SETTINGS.name).unlink()
    assert "PHALP tells people apart by look" in ENGINE.probe(settings(there)).reason
    assert ENGINE.build(settings(there)).models["phalp"] == "loaded"


def test_a_file_of_phalps_that_is_damaged_is_named_with_what_to_do(
    data_dir: Path, tmp_path: Path
) -> None:
    there = shutil.copytree(data_dir, tmp_path / "data")
    np.save(there / APPEARANCE.folder / FMAP.name, np.full((256, 256), 20000))
    with pytest.raises(EngineError, match="names face 20000") as caught:
        ENGINE.build(settings(there))
    assert "Delete it or move it away." in caught.value.hint
    assert "fetch-weights 4dhumans" in caught.value.hint
    assert "POSE_PHALP=off" in caught.value.hint


def test_off_is_the_tracker_of_boxes_and_opens_no_file_of_phalps(
    data_dir: Path, tmp_path: Path
) -> None:
    there = shutil.copytree(data_dir, tmp_path / "data")
    (there / APPEARANCE.folder / APPEARANCE.name).write_bytes(b"PK damaged")
    off = settings(there, phalp="off")
    assert "POSE_PHALP=off" in ENGINE.probe(off).reason
    engine = ENGINE.build(off)
    assert isinstance(engine.new_tracker(FPS), BoxTracker)
    assert "phalp" not in engine.models


def test_camera_of_these_tests_is_the_engines(engine: Engine) -> None:
    assert engine.camera(WIDTH_PX, HEIGHT_PX) == Camera(12500.0, WIDTH_PX, HEIGHT_PX)
