"""Identities through a clip: who keeps a number, who gets a new one, who is forgotten."""

from collections.abc import Sequence

import numpy as np
import pytest
from blazepose_kit import SIDE, observation, standing

from pose_service.blazepose.appearance import torso_colours
from pose_service.blazepose.tracker import RoiTracker
from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.tracking.colours import likeness

RED, BLUE, WHITE = (200, 20, 20), (20, 20, 200), (250, 250, 250)
Spot = tuple[float, float, tuple[int, int, int]]


def picture(*people: Spot) -> ImageArray:
    """640 x 480, gray, with a torso in the given colour for each person (x, y of the mid-hip)."""
    image = np.full((480, 640, 3), 128, np.uint8)
    for x, y, colour in people:
        left, right = max(0, int(x - 10)), max(0, int(x + 11))
        image[max(0, int(y - 22)) : int(y + 2), left:right] = colour
    return image


def finds(*places: tuple[float, float]) -> Regions:
    rois = np.array([(x, y, SIDE, 0) for x, y in places], float).reshape(-1, 4)
    count = len(rois)
    return Regions(np.zeros((count, 4)), np.ones(count), rois, np.full(count, NEW_TRACK))


def step(
    tracker: RoiTracker, frame: int, people: Sequence[Spot], found: Regions | None = None
) -> list[Observation]:
    """One frame in which a square sees the person within half a side of its centre."""
    asked = tracker.regions(frame, Regions.empty() if found is None else found)
    seen = []
    for roi, track_id in zip(asked.rois, asked.track_ids, strict=True):
        near = [p for p in people if np.hypot(p[0] - roi[0], p[1] - roi[1]) < SIDE / 2]
        seen += [observation(x, y, track_id=int(track_id)) for x, y, _ in near[:1]]
    return tracker.update(frame, picture(*people), seen)


def begun(*people: Spot) -> RoiTracker:
    tracker = RoiTracker()
    step(tracker, 0, people, finds(*((x, y) for x, y, _ in people)))
    return tracker


def ids(seen: Sequence[Observation]) -> list[int]:
    return [one.track_id for one in seen]


def test_the_detector_looks_at_the_first_frame_and_every_tenth() -> None:
    tracker, person = RoiTracker(), (300.0, 200.0, RED)
    asked = []
    for frame in range(31):
        wanted = tracker.wants_detection(frame)
        asked += [frame] if wanted else []
        step(tracker, frame, [person], finds(person[:2]) if wanted else None)
    assert asked == [0, 10, 20, 30]


def test_while_nobody_is_there_the_detector_looks_at_every_third_frame() -> None:
    tracker = RoiTracker()
    asked = []
    for frame in range(10):
        asked += [frame] if tracker.wants_detection(frame) else []
        step(tracker, frame, [])
    assert asked == [0, 3, 6, 9]


def test_a_walker_keeps_the_number() -> None:
    tracker = begun((100, 200, RED))
    for frame in range(1, 60):
        assert ids(step(tracker, frame, [(100 + 8 * frame, 200, RED)])) == [1]


def test_two_people_have_two_numbers_that_never_mix() -> None:
    tracker = begun((150, 200, RED), (450, 200, BLUE))
    for frame in range(1, 40):
        seen = step(tracker, frame, [(150 + frame, 200, RED), (450 - frame, 200, BLUE)])
        assert {one.track_id: one.roi[0] for one in seen} == {1: 150 + frame, 2: 450 - frame}


def test_a_find_on_a_live_track_is_not_asked_for() -> None:
    tracker = begun((300, 200, RED))
    asked = tracker.regions(10, finds((305, 203), (500, 200)))
    assert asked.track_ids.tolist() == [1, NEW_TRACK]
    assert asked.rois[1, 0] == 500


def test_a_track_keeps_its_id_through_five_missed_frames() -> None:
    tracker = begun((300, 200, RED))
    for frame in range(1, 6):
        assert step(tracker, frame, []) == []
    assert ids(step(tracker, 7, [(304, 200, RED)])) == [1]


def test_a_lost_track_is_looked_for_at_once_then_every_third_frame_and_no_more_after_thirty() -> (
    None
):
    tracker = begun((300, 200, RED))
    asked = []
    for frame in range(1, 40):
        asked += [frame] if len(tracker.regions(frame, Regions.empty())) else []
        tracker.update(frame, picture(), [])
    assert asked == [*range(1, 11), 13, 16, 19, 22, 25, 28]


def test_a_find_near_a_lost_track_takes_its_number_up_again() -> None:
    tracker = begun((300, 200, RED))
    step(tracker, 1, [])
    assert ids(step(tracker, 3, [(308, 200, RED)], finds((308, 200)))) == [1]


