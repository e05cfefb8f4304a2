"""What is measured of a clip's tracks: figures with known answers, then whole toy clips."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coloured_people import Nets
from legacy_kit import CAMERA, Stand, person
from makers import clip_file
from toy_engine import ToyBody, picture

from pose_service.core.records import BodyPoses, Observation, Person, Provenance
from pose_service.core.skeletons import SMPL24
from pose_service.pipeline.measures import (
    STANDING_M_S,
    acceleration_m_s2,
    apart_px,
    shape_difference_mm,
    sliding_m_s,
)
from pose_service.pipeline.quality import Passage, TrackMeter, TrackQuality
from pose_service.pipeline.tallies import MOST_RISK_RANGES, RISKY
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip

FPS = 30.0
BODY = ToyBody()


def path_m(x: np.ndarray) -> np.ndarray:
    """(n, 1, 3) of a point that moves along x."""
    return np.stack([x, np.zeros_like(x), np.zeros_like(x)], axis=-1)[:, None]


def test_an_even_movement_has_no_acceleration_however_uneven_the_times() -> None:
    times_s = np.array([0.0, 0.01, 0.5, 0.51, 2.0])
    np.testing.assert_allclose(acceleration_m_s2(path_m(3 * times_s), times_s), 0, atol=1e-9)


def test_a_swing_has_the_acceleration_of_the_book() -> None:
    """0.1 m to and fro once a second: A w^2 at most, 2 / pi of that in the mean."""
    times_s = np.arange(0, 3, 1 / 240)
    swing = path_m(0.1 * np.sin(2 * np.pi * times_s))
    most = 0.1 * (2 * np.pi) ** 2
    found = acceleration_m_s2(swing, times_s)
    assert found.max() == pytest.approx(most, rel=1e-3)
    assert found.mean() == pytest.approx(most * 2 / np.pi, rel=5e-3)


def test_too_few_frames_have_no_acceleration() -> None:
    assert acceleration_m_s2(np.zeros((2, 5, 3)), np.array([0.0, 0.1])).shape == (0, 5)


def feet(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right], axis=1)


def test_the_lower_foot_slides_and_the_upper_one_may_swing() -> None:
    times_s = np.arange(4) / 10
    low = np.stack([0.03 * np.arange(4), np.full(4, 1.0), 0.04 * np.arange(4)], axis=1)
    high = np.stack([0.5 * np.arange(4), np.full(4, 0.8), np.zeros(4)], axis=1)
    slides = sliding_m_s(feet(high, low), times_s)
    assert np.isnan(slides[:, 0]).all()
    np.testing.assert_allclose(slides[:, 1], 0.5)  # 0.3 and 0.4 m/s at right angles


@pytest.mark.parametrize(("rise_m_s", "stands"), [(0.9, True), (1.1, False)])
def test_a_foot_that_goes_up_stands_no_longer(rise_m_s: float, stands: bool) -> None:
    times_s = np.array([0.0, 0.1])
    rising = np.array([[0, 1.0, 0], [0, 1.0 - 0.1 * rise_m_s * STANDING_M_S, 0]])
    other = np.array([[0, 0.5, 0], [0, 0.5, 0]])
    assert np.isfinite(sliding_m_s(feet(rising, other), times_s)[0, 0]) == stands


def test_a_point_counts_as_far_as_it_was_seen() -> None:
    seen = np.zeros((2, 2))
    points = np.array([[3.0, 4.0], [0.0, 10.0]])
    assert apart_px(points, seen, np.array([1.0, 0.0])) == pytest.approx(5.0, abs=1e-4)
    assert apart_px(points, seen, np.array([0.5, 0.5])) == pytest.approx(7.5)


def test_a_shape_differs_by_what_its_joints_are_apart() -> None:
    joints_m = np.array([[[0.0, 0, 0], [0.0, 0.5, 0], [0.0, -0.3, 0]]])
    moved = 1.1 * joints_m + 7
    assert shape_difference_mm(joints_m, moved)[0] == pytest.approx(1000 * (0.05 + 0.03) / 3)


def walker(frame: int, provenance: Provenance = Provenance.OBSERVED) -> Person:
    """Walks along x at 1 m/s; where seen, the frame's own body is a tenth larger."""
    one = person(Stand((frame / FPS, 0.0, 5.0), provenance=provenance))
    if provenance is not Provenance.OBSERVED:
        return one
    raw = replace(one.pose, shapes=np.array([[1.1]]))
    return replace(one, raw_pose=raw)


def walk(count: int, hidden: range = range(0)) -> list[Person]:
    words = [Provenance.INTERPOLATED if i in hidden else Provenance.OBSERVED for i in range(count)]
    return [walker(i, word) for i, word in enumerate(words)]


