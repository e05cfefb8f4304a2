"""What is wrong in released code (D1 to D11 of docs/phalp.md), and that `fixed` is without it.

D1 (weights lost in loading) is in parity/test_phalp_checkpoint.py, D2 with the network's own
numbers in parity/test_phalp_pose.py.
"""

import numpy as np
import pytest
from phalp_kit import ColourLooks, RecordingPredictor, person

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.distance.cost import GATE, costs, lower_bounds
from pose_service.phalp.distance.terms import Features, terms
from pose_service.phalp.location.predictor import predicted_locations
from pose_service.phalp.matching import assign
from pose_service.phalp.pose.slots import time_slots
from pose_service.phalp.records import SPREAD, Compat, Detection
from pose_service.phalp.tracker import PhalpTracker

COMPATS: tuple[Compat, Compat] = ("upstream", "fixed")
# whose the second or third detection is: the first track's, or somebody else's
WHO = pytest.mark.parametrize(("compat", "found"), [("upstream", (1,)), ("fixed", (2,))])


def tracker(compat: Compat) -> PhalpTracker[float]:
    return PhalpTracker(compat=compat)


def features(*people: Detection) -> Features:
    return Features.of([(each.location, each.pose) for each in people])


class SlotPredictor:
    """Says at which slot each track was read: the bend of the pose is the slot."""

    def __init__(self, compat: Compat) -> None:
        self.compat = compat
        self.read: list[list[int]] = []

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        self.read.append(time_slots(times, missed, 125, self.compat).wanted.tolist())
        return poses[:, -1]


def test_d2_a_young_track_is_read_at_its_own_moment_not_at_the_first_track_s() -> None:
    """The second person was seen in frames 7 and 8: slot 2 is meant, upstream reads slot 7."""
    read = {}
    for compat in COMPATS:
        predictor = SlotPredictor(compat)
        one: PhalpTracker[float] = PhalpTracker(predictor, compat=compat)
        for index in range(9):
            one.step(index, [person(0.2), *([person(0.8)] if index >= 7 else [])])
        one.step(9, [])
        read[compat] = [each for each in predictor.read if len(each) == 2]
    # upstream asks at the end of a frame, `fixed` at the beginning of the next: of 8 and of 9
    assert read["upstream"][0] == [7, 7]
    assert read["fixed"] == [[7, 1], [7, 2]]


def test_d3_a_history_of_more_than_125_frames_ends_no_clip() -> None:
    """Seven sights 30 frames apart; there is no slot for the last ones, so they share the last."""
    for compat in COMPATS:
        predictor = SlotPredictor(compat)
        one: PhalpTracker[float] = PhalpTracker(predictor, compat=compat)
        seen = [*range(5), *range(34, 400, 30)]
        for index in range(400):
            one.step(index, [person(0.5)] if index in seen else [])
        assert one.tracks[0].track_id == 1
        assert max(max(each) for each in predictor.read) == 124


def test_d5_a_track_of_one_sight_costs_a_number() -> None:
    """Upstream: NaN, which becomes 0 and beats the person who really stands there."""
    history = np.tile(person(0.2).location, (1, 7, 1))
    times = np.zeros((1, 7), np.int64)
    detections = features(person(0.2), person(0.9))
    right, wrong = {}, {}
    for compat in COMPATS:
        expected = predicted_locations(history, times, np.array([1]), compat)
        rows = Features(
            np.concatenate([expected, detections.locations[:1]]), detections.poses[[0, 0]]
        )
        rows.locations[1, SPREAD] = [0.01, 0.01, 1.1]
        bounds = lower_bounds(terms(rows, detections, compat))
        found = costs(bounds, np.zeros((2, 2)), compat)
        right[compat], wrong[compat] = found[0]
    assert (right["upstream"], wrong["upstream"]) == (0, 0)
    assert right["fixed"] == pytest.approx(1, abs=0.01)
    assert wrong["fixed"] > GATE


def test_d5_an_undefined_track_takes_nobody_s_detection() -> None:
    cost = np.array([[np.nan, np.nan], [1.5, 200.0]])
    looks = np.zeros((2, 2))
    assert assign(costs(cost, looks, "upstream"), GATE, "upstream").matches == ((0, 1), (1, 0))
    assert assign(costs(cost, looks), GATE).matches == ((1, 0),)


