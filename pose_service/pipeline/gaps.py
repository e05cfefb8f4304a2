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
    for i in np.flatnonzero(~seen & ~early & ~late):
        people[int(i)] = _between(known, poses, int(before[i]), float(times_s[i]), camera)
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
    known: KnownTrack, poses: BodyPoses, left: int, time_s: float, camera: Camera
) -> Person:
    """The person between the known places `left` and `left + 1`: slerp, and linear movement."""
    start_s, end_s = known.times_s[left], known.times_s[left + 1]
    part = float((time_s - start_s) / (end_s - start_s))
    pair = poses.take(slice(left, left + 2))
    pose = BodyPoses(
        slerp(pair.rotations[:1], pair.rotations[1:], np.array(part)),
        (1 - part) * pair.translations_m[:1] + part * pair.translations_m[1:],
        (1 - part) * pair.shapes[:1] + part * pair.shapes[1:],
    )
    confidence = _falling(min(time_s - start_s, end_s - time_s), INTERPOLATED_FALL_S)
    first = _moved(known.people[left], pose, camera, confidence)
    second = _moved(known.people[left + 1], pose, camera, confidence)
    return replace(
        first,
        provenance=Provenance.INTERPOLATED,
        confidence=(1 - part) * first.confidence + part * second.confidence,
        box_xyxy_px=(1 - part) * first.box_xyxy_px + part * second.box_xyxy_px,
        joint_confidence=(1 - part) * first.joint_confidence + part * second.joint_confidence,
    )


def _moved(person: Person, pose: BodyPoses, camera: Camera, confidence: float) -> Person:
    """`person` taken to `pose`: the box goes with the body's place and distance."""
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
    )