def sight(one: Person, off_px: float) -> Observation:
    """All 24 joints of `one`, seen `off_px` to the right of where they are."""
    joints_m = BODY.pose(one.pose, vertices=False).joints_m[0] + one.pose.translations_m[0]
    return Observation(
        track_id=1,
        box_xyxy_px=one.box_xyxy_px,
        confidence=0.9,
        roi=np.zeros(4),
        landmarks_px=CAMERA.project(joints_m) + np.array([off_px, 0]),
        landmarks_m=joints_m,
        landmark_confidence=np.ones(len(SMPL24)),
        joint_confidence=np.ones(len(SMPL24)),
    )


def measured(people: list[Person], *, parts: int = 1, off_px: float = 3.0) -> TrackQuality:
    meter = TrackMeter(1, BODY, CAMERA)
    for places in np.array_split(np.arange(len(people)), parts):
        part = [people[place] for place in places]
        sights = {
            int(place): sight(people[place], off_px)
            for place in places
            if people[place].provenance is Provenance.OBSERVED
        }
        meter.add(Passage(int(places[0]), places / FPS, part, sights))
    return meter.report(len(people))


def test_a_walk_that_was_half_seen_is_measured() -> None:
    found = measured(walk(40, hidden=range(10, 30)))
    assert (found.coverage, found.seen, found.longest_gap_s) == (1.0, 0.5, 0.667)
    assert found.provenance == {"observed": 0.5, "predicted": 0.0, "interpolated": 0.5}
    assert found.jitter_m_s2 == found.pelvis_jitter_m_s2 == pytest.approx(0, abs=1e-3)
    # both feet of the stick stand, and it glides over the ground at 1 m/s
    assert (found.foot_contact, found.foot_sliding_m_s) == (1.0, pytest.approx(1.0))
    assert found.reprojection_px == pytest.approx(3.0)
    # of a box 200 px high
    assert found.reprojection_percent == pytest.approx(1.5)


def test_the_drift_of_a_shape_is_that_of_its_joints() -> None:
    poses = BodyPoses(np.tile(np.eye(3), (1, 2, 1, 1)), np.zeros((1, 3)), np.ones((1, 1)))
    joints_m = BODY.pose(poses, vertices=False).joints_m[0]
    wanted_mm = 100 * np.linalg.norm(joints_m - joints_m[0], axis=1).mean()
    assert measured(walk(10)).shape_drift_mm == pytest.approx(wanted_mm, rel=1e-3)


@pytest.mark.parametrize("parts", [2, 3, 7, 40])
def test_passages_are_measured_as_if_they_were_one(parts: int) -> None:
    generator = np.random.default_rng(parts)
    people = [
        replace(one, pose=replace(one.pose, translations_m=place), raw_pose=one.raw_pose)
        for one, place in zip(
            walk(40, hidden=range(8, 17)),
            generator.normal((0, 0, 5), 0.002, (40, 1, 3)),
            strict=True,
        )
    ]
    whole, in_parts = measured(people), measured(people, parts=parts)
    assert whole == in_parts
    assert whole.pelvis_jitter_m_s2 and whole.foot_sliding_m_s


def test_jitter_of_the_raw_bodies_counts_only_frames_in_a_row() -> None:
    """Every third frame unseen leaves no three in a row."""
    words = [Provenance.OBSERVED if i % 3 else Provenance.PREDICTED for i in range(30)]
    people = [walker(i, word) for i, word in enumerate(words)]
    assert measured(people).raw_jitter_m_s2 is None
    assert measured(walk(30)).raw_pelvis_jitter_m_s2 == pytest.approx(0, abs=1e-3)


def test_moments_of_risk_are_ranges_of_frames() -> None:
    risky = {3, 4, 5, 9}
    people = [
        replace(one, identity_risk=RISKY if i in risky else 0.5) for i, one in enumerate(walk(12))
    ]
    found = measured(people, parts=3)
    assert found.risk_ranges == ((3, 5), (9, 9))
    assert found.risk_frames == 4


def test_a_list_of_risks_ends_somewhere() -> None:
    people = [replace(one, identity_risk=1.0 if i % 2 else 0.0) for i, one in enumerate(walk(400))]
    found = measured(people, parts=9)
    assert len(found.risk_ranges) == MOST_RISK_RANGES
    assert found.risk_frames == 200


def test_one_frame_has_a_report() -> None:
    found = measured(walk(1))
    assert (found.coverage, found.jitter_m_s2, found.foot_sliding_m_s) == (1.0, None, None)


def test_a_clip_tells_the_quality_of_each_track(tmp_path: Path) -> None:
    images = [
        picture() if i in range(10, 16) else picture((20 + i, 40, 80 + i, 200)) for i in range(40)
    ]
    clip = clip_file(tmp_path / "a.mp4", images)
    clip_run = process_clip(clip, Nets(), ClipOptions(), tmp_path, ClipWatch())
    assert len(list(clip_run.frames)) == 40
    (found,) = clip_run.quality()
    assert (found.track_id, found.coverage, found.seen) == (1, 1.0, 0.85)
    assert found.longest_gap_s == 0.2
    # the toy's landmarks are two corners: no set of joints has two
    assert found.reprojection_px is None
    assert found.shape_drift_mm == 0.0
