"""A person for every frame wanted: observed where seen, filled and marked so where not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.geometry import slerp
from pose_service.core.records import BodyPoses, Camera, Person, Provenance
from pose_service.engines.seam import TemporalModel

# Confidence in a filled pose falls with the time to the nearest frame in which the person was
# seen, to a floor: readers drop a pose whose joints have less than 0.3 on average, and people who
# are seen at all have about 0.65 and more.
CONFIDENCE_FLOOR = 0.5
INTERPOLATED_FALL_S = 0.5
PREDICTED_FALL_S = 0.25
# In a short gap movements go on from both sides; the longer it is, the less they tell of its
# middle, and the nearer is the way to the straight one. Measured by hiding frames of real clips
# (docs/tracklets.md): joints 9 to 21 % nearer than by slerp alone where 5 frames are hidden, 3 to
# 11 % where 20 are, the same where 60 are.
MOVEMENT_FADES_S = 1.0


@dataclass(frozen=True)
class KnownTrack:
    """One person where seen: `frames` (n,) increasing, `times_s` (n,), and the n people."""

    frames: IntArray
    times_s: FloatArray
    people: Sequence[Person]

    def __post_init__(self) -> None:
        expect_shape("frames", self.frames, (len(self.people),))
        expect_shape("times_s", self.times_s, (len(self.people),))

    @property
    def poses(self) -> BodyPoses:
        return BodyPoses.join([person.pose for person in self.people])


def fill(
    known: KnownTrack,
    frames: IntArray,
    times_s: FloatArray,
    temporal: TemporalModel,
    camera: Camera,
) -> list[Person]:
    """The person of `known` (at least one) in each of `frames` (m,), at `times_s` (m,)."""
    poses = known.poses
    before = np.searchsorted(known.frames, frames, side="right") - 1
    seen = (before >= 0) & (known.frames[np.maximum(before, 0)] == frames)
    early, late = frames < known.frames[0], frames > known.frames[-1]
    people: dict[int, Person] = {
        int(i): known.people[before[i]] for i in np.flatnonzero(seen)
    }  # fmt: skip
    inside = ~seen & ~early & ~late
    for left in np.unique(before[inside]):
        places = np.flatnonzero(inside & (before == left))
        between = _between(known, poses, int(left), times_s[places], temporal, camera)
        people.update(zip(places.tolist(), between, strict=True))
    for outside, near in ((early, 0), (late, len(known.people) - 1)):
        places = np.flatnonzero(outside)
        if len(places):
            predicted = temporal.predict(poses, known.times_s, times_s[places])
            for i, pose in zip(places, predicted, strict=True):
                away_s = abs(float(times_s[i] - known.times_s[near]))
                people[int(i)] = _moved(
                    known.people[near], pose, camera, predicted_confidence(away_s)
                )
    return [people[i] for i in range(len(frames))]


def predicted_confidence(away_s: float) -> float:
    """Confidence in a pose foretold from `away_s` seconds before (or after)."""
    return _falling(away_s, PREDICTED_FALL_S)


def _falling(away_s: float, fall_s: float) -> float:
    return CONFIDENCE_FLOOR + (1 - CONFIDENCE_FLOOR) * float(np.exp(-away_s / fall_s))


def _between(
    known: KnownTrack,
    poses: BodyPoses,
    left: int,
    times_s: FloatArray,
    temporal: TemporalModel,
    camera: Camera,
) -> list[Person]:
    """The person at `times_s` (m,), all between the known places `left` and `left + 1`."""
    filled = _bridged(poses, known.times_s, left, times_s, temporal)
    start_s, end_s = known.times_s[left], known.times_s[left + 1]
    nearer_s = np.minimum(times_s - start_s, end_s - times_s)
    return [
        _mean(
            [_moved(known.people[side], pose, camera, confidence) for side in (left, left + 1)],
            float(part),
        )
        for pose, part, confidence in zip(
            filled,
            (times_s - start_s) / (end_s - start_s),
            (_falling(float(away_s), INTERPOLATED_FALL_S) for away_s in nearer_s),
            strict=True,
        )
    ]


def _bridged(
    poses: BodyPoses,
    known_s: FloatArray,
    left: int,
    wanted_s: FloatArray,
    temporal: TemporalModel,
) -> BodyPoses:
    """Poses between the known places `left` and `left + 1`: one way made of two.

    The straight one: slerp, and a line. And that of the movements before and after the gap, each
    foretold and believed by nearness, which counts the less the longer the gap is.
    """
    start_s, end_s = known_s[left], known_s[left + 1]
    parts = (wanted_s - start_s) / (end_s - start_s)
    straight = _blended(
        poses.take(np.full(len(wanted_s), left)),
        poses.take(np.full(len(wanted_s), left + 1)),
        parts,
    )
    moving = _blended(
        temporal.predict(poses.take(slice(left + 1)), known_s[: left + 1], wanted_s),
        temporal.predict(poses.take(slice(left + 1, None)), known_s[left + 1 :], wanted_s),
        parts,
    )
    belief = float(np.exp(-(end_s - start_s) / MOVEMENT_FADES_S))
    return _blended(straight, moving, np.full(len(wanted_s), belief))


def _blended(first: BodyPoses, second: BodyPoses, parts: FloatArray) -> BodyPoses:
    """Body by body between `first` (where its part, (n,), is 0) and `second` (where it is 1)."""
    part = parts[:, None]
    return BodyPoses(
        slerp(first.rotations, second.rotations, part),
        (1 - part) * first.translations_m + part * second.translations_m,
        (1 - part) * first.shapes + part * second.shapes,
    )


def _mean(sides: Sequence[Person], part: float) -> Person:
    """The person of both `sides`, who have one pose, as far from the first as `part` says."""
    first, second = sides
    return replace(
        first,
        provenance=Provenance.INTERPOLATED,
        confidence=(1 - part) * first.confidence + part * second.confidence,
        box_xyxy_px=(1 - part) * first.box_xyxy_px + part * second.box_xyxy_px,
        joint_confidence=(1 - part) * first.joint_confidence + part * second.joint_confidence,
    )


def _moved(person: Person, pose: BodyPoses, camera: Camera, confidence: float) -> Person:
    """`person` taken to `pose`: the box goes with the body's place and distance.

    What was seen in `person`'s own frame only is left behind.
    """
    old, new = person.pose.translations_m[0], pose.translations_m[0]
    here, there = camera.project(np.stack([old, new]))
    grown = (person.box_xyxy_px.reshape(2, 2) - here) * (old[2] / new[2]) + there
    return replace(
        person,
        provenance=Provenance.PREDICTED,
        tracking_confidence=confidence,
        confidence=person.confidence * confidence,
        box_xyxy_px=grown.reshape(4),
        joint_confidence=person.joint_confidence * confidence,
        pose=pose,
        raw_pose=None,
        mask=None,
        identity_risk=0.0,
        landmarks_px=None,
        landmark_confidence=None,
    )
