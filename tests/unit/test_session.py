"""Frames with memory, on toy nets: bright rectangles are people."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from toy_engine import ToyDetector, ToyTemporal, picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.records import (
    BodyPoses,
    Frame,
    Look,
    Provenance,
    Regions,
    TrackedFrame,
)
from pose_service.pipeline.session import (
    EXPLICIT_AGE_S,
    IMPLIED_AGE_S,
    JUMP_FRAMES,
    MAX_SESSIONS,
    SessionFrame,
    SessionKey,
    SessionStore,
)

NAMED = SessionKey("run 1", "10.0.0.1")
IMPLIED = SessionKey(None, "10.0.0.1")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> SessionStore:
    return SessionStore(clock)


def walker(index: int, *, left: int = 20, blank: bool = False) -> Frame:
    """A person who walks 3 pixels to the right in each frame, or nobody."""
    x = left + 3 * index
    image = picture() if blank else picture((x, 40, x + 60, 200))
    return Frame(index, index / 30, image)


def box_left(result: TrackedFrame) -> float:
    return float(result.people[0].box_xyxy_px[0])


def send(store: SessionStore, frame: Frame, key: SessionKey = NAMED) -> TrackedFrame:
    return store.step(toy_engine(), [SessionFrame(frame, key, store)])[0]


@pytest.mark.parametrize("key", [NAMED, IMPLIED])
def test_a_missed_frame_is_predicted_from_the_ones_before(
    store: SessionStore, key: SessionKey
) -> None:
    for index in range(6):
        send(store, walker(index), key)
    missed = send(store, walker(6, blank=True), key)
    (person,) = missed.people
    assert person.provenance is Provenance.PREDICTED
    assert 0.4 < person.tracking_confidence < 1
    assert send(store, walker(7), key).people[0].track_id == person.track_id


def test_a_missed_frame_between_known_ones_is_interpolated(store: SessionStore) -> None:
    for index in (0, 1, 3):
        send(store, walker(index))
    (person,) = send(store, walker(2, blank=True)).people
    assert person.provenance is Provenance.INTERPOLATED
    assert person.box_xyxy_px[0] == pytest.approx(26, abs=0.5)


def test_frames_out_of_order_are_each_answered_from_their_own_picture(store: SessionStore) -> None:
    order = list(itertools.chain.from_iterable(
        random.Random(1).sample(range(start, start + 4), 4) for start in range(0, 16, 4)
    ))  # fmt: skip
    answers = {index: send(store, walker(index), IMPLIED) for index in order}
    assert [box_left(answers[index]) for index in range(16)] == [20 + 3 * i for i in range(16)]
    assert {answers[index].people[0].track_id for index in range(16)} == {1}
    assert len(store) == 1


def test_prediction_ends_after_a_second_and_nobody_is_invented(store: SessionStore) -> None:
    for index in range(5):
        send(store, walker(index))
    for index in range(5, 35):
        assert len(send(store, walker(index, blank=True)).people) == 1
    assert send(store, walker(36, blank=True)).people == ()


def test_somebody_who_has_left_the_picture_is_not_foretold() -> None:
    class Leaving(ToyTemporal):
        def predict(self, poses: BodyPoses, times_s: Any, wanted_s: Any) -> BodyPoses:
            far = poses.translations_m[:1] + np.array([[100.0, 0.0, 0.0]])
            return replace(poses.take(slice(0, 1)), translations_m=far)

    engine = replace(toy_engine(), temporal=Leaving())
    store = SessionStore()
    frames = walker(0), walker(1, blank=True)
    seen, gone = (store.step(engine, [SessionFrame(frame, NAMED, store)])[0] for frame in frames)
    assert len(seen.people) == 1
    assert gone.people == ()


def test_two_named_sessions_never_share_a_person(store: SessionStore) -> None:
    other = SessionKey("run 2", NAMED.peer)
    for index in range(5):
        send(store, walker(index))
    assert send(store, walker(5, blank=True), other).people == ()
    assert len(send(store, walker(5, blank=True)).people) == 1


def test_an_implied_session_ends_at_frame_zero(store: SessionStore) -> None:
    for index in range(10):
        send(store, walker(index), IMPLIED)
    assert send(store, walker(0, blank=True), IMPLIED).people == ()
    assert send(store, walker(1, blank=True), IMPLIED).people == ()


def test_the_next_clip_may_begin_out_of_order(store: SessionStore) -> None:
    for index in range(40):
        send(store, walker(index), IMPLIED)
    for index in (2, 0, 3, 1):
        assert send(store, walker(index, blank=True), IMPLIED).people == ()


def test_an_implied_session_ends_at_a_jump_another_size_another_peer_and_by_age(
    store: SessionStore, clock: Clock
) -> None:
    for index in range(5):
        send(store, walker(index), IMPLIED)
    assert send(store, walker(30, blank=True), IMPLIED).people == ()
    small = Frame(5, 0.0, np.zeros((100, 100, 3), np.uint8))
    assert send(store, small, IMPLIED).people == ()
    assert send(store, walker(5, blank=True), SessionKey(None, "10.0.0.2")).people == ()
    clock.now += IMPLIED_AGE_S + 1
    assert send(store, walker(5, blank=True), IMPLIED).people == ()


def test_a_blank_frame_that_two_clips_could_claim_gets_nobody(store: SessionStore) -> None:
    for index in range(12):
        send(store, walker(index), IMPLIED)
    for index in range(10):
        send(store, walker(index, left=150), IMPLIED)
    assert send(store, walker(14, blank=True), IMPLIED).people == ()


def test_a_frame_that_two_clips_could_claim_goes_to_the_one_it_resembles(
    store: SessionStore,
) -> None:
    for index in range(12):
        send(store, walker(index), IMPLIED)
    for index in range(12):
        # the second clip is the brighter one by far
        send(store, walker(index, left=180), IMPLIED)
    send(store, walker(12), IMPLIED)
    send(store, walker(12, left=180), IMPLIED)
    assert len(store) == 2


def test_a_clip_sent_anew_is_followed_and_the_earlier_try_ends(store: SessionStore) -> None:
    send(store, walker(0), IMPLIED)
    for index in range(6):
        send(store, walker(index), IMPLIED)
    assert len(store) == 1
    (person,) = send(store, walker(6, blank=True), IMPLIED).people
    assert person.provenance is Provenance.PREDICTED


def test_a_named_session_starts_anew_after_a_jump(store: SessionStore) -> None:
    for index in range(5):
        send(store, walker(index))
    far = 5 + JUMP_FRAMES
    assert send(store, walker(far, blank=True)).people == ()
    assert len(store) == 1


def test_a_named_session_lives_longer_than_an_implied_one(
    store: SessionStore, clock: Clock
) -> None:
    send(store, walker(0))
    send(store, walker(1))
    clock.now += EXPLICIT_AGE_S - 1
    assert len(send(store, walker(2, blank=True)).people) == 1
    clock.now += EXPLICIT_AGE_S + 1
    assert send(store, walker(3, blank=True)).people == ()


def test_sessions_are_bounded_in_number_the_oldest_go_first(store: SessionStore) -> None:
    for number in range(MAX_SESSIONS + 10):
        send(store, walker(0), SessionKey(f"run {number}", "peer"))
    assert len(store) == MAX_SESSIONS
    gone = send(store, walker(1, blank=True), SessionKey("run 0", "peer"))
    kept = send(store, walker(1, blank=True), SessionKey(f"run {MAX_SESSIONS + 9}", "peer"))
    assert (len(gone.people), len(kept.people)) == (0, 1)


def test_a_session_of_a_thousand_frames_stays_small(store: SessionStore) -> None:
    for index in range(1000):
        send(store, Frame(index, 0.0, picture((20, 40, 80, 200))))
    (session,) = store._sessions.values()
    assert all(len(memory.sights) <= 24 for memory in session.memory._people.values())
    assert len(session.memory._numbers) <= 256


def test_the_primary_stays_the_same_when_somebody_larger_comes(store: SessionStore) -> None:
    first = send(store, Frame(0, 0.0, picture((20, 40, 60, 120))))
    both = send(store, Frame(1, 0.0, picture((20, 40, 60, 120), (150, 10, 250, 230))))
    assert both.people[0].track_id == first.people[0].track_id
    assert len(both.people) == 2


def test_frames_of_one_session_handed_in_together_are_followed_as_if_one_by_one() -> None:
    frames = [walker(i, blank=i == 5) for i in range(10)]
    one_by_one = SessionStore()
    single = [send(one_by_one, frame) for frame in frames]
    together = SessionStore()
    asked = [SessionFrame(frame, NAMED, together) for frame in frames]
    for alone, beside in zip(single, together.step(toy_engine(), asked), strict=True):
        assert beside.index == alone.index
        (left,), (right,) = alone.people, beside.people
        assert (left.track_id, left.provenance) == (right.track_id, right.provenance)
        np.testing.assert_array_equal(left.box_xyxy_px, right.box_xyxy_px)
    assert single[5].people[0].provenance is Provenance.PREDICTED


def test_implied_frames_handed_in_together_follow_on_each_other(store: SessionStore) -> None:
    asked = [SessionFrame(walker(i), IMPLIED, store) for i in (0, 2, 1, 3)]
    tracked = store.step(toy_engine(), asked)
    assert len(store) == 1
    assert [frame.index for frame in tracked] == [0, 2, 1, 3]
    assert {frame.people[0].track_id for frame in tracked} == {1}


class Counting(ToyDetector):
    """Remembers how many pictures came at once; fails as long as it is told to."""

    broken = False

    def __init__(self) -> None:
        self.counts: list[int] = []

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.counts.append(len(images))
        if self.broken:
            raise RuntimeError("the net fell over")
        return super().detect(images, look)


def test_frames_of_several_sessions_go_through_the_nets_together(store: SessionStore) -> None:
    detector = Counting()
    engine = replace(toy_engine(), detector=detector)
    keys = [SessionKey(f"run {i % 3}", "") for i in range(9)]
    asked = [SessionFrame(walker(i // 3), key, store) for i, key in enumerate(keys)]
    assert len(store.step(engine, asked)) == 9
    assert detector.counts == [9]
    ahead = [SessionFrame(walker(i), keys[0], store) for i in range(3, 9)]
    store.step(engine, ahead)
    # the toy tracker's regions may be asked for four frames ahead
    assert detector.counts == [9, 4, 2]


def test_frames_that_the_nets_failed_on_can_be_sent_again(store: SessionStore) -> None:
    detector = Counting()
    engine = replace(toy_engine(), detector=detector)
    asked = [SessionFrame(walker(i), IMPLIED, store) for i in range(2)]
    detector.broken = True
    with pytest.raises(RuntimeError, match="fell over"):
        store.step(engine, asked)
    detector.broken = False
    tracked = store.step(engine, asked)
    assert len(store) == 1
    assert [frame.people[0].track_id for frame in tracked] == [1, 1]


class Looking(ToyDetector):
    """Remembers what pictures were looked at for."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.looks.append(look)
        return super().detect(images, look)


def test_pictures_of_sessions_are_looked_at_as_such(store: SessionStore) -> None:
    detector = Looking()
    store.step(replace(toy_engine(), detector=detector), [SessionFrame(walker(0), NAMED, store)])
    assert detector.looks == [Look.SESSION]


class Leaping(ToyTemporal):
    """Whoever is not seen is a metre farther off."""

    def predict(self, poses: BodyPoses, times_s: Any, wanted_s: Any) -> BodyPoses:
        still = super().predict(poses, times_s, wanted_s)
        return replace(still, translations_m=still.translations_m + np.array([0.0, 0.0, 1.0]))


def test_whoever_is_missing_is_foretold_by_the_engines_own_foreteller(store: SessionStore) -> None:
    engine = replace(toy_engine(), foretell=Leaping())
    asked = [SessionFrame(walker(i, blank=i == 3), NAMED, store) for i in range(4)]
    *_, seen, missed = store.step(engine, asked)
    ahead_m = missed.people[0].pose.translations_m - seen.people[0].pose.translations_m
    np.testing.assert_allclose(ahead_m, [[0, 0, 1]])