@pytest.mark.parametrize(("compat", "owner"), [("upstream", 0), ("fixed", 1)])
def test_d6_showing_nothing_in_common_is_no_likeness(compat: Compat, owner: int) -> None:
    """Of two beside a track, the nearer one looks nearly like it; the other cannot be compared.

    Upstream takes who cannot be compared for the very same.
    """
    detections = [person(0.55), person(0.46)]
    one = PhalpTracker(looks=ColourLooks(), compat=compat)
    for index in range(6):
        one.step(index, [person(0.5, 0.5 + 0.002 * (-1) ** index)], [1.0])
    assert one.step(6, detections, [np.nan, 1.6]).track_ids[owner] == 1


@WHO
def test_d7_a_fresh_track_does_not_reach_across_the_picture(
    compat: Compat, found: tuple[int]
) -> None:
    """Upstream takes its place, in metres, for how surely it is expected: far off it fits all."""
    one = tracker(compat)
    one.step(0, [person(0.9, 0.9)])
    assert one.step(1, [person(0.3, 0.9)]).track_ids == found


@WHO
def test_d7_a_fresh_track_does_not_reach_through_depth(compat: Compat, found: tuple[int]) -> None:
    """Somebody at an eighth of the distance is another one; upstream's gate in depth is off."""
    one = tracker(compat)
    one.step(0, [person(0.5, depth_m=60)])
    assert one.step(1, [person(0.5, depth_m=8)]).track_ids == found


@WHO
def test_d7_a_young_track_does_not_reach_through_depth_either(
    compat: Compat, found: tuple[int]
) -> None:
    """Of two sights: upstream's factor is divided by 6, which is as wide as no gate."""
    one = tracker(compat)
    for index in range(2):
        one.step(index, [person(0.5, depth_m=60)])
    assert one.step(2, [person(0.5, depth_m=8)]).track_ids == found


def test_d8_who_is_missed_is_shown_where_expected_not_where_last_seen() -> None:
    """Walking right by 0.01 squares, 10 pixels, a frame; hidden in the tenth and eleventh."""
    shown: dict[Compat, Detection] = {}
    for compat in COMPATS:
        one = tracker(compat)
        for index in range(10):
            one.step(index, [person(0.3 + 0.01 * index)])
        one.step(10, [])
        (who,) = one.step(11, []).people
        assert who.missed == 2
        shown[compat] = who.detection
    last, truth = person(0.39), person(0.41)
    np.testing.assert_array_equal(shown["upstream"].box_xyxy_px, last.box_xyxy_px)
    np.testing.assert_array_equal(shown["upstream"].pose, last.pose)
    # the ridge holds the slope back by 4 %: 2 of 50 px, five frames from the middle of the history
    np.testing.assert_allclose(shown["fixed"].box_xyxy_px, truth.box_xyxy_px, rtol=0, atol=3)


def test_d8_the_expected_pose_is_the_predictor_s() -> None:
    def bending(poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        return 2 * poses[:, -1] - poses[:, -2]

    one: PhalpTracker[float] = PhalpTracker(bending)
    for index in range(6):
        one.step(index, [person(0.5, bend=0.01 * index)])
    (who,) = one.step(6, []).people
    np.testing.assert_allclose(who.detection.pose, person(0.5, bend=0.06).pose, atol=2e-4)


def test_d11_nothing_is_foretold_of_tracks_that_end() -> None:
    """A track of one sight that is missed: upstream still asks the net for its next pose."""
    asked = {}
    for compat in COMPATS:
        predictor = RecordingPredictor()
        one: PhalpTracker[float] = PhalpTracker(predictor, compat=compat)
        for index in range(6):
            one.step(index, [person(0.2), *([person(0.8)] if index == 4 else [])])
        asked[compat] = [times[:, -1].tolist() for times, _ in predictor.asked]
    # of frames 4 and 5: the second person, seen in 4, ends in 5
    assert asked["upstream"][-2:] == [[5], [4]]
    # in frame 5 both might come; nobody is asked for at its end
    assert asked["fixed"][-1] == [4, 4]
    assert sum(map(len, asked["upstream"])) == 6


def test_d12_nobody_is_left_out_for_being_small() -> None:
    """Under 50 x 100 px or a score of 0.8: the caller decides, not the tracker."""
    far = person(0.5, depth_m=400, score=0.5)
    assert (np.diff(far.box_xyxy_px.reshape(2, 2), axis=0) < [50, 100]).all()
    assert tracker("fixed").step(0, [far]).track_ids == (1,)
