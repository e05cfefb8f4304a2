"""The log of observations, and the choice of a clip's tracks."""

from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pose_service.core.records import BodyPoses, Observation
from pose_service.pipeline.observation_log import ObservationLog, TrackIndex
from pose_service.pipeline.tracks import choose_tracks

FPS = 30.0


def observation(track_id: int, number: float, side_px: float = 10.0) -> Observation:
    return Observation(
        track_id=track_id,
        box_xyxy_px=np.array([0.0, 0.0, side_px, side_px]),
        confidence=0.5,
        roi=np.full(4, number),
        landmarks_px=np.full((33, 2), number),
        landmarks_m=np.full((33, 3), number / 10),
        landmark_confidence=np.ones(33),
        joint_confidence=np.full(24, 0.25),
    )


def test_a_stretch_of_one_track_comes_back_from_among_the_others(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    for frame in range(10):
        log.append(frame, [observation(7, frame), observation(9, 100 + frame)])
    back = log.read(9, 3, 6)
    log.close()
    assert [seen.track_id for seen in back] == [9, 9, 9]
    assert [seen.roi[0] for seen in back] == [103, 104, 105]
    np.testing.assert_allclose(back[0].landmarks_m, np.full((33, 3), 10.3), rtol=1e-6)
    assert log.tracks[7].frames.tolist() == list(range(10))


def test_a_net_that_gives_poses_gets_them_back(tmp_path: Path) -> None:
    pose = BodyPoses(np.tile(np.eye(3), (1, 24, 1, 1)), np.array([[1.0, 2, 3]]), np.ones((1, 10)))
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [replace(observation(1, 0), pose=pose)])
    (back,) = log.read(1, 0, 1)
    log.close()
    assert back.pose is not None
    np.testing.assert_array_equal(back.pose.rotations, pose.rotations)
    np.testing.assert_array_equal(back.pose.translations_m, pose.translations_m)


def test_the_looks_of_a_track_are_added_up_by_how_sure_each_sight_was(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    for frame, (sure, looks) in enumerate([(0.9, [1.0, 0.0]), (0.3, [0.0, 1.0])]):
        seen = replace(observation(1, 0), confidence=sure, appearance=np.array(looks))
        log.append(frame, [seen, observation(2, 0)])
    log.close()
    np.testing.assert_allclose(log.tracks[1].appearance, [0.9, 0.3])
    assert log.tracks[2].appearance is None


def test_the_risk_of_a_mistaken_identity_is_kept(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [replace(observation(1, 0), identity_risk=0.75)])
    (back,) = log.read(1, 0, 1)
    log.close()
    assert back.identity_risk == 0.75


@pytest.mark.parametrize("name", ["box_xyxy_px", "landmarks_px", "landmark_confidence"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_sight_with_a_number_that_is_none_is_left_out(
    tmp_path: Path, name: str, wrong: float
) -> None:
    good = observation(1, 0)
    spoilt = getattr(good, name).astype(float)
    spoilt[-1] = wrong
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [replace(good, **{name: spoilt}), observation(2, 0)])
    log.append(1, [good, observation(2, 0)])
    log.close()
    assert log.dropped == 1
    assert log.tracks[1].frames.tolist() == [1]
    assert log.tracks[2].frames.tolist() == [0, 1]


def test_a_closed_log_leaves_nothing_behind(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [observation(1, 0)])
    log.close()
    assert list(tmp_path.iterdir()) == []


def track(
    first: int, length: int, side_px: float, *, every: int = 1, confidence: float = 0.8
) -> TrackIndex:
    frames = range(first, first + length, every)
    return TrackIndex(
        array("q", frames), array("q", frames), len(frames) * side_px, len(frames) * confidence
    )


def test_the_primary_is_the_longest_and_largest_and_spans_the_clip() -> None:
    tracks = {4: track(0, 30, 50.0), 5: track(20, 60, 100.0), 6: track(40, 10, 300.0)}
    chosen = choose_tracks(tracks, 100, FPS)
    assert [one.logged_id for one in chosen] == [5, 4, 6]
    assert (chosen[0].first, chosen[0].end, chosen[0].primary) == (0, 100, True)
    assert [one.track_id for one in chosen] == [2, 1, 3]


def test_another_track_is_shown_a_fifth_of_a_second_beyond_its_sights() -> None:
    tracks = {1: track(0, 100, 100.0), 2: track(40, 20, 50.0)}
    other = choose_tracks(tracks, 100, FPS)[1]
    assert (other.first, other.end) == (34, 66)


def test_a_ghost_of_a_few_frames_is_dropped() -> None:
    tracks = {1: track(0, 100, 10.0), 2: track(50, 7, 900.0)}
    assert [one.logged_id for one in choose_tracks(tracks, 100, FPS)] == [1]


def test_a_ghost_that_comes_and_goes_is_dropped_but_not_a_sure_or_a_steady_person() -> None:
    tracks = {
        1: track(0, 100, 10.0),
        2: track(0, 90, 900.0, every=3, confidence=0.43),
        3: track(0, 90, 5.0, every=3, confidence=0.6),
        4: track(0, 90, 5.0, confidence=0.43),
    }
    assert {one.logged_id for one in choose_tracks(tracks, 100, FPS)} == {1, 3, 4}


@pytest.mark.parametrize("frame_count", [1, 2, 5])
def test_in_a_clip_of_a_few_frames_a_short_track_is_kept(frame_count: int) -> None:
    tracks = {1: track(0, frame_count, 10.0)}
    assert len(choose_tracks(tracks, frame_count, FPS)) == 1


def test_a_clip_with_nobody_has_no_tracks() -> None:
    assert choose_tracks({}, 100, FPS) == ()