@pytest.mark.parametrize(("fps", "missed", "number"), [(30, 49, 1), (30, 51, 2), (60, 99, 1)])
def test_a_find_brings_a_number_back_within_the_patience_of_1_7_seconds(
    fps: float, missed: int, number: int
) -> None:
    tracker = RoiTracker(fps)
    step(tracker, 0, [(300, 200, RED)], finds((300, 200)))
    for frame in range(1, missed):
        step(tracker, frame, [])
    assert ids(step(tracker, missed, [(300, 200, RED)], finds((300, 200)))) == [number]


def walked(tracker: RoiTracker, frames: int, per_frame: float) -> None:
    """Somebody in red from (100, 200), so far to the right in each of so many frames."""
    step(tracker, 0, [(100, 200, RED)], finds((100, 200)))
    for frame in range(1, frames):
        step(tracker, frame, [(100 + per_frame * frame, 200, RED)])


def test_a_walker_who_was_hidden_for_20_frames_is_found_where_the_way_leads() -> None:
    tracker = RoiTracker()
    walked(tracker, 20, 6)
    for frame in range(20, 40):
        assert step(tracker, frame, []) == []
    # somebody in like clothes stands where the walker was seen last, 1.3 sides away
    both = [(214.0, 200.0, RED), (340.0, 200.0, RED)]
    seen = step(tracker, 40, both, finds((214, 200), (340, 200)))
    assert {one.track_id: one.roi[0] for one in seen} == {1: 340, 2: 214}


def test_who_jumps_is_not_expected_to_fly_on() -> None:
    tracker = RoiTracker()
    step(tracker, 0, [(300, 400, RED)], finds((300, 400)))
    for frame in range(1, 10):
        step(tracker, frame, [(300, 400 - 6 * frame, RED)])
    assert tracker.regions(19, Regions.empty()).rois[0, 1] > 400 - 6 * 14


def test_two_who_return_together_take_each_their_own_number_in_whatever_order() -> None:
    for places in ((200, 280), (280, 200)):
        tracker = begun((200, 200, RED), (280, 200, RED))
        for frame in range(1, 5):
            step(tracker, frame, [(200, 200, RED), (280, 200, RED)])
        for frame in range(5, 20):
            step(tracker, frame, [])
        tracker.regions(20, finds((200, 200), (280, 200)))
        # each is nearer to the other's place than anybody else is
        seen = [observation(x + 5, 200) for x in places]
        image = picture((205, 200, RED), (285, 200, RED))
        kept = tracker.update(20, image, seen)
        assert {one.track_id: one.roi[0] for one in kept} == {1: 205, 2: 285}


def test_what_is_seen_of_a_track_tells_its_colours() -> None:
    tracker = begun((300, 200, RED))
    (seen,) = step(tracker, 1, [(300, 200, RED)])
    assert seen.appearance is not None
    assert seen.appearance.sum() == pytest.approx(1)
    assert (
        likeness(seen.appearance, torso_colours(picture((300, 200, RED)), standing(300, 200)))
        > 0.99
    )


@pytest.mark.parametrize(
    ("apart", "colour", "least", "most"),
    [(300, RED, 0, 0), (25, RED, 0.3, 1), (25, BLUE, 0, 0), (10, RED, 0.7, 1)],
)
def test_an_identity_is_at_risk_when_somebody_alike_is_near(
    apart: float, colour: tuple[int, int, int], least: float, most: float
) -> None:
    image = picture((200, 200, RED), (200 + apart, 200, colour))
    tracker = RoiTracker()
    for frame, numbers in enumerate([(NEW_TRACK, NEW_TRACK), (1, 2)]):
        tracker.regions(frame, Regions.empty())
        both = [
            observation(x, 200, track_id=number)
            for x, number in zip((200, 200 + apart), numbers, strict=True)
        ]
        seen = tracker.update(frame, image, both)
    risks = [one.identity_risk for one in seen]
    assert len(risks) == 2
    assert all(least <= risk <= most for risk in risks)


def test_somebody_alone_or_new_is_at_no_risk() -> None:
    tracker = RoiTracker()
    tracker.regions(0, finds((300, 200)))
    (first,) = tracker.update(0, picture((300, 200, RED)), [observation(300, 200)])
    (second,) = step(tracker, 1, [(300, 200, RED)])
    assert (first.identity_risk, second.identity_risk) == (0, 0)


def test_the_number_does_not_pass_to_someone_in_other_colours() -> None:
    tracker = begun((300, 200, RED))
    step(tracker, 1, [])
    assert ids(step(tracker, 3, [(308, 200, BLUE)], finds((308, 200)))) == [2]


def test_a_lost_tracks_own_square_does_not_take_up_someone_in_other_colours() -> None:
    tracker = begun((300, 200, RED))
    step(tracker, 1, [])
    assert step(tracker, 4, [(304, 200, BLUE)]) == []


def test_a_number_once_given_is_never_given_again() -> None:
    tracker = begun((300, 200, RED))
    for frame in range(1, 60):
        step(tracker, frame, [])
    assert ids(step(tracker, 60, [(300, 200, RED)], finds((300, 200)))) == [2]


