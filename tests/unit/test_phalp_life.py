"""The life of PHALP's tracks: when they begin, are believed, are missed, return and end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phalp_kit import ColourLooks, RecordingPredictor, person

from pose_service.core.records import NEW_TRACK
from pose_service.phalp.records import DEPTH, Compat, Detection
from pose_service.phalp.same_body import distinct
from pose_service.phalp.track.backfill import confirmed_people
from pose_service.phalp.track.frames import TrackedFrame
from pose_service.phalp.track.rules import TrackRules
from pose_service.phalp.tracker import PhalpTracker

BOTH = pytest.mark.parametrize("compat", ["fixed", "upstream"])


def seen_in(
    frames: range | list[int], last: int, compat: Compat = "fixed", **rules: int
) -> list[TrackedFrame]:
    """One person who stands still and is detected in `frames` of 0 … `last`."""
    tracker: PhalpTracker[float] = PhalpTracker(compat=compat, rules=TrackRules(**rules))
    return [
        tracker.step(index, [person(0.5)] if index in frames else []) for index in range(last + 1)
    ]


def ids(frames: list[TrackedFrame]) -> list[int]:
    return [found for frame in frames for found in frame.track_ids]


@BOTH
def test_track_is_believed_at_its_fifth_sight_in_a_row(compat: Compat) -> None:
    frames = seen_in(range(7), 6, compat)
    assert [frame.people[0].confirmed for frame in frames] == [False] * 4 + [True] * 3
    assert [frame.people[0].began for frame in frames] == [False] * 4 + [True] + [False] * 2
    assert set(ids(frames)) == {1}


@BOTH
def test_track_that_is_missed_before_it_is_believed_ends(compat: Compat) -> None:
    frames = seen_in([0, 1, 2, 3, 5, 6], 6, compat)
    assert ids(frames) == [1, 1, 1, 1, 2, 2]
    assert frames[4].people == ()


@BOTH
@pytest.mark.parametrize("missed", [1, 5, 20, 50])
def test_track_keeps_its_id_through_up_to_50_missed_frames(missed: int, compat: Compat) -> None:
    frames = seen_in([*range(6), 6 + missed], 6 + missed, compat)
    assert set(ids(frames)) == {1}
    assert [frame.people[0].missed for frame in frames] == [0] * 6 + [*range(1, missed + 1)] + [0]


@BOTH
def test_track_ends_at_the_51st_missed_frame(compat: Compat) -> None:
    frames = seen_in([*range(6), 57], 57, compat)
    assert len(frames[55].people) == 1
    assert frames[56].people == ()
    assert frames[57].track_ids == (2,)


def test_patience_goes_by_time_unless_it_is_upstream_s() -> None:
    fast: PhalpTracker[float] = PhalpTracker(fps=60)
    for index in range(6):
        fast.step(index, [person(0.5)])
    for index in range(6, 106):
        assert len(fast.step(index, []).people) == 1
    assert fast.step(106, []).people == ()
    slow: PhalpTracker[float] = PhalpTracker(fps=60, compat="upstream")
    for index in range(6):
        slow.step(index, [person(0.5)])
    assert [len(slow.step(index, []).people) for index in range(6, 57)] == [1] * 50 + [0]


@BOTH
def test_ids_are_given_once(compat: Compat) -> None:
    tracker: PhalpTracker[float] = PhalpTracker(compat=compat)
    found: list[int] = []
    for index in range(6):
        found += tracker.step(2 * index, [person(0.1 + 0.15 * index)]).track_ids
        tracker.step(2 * index + 1, [])
    assert found == [1, 2, 3, 4, 5, 6]


@BOTH
def test_first_sights_are_filled_in_once_and_stand_last_in_their_frames(compat: Compat) -> None:
    """The second person comes in frame 3 and is believed in frame 7; a third one leaves early."""
    tracker: PhalpTracker[float] = PhalpTracker(compat=compat)
    frames = [
        tracker.step(
            index,
            [
                person(0.2),
                *([person(0.5)] if index >= 3 else []),
                *([person(0.8)] if index in (4, 5, 6) else []),
            ],
        )
        for index in range(10)
    ]
    kept = list(confirmed_people(frames))
    assert [index for index, _ in kept] == list(range(10))
    assert [[each.track_id for each in people] for _, people in kept] == [[1]] * 3 + [[1, 2]] * 7
    assert all(each.missed == 0 for _, people in kept for each in people)


@BOTH
def test_miss_right_after_the_fifth_sight_fills_nothing_in_again(compat: Compat) -> None:
    """The track has five hits in the next frame, too; upstream back-fills on the fifth alone."""
    frames = seen_in(range(5), 6, compat)
    assert [frame.people[0].began for frame in frames] == [False] * 4 + [True] + [False] * 2
    kept = dict(confirmed_people(frames))
    assert [len(kept[index]) for index in range(7)] == [1] * 7


def test_clip_shorter_than_five_frames_has_nobody_whom_upstream_believes() -> None:
    assert [people for _, people in confirmed_people(seen_in(range(4), 3))] == [[]] * 4


def test_back_filling_holds_five_frames_and_no_more() -> None:
    taken: list[int] = []

    def frames() -> Iterator[TrackedFrame]:
        for frame in seen_in(range(12), 11):
            taken.append(frame.frame_index)
            yield frame

    for index, _ in confirmed_people(frames()):
        assert len(taken) - index <= 5


@BOTH
def test_one_frame_and_an_empty_clip_pass(compat: Compat) -> None:
    (frame,) = seen_in([0], 0, compat)
    assert frame.track_ids == (1,)
    assert frame.costs.shape == (0, 1)
    assert list(confirmed_people([])) == []


def test_at_a_shot_people_are_taken_as_if_they_had_never_moved() -> None:
    """Who walked right is expected on where he stands now; without the word for it, farther on."""
    after = {}
    for shot in (False, True):
        tracker: PhalpTracker[float] = PhalpTracker()
        for index in range(8):
            tracker.step(index, [person(0.2 + 0.02 * index)])
        tracker.step(8, [person(0.36)], shot=shot)
        after[shot] = float(tracker.step(9, []).people[0].detection.location[88])
    assert after[True] == pytest.approx(0.36, abs=1e-6)
    assert after[False] > 0.37


def test_tracker_keeps_seven_sights_and_one_look_of_each_person() -> None:
    looks = ColourLooks()
    tracker = PhalpTracker(looks=looks)
    for index in range(300):
        tracker.step(index, [person(0.2), person(0.8)], [1.0, 2.0])
    assert [track.history.times.tolist() for track in tracker.tracks] == [[*range(293, 300)]] * 2
    for index in range(300, 360):
        tracker.step(index, [])
    assert tracker.tracks == ()
    assert len(tracker._looks) == 0


def test_frames_of_a_session_may_step_back_and_be_sent_twice() -> None:
    tracker: PhalpTracker[float] = PhalpTracker()
    order = [0, 1, 2, 3, 4, 3, 3, 5, 2, 6]
    found = [tracker.step(index, [person(0.5)]) for index in order]
    assert {frame.track_ids for frame in found} == {(1,)}
    (track,) = tracker.tracks
    assert (np.diff(track.history.times) >= 0).all()
    assert np.isfinite(track.location).all()


def test_frame_of_long_ago_or_far_ahead_begins_anew() -> None:
    tracker: PhalpTracker[float] = PhalpTracker()
    for index in range(100, 106):
        tracker.step(index, [person(0.5)])
    assert tracker.step(10, [person(0.5)]).track_ids == (2,)
    assert tracker.step(10_000, [person(0.5)]).track_ids == (3,)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"box_xyxy_px": np.array([0.0, 0, np.nan, 5])},
        {"score": np.nan},
        {"location": np.full(99, np.nan, np.float32)},
        {"location": np.zeros(99, np.float32)},
        {"pose": np.full(229, np.inf, np.float32)},
    ],
)
def test_detection_that_makes_no_sense_is_on_no_track_and_harms_none(
    spoilt: dict[str, Any],
) -> None:
    good = person(0.5)
    bad = replace(good, **spoilt)
    tracker: PhalpTracker[float] = PhalpTracker()
    for index in range(6):
        assert tracker.step(index, [bad, good]).track_ids == (NEW_TRACK, 1)
    assert tracker.step(6, [bad]).track_ids == (NEW_TRACK,)
    assert tracker.step(7, [good]).track_ids == (1,)


ANYBODY = st.tuples(
    st.sampled_from([0.2, 0.21, 0.5, 0.8, np.nan]),
    st.sampled_from([0.5, 0.7]),
    st.sampled_from([5.0, 40.0, 41.0]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([None, 1.0, 5.0, np.nan]),
)
# frames that pass, who is there, whether a shot begins
ANY_FRAME = st.tuples(st.integers(-3, 60), st.lists(ANYBODY, max_size=4), st.booleans())


@settings(deadline=None)
@given(frames=st.lists(ANY_FRAME, max_size=12), compat=st.sampled_from(["fixed", "upstream"]))
def test_whatever_comes_everybody_of_sense_is_one_track_at_most(
    frames: list[tuple[int, list[tuple[float, float, float, float, float | None]], bool]],
    compat: Compat,
) -> None:
    """Frames that step back or are far apart, nobody, doubles, NaN, looks that are not known."""
    tracker = PhalpTracker(looks=ColourLooks(), compat=compat)
    index, given_out = 0, 0
    for passed, people, shot in frames:
        index += passed
        seen = [person(x, y, depth_m, score) for x, y, depth_m, score, _ in people]
        found = tracker.step(index, seen, [look for *_, look in people], shot=shot)
        on_track = [track_id for track_id in found.track_ids if track_id != NEW_TRACK]
        assert len(set(on_track)) == len(on_track)
        assert set(on_track) <= {who.track_id for who in found.people}
        assert found.costs.shape[1] == len(on_track)
        new = [track_id for track_id in on_track if track_id > given_out]
        assert sorted(new) == list(range(given_out + 1, given_out + 1 + len(new)))
        given_out += len(new)
        if compat == "fixed":
            kept = distinct(seen)
            assert [place for place, each in enumerate(found.track_ids) if each > 0] == kept
            assert all(np.isfinite(who.detection.box_xyxy_px).all() for who in found.people)


def test_box_of_no_size_is_tracked_like_any_other() -> None:
    still = person(0.5)
    flat = Detection(np.array([500.0, 500, 500, 500]), 0.9, 1000, still.location, still.pose)
    tracker: PhalpTracker[float] = PhalpTracker()
    assert {tracker.step(index, [flat]).track_ids for index in range(6)} == {(1,)}
    assert np.isfinite(tracker.step(6, []).people[0].detection.box_xyxy_px).all()


def test_two_detections_of_one_body_are_one_person() -> None:
    """The better one; upstream has two people, of whom one is a shadow of the other."""
    better, worse = person(0.5, score=0.95), person(0.502, score=0.85)
    trackers: dict[Compat, PhalpTracker[float]] = {
        compat: PhalpTracker(compat=compat) for compat in ("fixed", "upstream")
    }
    for index in range(6):
        fixed = trackers["fixed"].step(index, [worse, better]).track_ids
        upstream = trackers["upstream"].step(index, [worse, better]).track_ids
        assert fixed == (NEW_TRACK, 1)
        assert sorted(upstream) == [1, 2]


def test_people_behind_each_other_are_two() -> None:
    assert distinct([person(0.5, depth_m=40), person(0.5, depth_m=50)]) == [0, 1]
    assert distinct([person(0.5), person(0.53)]) == [0, 1]
    assert distinct([person(0.5, score=0.8), person(0.501, score=0.9), person(0.9)]) == [1, 2]
    assert distinct([]) == []


def test_who_is_missed_is_asked_for_at_the_frame_that_comes() -> None:
    predictor = RecordingPredictor()
    tracker: PhalpTracker[float] = PhalpTracker(predictor)
    for index in range(5):
        tracker.step(index, [person(0.2), person(0.8)])
    tracker.step(5, [person(0.2)])
    tracker.step(6, [person(0.2)])
    times, missed = predictor.asked[-1]
    assert times[:, -1].tolist() == [5, 4]
    # 0 if it was seen in the frame just before
    assert missed.tolist() == [0, 1]


def test_growing_person_s_box_grows_while_hidden() -> None:
    """Coming nearer by 2 % a frame: in the third missed frame the box is larger by as much."""
    tracker: PhalpTracker[float] = PhalpTracker()
    for index in range(10):
        tracker.step(index, [person(0.5, depth_m=40 * 0.98**index)])
    for index in range(10, 13):
        frame = tracker.step(index, [])
    expected = frame.people[0].detection
    truth = person(0.5, depth_m=40 * 0.98**12)
    # the ridge of 5 holds the slope back by 28 / 33
    assert expected.location[DEPTH] == pytest.approx(truth.location[DEPTH], rel=0.02)
    np.testing.assert_allclose(expected.box_xyxy_px, truth.box_xyxy_px, rtol=0.02)
