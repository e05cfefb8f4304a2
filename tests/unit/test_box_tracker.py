"""Identities by boxes: who keeps a number, who gets a new one, who is let go."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.tracking.boxes import BoxTracker
from pose_service.tracking.matching import costs, pairs
from pose_service.tracking.track import Track

FPS = 30.0
WIDTH, HEIGHT = 80.0, 200.0
# joints of a standing person in shares of the box: none lies on its edges
JOINTS = np.array([(0.5, 0.1), (0.2, 0.3), (0.8, 0.3), (0.4, 0.95), (0.6, 0.95)])
Place = tuple[float, float]


def picture(width: int = 1000, height: int = 600) -> ImageArray:
    return np.zeros((height, width, 3), np.uint8)


def box(x: float, y: float) -> list[float]:
    """Around a person whose middle is at x, y."""
    return [x - WIDTH / 2, y - HEIGHT / 2, x + WIDTH / 2, y + HEIGHT / 2]


def seen_at(x: float, y: float, track_id: int, region: Sequence[float]) -> Observation:
    """What a regressor sees of the person at x, y in the box `region`."""
    low = np.array([x - WIDTH / 2, y - HEIGHT / 2])
    points = low + JOINTS * (WIDTH, HEIGHT)
    return Observation(
        track_id=track_id,
        box_xyxy_px=np.array(region),
        confidence=0.9,
        roi=np.array([x, y, HEIGHT, 0]),
        landmarks_px=points,
        landmarks_m=np.zeros((len(JOINTS), 3)),
        landmark_confidence=np.ones(len(JOINTS)),
        joint_confidence=np.ones(24),
    )


def finds(places: Sequence[Place]) -> Regions:
    boxes = np.array([box(*place) for place in places]).reshape(-1, 4)
    count = len(boxes)
    return Regions(boxes, np.full(count, 0.9), np.zeros((count, 4)), np.full(count, NEW_TRACK))


def step(
    tracker: BoxTracker, frame: int, people: Sequence[Place], image: ImageArray | None = None
) -> dict[int, Observation]:
    """One frame of a detector and a regressor that see everybody; who has which number."""
    found = finds(people) if tracker.wants_detection(frame) else Regions.empty()
    regions = tracker.regions(frame, found)
    seen = []
    for region, track_id in zip(regions.boxes_xyxy_px, regions.track_ids, strict=True):
        middle = region.reshape(2, 2).mean(axis=0)
        # a net that always answers with a body: the nearest person's
        if people:
            x, y = min(people, key=lambda place: float(np.hypot(*(middle - place))))
            seen.append(seen_at(x, y, int(track_id), region))
    image = picture() if image is None else image
    kept = tracker.update(frame, image, seen)
    assert len({one.track_id for one in kept}) == len(kept)
    return {one.track_id: one for one in kept}


def middles(seen: Mapping[int, Observation]) -> dict[int, Place]:
    """Where each number is, in whole pixels."""
    places = {key: one.box_xyxy_px.reshape(2, 2).mean(axis=0) for key, one in seen.items()}
    return {key: (round(float(x)), round(float(y))) for key, (x, y) in places.items()}


def test_a_walker_keeps_the_number() -> None:
    tracker = BoxTracker(FPS)
    for frame in range(100):
        place = (60 + 8 * frame, 300)
        assert middles(step(tracker, frame, [place])) == {1: place}


def test_a_sprinter_who_starts_at_full_speed_keeps_the_number() -> None:
    # 9 m/s of somebody 1.8 m high: a sixth of the height per frame
    tracker = BoxTracker(FPS)
    for frame in range(25):
        place = (60 + round(HEIGHT / 6) * frame, 300)
        assert middles(step(tracker, frame, [place])) == {1: place}


def test_people_who_cross_keep_their_numbers() -> None:
    tracker = BoxTracker(FPS)
    for frame in range(100):
        right, left = (100 + 8 * frame, 300), (900 - 8 * frame, 310)
        # the one behind is not found while the other hides most of the body
        hidden = abs(right[0] - left[0]) < 0.6 * WIDTH
        seen = middles(step(tracker, frame, [right] if hidden else [left, right]))
        assert seen == ({2: right} if hidden else {1: left, 2: right})


def test_the_number_outlives_a_gap_of_twenty_frames() -> None:
    tracker = BoxTracker(FPS)
    for frame in range(80):
        place = (100 + 4 * frame, 300)
        missed = 30 <= frame < 50
        assert list(step(tracker, frame, [] if missed else [place])) == ([] if missed else [1])


def test_after_more_than_a_second_the_number_is_not_given_again() -> None:
    tracker = BoxTracker(FPS)
    step(tracker, 0, [(300, 300)])
    assert list(step(tracker, 31, [(300, 300)])) == [2]


def test_who_comes_in_gets_a_new_number() -> None:
    tracker = BoxTracker(FPS)
    for frame in range(10):
        step(tracker, frame, [(200, 300)])
    for frame in range(10, 20):
        assert list(step(tracker, frame, [(700, 300), (200, 300)])) == [1, 2]


def test_who_leaves_the_picture_is_let_go_and_comes_back_as_somebody_new() -> None:
    tracker = BoxTracker(FPS)
    for frame, x in enumerate(range(100, -40, -20)):
        step(tracker, frame, [(x, 300)])
    assert step(tracker, 7, []) == {}
    assert list(step(tracker, 8, [(0, 300)])) == [2]


@pytest.mark.parametrize("detect_every", [1, 5])
def test_somebody_found_twice_has_one_number(detect_every: int) -> None:
    tracker = BoxTracker(FPS, detect_every)
    step(tracker, 0, [(300, 300)])
    # a second box around the upper half, in which the net sees the same body
    upper = [*box(300, 300)[:3], 300.0]
    seen = [seen_at(300, 300, NEW_TRACK, upper), seen_at(300, 300, NEW_TRACK, box(300, 300))]
    kept = tracker.update(1, picture(), seen)
    assert [one.track_id for one in kept] == [1]
    assert kept[0].box_xyxy_px.tolist() == box(300, 300)


def test_of_two_tracks_on_one_body_the_younger_goes() -> None:
    tracker = BoxTracker(FPS, detect_every=5)
    step(tracker, 0, [(300, 300), (420, 300)])
    # one of them has gone behind a wall, and the net sees the other in both boxes
    assert list(step(tracker, 1, [(300, 300)])) == [1]
    assert list(step(tracker, 2, [(300, 300)])) == [1]
    # the next detection finds both again, the lost one under the old number
    assert list(step(tracker, 5, [(300, 300), (420, 300)])) == [1, 2]


def test_between_detections_the_boxes_go_with_the_bodies() -> None:
    tracker = BoxTracker(FPS, detect_every=5)
    detected = []
    for frame in range(60):
        detected += [frame] if tracker.wants_detection(frame) else []
        places = [(100 + 6 * frame, 300), (600 - 2 * frame, 200 + 2 * frame)]
        seen = step(tracker, frame, places)
        assert middles(seen) == dict(enumerate(places, start=1))
        # as large as the detector drew it, though the joints reach less far
        sizes = [np.ptp(one.box_xyxy_px.reshape(2, 2), axis=0) for one in seen.values()]
        np.testing.assert_allclose(sizes, [(WIDTH, HEIGHT)] * 2, atol=1e-9)
    assert detected == list(range(0, 60, 5))


def test_a_tracks_own_region_carries_its_number_and_score_where_the_person_should_be() -> None:
    tracker = BoxTracker(FPS, detect_every=5)
    step(tracker, 0, [(100, 300)])
    for frame in range(1, 4):
        step(tracker, frame, [(100 + 10 * frame, 300)])
    regions = tracker.regions(4, Regions.empty())
    assert regions.track_ids.tolist() == [1]
    assert regions.scores.tolist() == [0.9]
    # 10 px a frame, of which the first sights believed less
    assert 136 < regions.boxes_xyxy_px[0].reshape(2, 2).mean(axis=0)[0] < 140


def test_while_nobody_is_tracked_the_detector_looks_at_every_frame() -> None:
    tracker = BoxTracker(FPS, detect_every=5)
    for frame in range(3):
        assert tracker.wants_detection(frame)
        step(tracker, frame, [])
    step(tracker, 3, [(300, 300)])
    assert not tracker.wants_detection(4)


def test_frames_may_be_looked_at_together_only_where_each_is_detected() -> None:
    assert BoxTracker(FPS).lookahead == 8
    assert BoxTracker(FPS, detect_every=2).lookahead == 1


def test_regions_of_several_frames_may_be_asked_for_before_the_first_update() -> None:
    tracker = BoxTracker(FPS)
    places = [(100 + 8 * frame, 300) for frame in range(8)]
    regions = [tracker.regions(frame, finds([place])) for frame, place in enumerate(places)]
    for frame, place in enumerate(places):
        region = regions[frame].boxes_xyxy_px[0]
        (kept,) = tracker.update(frame, picture(), [seen_at(*place, NEW_TRACK, region)])
        assert kept.track_id == 1


def test_frames_of_a_session_may_step_back() -> None:
    tracker = BoxTracker(FPS)
    for frame in (0, 2, 1, 4, 3, 6, 5, 9, 7, 8, 10):
        assert list(step(tracker, frame, [(100 + 12 * frame, 300), (700 - 12 * frame, 300)])) == [
            1,
            2,
        ]


def test_a_movement_goes_on_and_dies_away_to_both_sides() -> None:
    track = Track.begun(1, 10, seen_at(300, 300, NEW_TRACK, box(300, 300)), FPS)
    track = track.after(11, seen_at(320, 300, NEW_TRACK, box(320, 300)))
    places = {frame: track.expected_box(frame).reshape(2, 2).mean(axis=0) for frame in range(23)}
    # half of 20 px a frame is believed after one sight
    assert [round(float(places[frame][0])) for frame in (10, 11, 12, 22)] == [310, 320, 330, 392]
    assert places[0][0] == pytest.approx(640 - places[22][0])
    assert {float(place[1]) for place in places.values()} == {300.0}


def test_a_hundred_people_keep_their_numbers_in_reasonable_time() -> None:
    tracker = BoxTracker(FPS)
    image = picture(4000, 4000)
    grid = [(200.0 + 350 * (i % 10), 200.0 + 350 * (i // 10)) for i in range(100)]
    numbers = []
    started = time.process_time()
    for frame in range(5):
        seen = middles(step(tracker, frame, [(x + 10 * frame, y) for x, y in grid], image))
        numbers.append({(x - 10 * frame, y): key for key, (x, y) in seen.items()})
    # 0.04 s a frame as measured, the test's own making of people included
    assert (time.process_time() - started) / 5 < 0.4
    assert len(numbers[0]) == 100
    assert all(later == numbers[0] for later in numbers[1:])


def test_the_cheapest_pairs_are_taken_first_and_what_cannot_be_is_not() -> None:
    cost = np.array([[0.5, 0.1, np.inf], [0.3, 0.2, np.inf], [np.inf, np.inf, np.inf]])
    assert pairs(cost) == [(0, 1), (1, 0)]


def test_boxes_too_far_or_of_another_size_do_not_fit() -> None:
    track = np.array([[0.0, 0.0, 80.0, 200.0]])
    boxes = track + np.array([(0, 0, 0, 0), (60, 0, 60, 0), (90, 0, 90, 0), (0, 0, 0, 260)])
    fits = costs(track, boxes, np.array([0.35]))[0]
    # the same place costs nothing; 60 px are 0.3 of 200, and a quarter of the width is shared
    assert fits[0] == 0
    assert fits[1] == pytest.approx(0.3 + 1 - 20 / 140)
    assert np.isinf(fits[2:]).all()