def test_someone_in_the_same_colours_far_away_is_somebody_else() -> None:
    tracker = begun((100, 200, RED))
    step(tracker, 1, [])
    assert ids(step(tracker, 3, [(500, 200, RED)], finds((500, 200)))) == [2]


def test_a_track_ends_when_its_person_has_left_the_picture() -> None:
    tracker = begun((40, 200, RED))
    for frame in range(1, 6):
        step(tracker, frame, [(40 - 10 * frame, 200, RED)])
    assert len(tracker.regions(6, Regions.empty())) == 0


def test_someone_whose_hips_are_under_the_lower_edge_is_kept() -> None:
    tracker = begun((300, 490, RED))  # the shoulders are 20 % of the side above the hips
    for frame in range(1, 5):
        assert ids(step(tracker, frame, [(300, 490, RED)])) == [1]


def test_when_two_tracks_end_on_one_body_the_younger_loses_the_frame() -> None:
    tracker = begun((200, 200, RED), (400, 200, RED))
    for frame in range(1, 5):
        step(tracker, frame, [(200, 200, RED), (400, 200, RED)])
    tracker.regions(5, Regions.empty())
    both = [observation(300, 200, track_id=2), observation(303, 200, track_id=1)]
    assert ids(tracker.update(5, picture((300, 200, RED)), both)) == [1]
    assert set(tracker.regions(8, Regions.empty()).track_ids.tolist()) == {1, 2}


def test_a_track_that_slips_on_to_somebody_in_other_colours_does_not_take_the_body() -> None:
    tracker = begun((200, 200, RED), (300, 200, BLUE))
    for frame in range(1, 6):
        step(tracker, frame, [(200, 200, RED), (300, 200, BLUE)])
    tracker.regions(6, Regions.empty())
    both = [observation(300, 200, track_id=1), observation(300, 200, track_id=2)]
    assert ids(tracker.update(6, picture((300, 200, BLUE)), both)) == [2]


def test_a_track_of_few_sightings_dies_on_an_older_tracks_body() -> None:
    tracker = begun((200, 200, RED), (400, 200, RED))
    tracker.regions(1, Regions.empty())
    both = [observation(300, 200, track_id=2), observation(303, 200, track_id=1)]
    assert ids(tracker.update(1, picture((300, 200, RED)), both)) == [1]
    assert tracker.regions(4, Regions.empty()).track_ids.tolist() == [1]


def test_two_finds_on_one_body_begin_one_track() -> None:
    tracker = RoiTracker()
    tracker.regions(0, finds((300, 200), (303, 200)))
    both = [observation(300, 200), observation(303, 200)]
    assert ids(tracker.update(0, picture((300, 200, RED)), both)) == [1]


def test_a_frame_sent_twice_keeps_its_numbers_even_by_a_find() -> None:
    tracker = begun((300, 200, RED))
    assert ids(step(tracker, 0, [(300, 200, RED)])) == [1]
    tracker.regions(0, Regions.empty())
    assert ids(tracker.update(0, picture((300, 200, RED)), [observation(300, 200)])) == [1]


def test_frame_numbers_may_skip_and_step_back_a_little() -> None:
    tracker = begun((300, 200, RED))
    for frame in (4, 9, 7, 8, 8, 20):
        assert ids(step(tracker, frame, [(300 + frame, 200, RED)])) == [1]
    assert not tracker.wants_detection(29)
    assert tracker.wants_detection(30)


def test_a_jump_of_many_frames_forgets_everybody() -> None:
    tracker = begun((300, 200, RED))
    assert tracker.wants_detection(500)
    assert ids(step(tracker, 500, [(300, 200, RED)], finds((300, 200)))) == [2]


def test_a_track_expects_its_person_a_little_further_along() -> None:
    tracker = begun((100, 200, RED))
    for frame in range(1, 10):
        step(tracker, frame, [(100 + 10 * frame, 200, RED)])
    expected = tracker.regions(10, Regions.empty()).rois[0, 0]
    assert 190 < expected <= 200


def test_an_observation_of_an_unknown_track_is_left_out() -> None:
    tracker = begun((300, 200, RED))
    assert tracker.update(1, picture(), [observation(100, 100, track_id=99)]) == []


@pytest.mark.parametrize(("other", "expected"), [(RED, 1.0), (BLUE, 0.0), (WHITE, 0.0)])
def test_torsos_are_alike_by_their_colours(other: tuple[int, int, int], expected: float) -> None:
    first = torso_colours(picture((100, 200, RED)), standing(100, 200))
    second = torso_colours(picture((100, 200, other)), standing(100, 200))
    assert first.sum() == pytest.approx(1)
    assert likeness(first, second) == pytest.approx(expected, abs=1e-9)


def test_a_torso_outside_the_picture_still_has_colours() -> None:
    assert torso_colours(picture(), standing(-500, 9000)).sum() == pytest.approx(1)
