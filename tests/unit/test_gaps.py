from dataclasses import replace

import numpy as np
import pytest

from pose_service.core.geometry import rotation_from_vector, vector_from_rotation
from pose_service.core.masks import Mask
from pose_service.core.records import BodyPoses, Camera, Person, Provenance
from pose_service.pipeline.gaps import CONFIDENCE_FLOOR, KnownTrack, fill
from pose_service.temporal.kinematic import KinematicModel

CAMERA = Camera(focal_px=1000.0, width_px=1000, height_px=1000)
FPS = 30.0


def person(frame: int) -> Person:
    """Turns by 0.1 rad about y, and walks 0.1 m along x, in every frame; box around its place."""
    pose = BodyPoses(
        rotation_from_vector(np.array([[[0.0, 0.1 * frame, 0.0]]])),
        np.array([[0.1 * frame, 0.0, 5.0]]),
        np.array([[1.0]]),
    )
    x, y = CAMERA.project(pose.translations_m[0])
    return Person(
        track_id=1,
        provenance=Provenance.OBSERVED,
        tracking_confidence=1.0,
        confidence=0.9,
        box_xyxy_px=np.array([x - 50, y - 100, x + 50, y + 100]),
        joint_confidence=np.full(24, 0.9),
        pose=pose,
    )


def known(frames: list[int]) -> KnownTrack:
    return KnownTrack(np.array(frames), np.array(frames) / FPS, [person(i) for i in frames])


def filled(frames: list[int], wanted: range) -> list[Person]:
    wanted_frames = np.array(wanted)
    return fill(known(frames), wanted_frames, wanted_frames / FPS, KinematicModel(), CAMERA)


def test_every_wanted_frame_gets_a_person_and_says_where_it_comes_from() -> None:
    people = filled([3, 4, 8, 9], range(12))
    words = [person.provenance.value[0] for person in people]
    assert "".join(words) == "pppooiiioopp"
    assert {person.track_id for person in people} == {1}


def test_a_gap_is_filled_along_the_shorter_arc_and_a_straight_line() -> None:
    for frame, one in enumerate(filled([0, 10], range(11))):
        turn = vector_from_rotation(one.pose.rotations)[0, 0]
        np.testing.assert_allclose(turn, [0, 0.1 * frame, 0], atol=1e-9)
        np.testing.assert_allclose(one.pose.translations_m[0], [0.1 * frame, 0, 5], atol=1e-9)


def test_the_box_goes_with_the_body() -> None:
    for frame, one in enumerate(filled([0, 10], range(11))):
        np.testing.assert_allclose(one.box_xyxy_px, person(frame).box_xyxy_px, atol=1e-6)


def test_confidence_is_one_when_seen_and_lowest_in_the_middle_of_a_gap() -> None:
    people = filled([0, 10], range(11))
    confidence = [one.tracking_confidence for one in people]
    assert confidence[0] == confidence[10] == 1.0
    assert int(np.argmin(confidence)) == 5
    assert np.all(np.diff(confidence[:6]) < 0)


def test_confidence_falls_towards_the_floor_that_readers_accept() -> None:
    confidence = [one.tracking_confidence for one in filled([0, 1], range(2, 300))]
    assert np.all(np.diff(confidence) <= 0)
    assert confidence[0] < 1.0
    assert confidence[-1] == pytest.approx(CONFIDENCE_FLOOR, abs=1e-3)
    assert min(one.joint_confidence.min() for one in filled([0, 1], range(2, 300))) > 0.3


def test_frames_before_the_first_sight_are_filled_backwards() -> None:
    people = filled([5, 6, 7, 8, 9], range(6))
    assert people[4].pose.translations_m[0, 0] < people[5].pose.translations_m[0, 0]
    assert people[0].provenance is Provenance.PREDICTED


def test_one_sight_fills_a_whole_clip() -> None:
    people = filled([4], range(10))
    assert sum(one.provenance is Provenance.OBSERVED for one in people) == 1
    for one in people:
        np.testing.assert_allclose(one.pose.translations_m, person(4).pose.translations_m)


def swinging(frame: int) -> Person:
    """Bends to and fro once in a second, by 0.5 rad about x, and stays where it is."""
    angle = 0.5 * np.sin(2 * np.pi * frame / FPS)
    pose = BodyPoses(
        rotation_from_vector(np.array([[[angle, 0.0, 0.0]]])),
        np.array([[0.0, 0.0, 5.0]]),
        np.array([[1.0]]),
    )
    return replace(person(0), pose=pose)


def swung(gap: range, length: int) -> list[float]:
    """The angles that are filled in where a swing was not seen."""
    frames = np.array([i for i in range(length) if i not in gap])
    track = KnownTrack(frames, frames / FPS, [swinging(i) for i in frames.tolist()])
    wanted = np.array(gap)
    people = fill(track, wanted, wanted / FPS, KinematicModel(), CAMERA)
    return [float(vector_from_rotation(one.pose.rotations)[0, 0, 0]) for one in people]


def test_a_movement_goes_on_into_a_short_gap() -> None:
    """The straight way cuts the swing's peak off; the movements on both sides point over it."""
    gap = range(35, 41)
    truth = [0.5 * np.sin(2 * np.pi * frame / FPS) for frame in gap]
    ends = [0.5 * np.sin(2 * np.pi * frame / FPS) for frame in (34, 41)]
    straight = np.interp(gap, (34, 41), ends)
    off = np.abs(np.subtract(swung(gap, 80), truth)).max()
    assert off < 0.6 * np.abs(straight - truth).max()


def test_a_long_gap_is_crossed_on_the_straight_way() -> None:
    """Of a movement three seconds ago exp(-3), a twentieth, is left."""
    gap = range(40, 130)
    ends = [0.5 * np.sin(2 * np.pi * frame / FPS) for frame in (39, 130)]
    straight = np.interp(gap, (39, 130), ends)
    # the movement alone would lead away by at most 8 rad/s for the 0.15 s that it lasts
    np.testing.assert_allclose(swung(gap, 170), straight, atol=0.05 * 8 * 0.15 + 1e-6)


def test_somebody_who_walks_on_evenly_is_filled_near_to_the_even_walk() -> None:
    frames = [*range(10), *range(16, 26)]
    for frame, one in zip(range(10, 16), filled(frames, range(10, 16)), strict=True):
        # foretold movements die away, so that the two of them leave a little of the way
        np.testing.assert_allclose(one.pose.translations_m[0], [0.1 * frame, 0, 5], atol=0.05)


def test_what_was_seen_in_one_frame_only_stays_there() -> None:
    track = known([0, 1, 5, 6])
    seen = [
        replace(one, raw_pose=one.pose, mask=Mask.of(np.ones((2, 2), bool)), identity_risk=0.9)
        for one in track.people
    ]
    wanted = np.arange(8)
    people = fill(replace(track, people=seen), wanted, wanted / FPS, KinematicModel(), CAMERA)
    kept = [
        (one.raw_pose is not None, one.mask is not None, one.identity_risk > 0) for one in people
    ]
    assert kept == [(one.provenance is Provenance.OBSERVED,) * 3 for one in people]
