"""Clips made by hand for the tests of the exports."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import (
    BodyPoses,
    Camera,
    ClipInfo,
    Person,
    PosedBodies,
    Provenance,
    TrackedFrame,
)
from pose_service.core.skeletons import HMR44
from pose_service.export.posed import PosedFrame
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipRun

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "tracklets" / "sample.pkl"
FPS = 25.0
WIDTH_PX, HEIGHT_PX = 1280, 720
# HMR 2.0's camera for a picture of this size
CAMERA = Camera(5000 / 256 * WIDTH_PX, WIDTH_PX, HEIGHT_PX)


def smpl_person(track_id: int, index: int, provenance: Provenance = Provenance.OBSERVED) -> Person:
    """Somebody with SMPL's parameters who turns and walks: other numbers in every frame."""
    turns = 0.05 * np.sin(np.arange(72) + track_id + index / 7).reshape(1, 24, 3)
    place = np.array([[0.3 * track_id + 0.02 * index, -0.1, 30.0 + track_id]])
    pose = BodyPoses(rotation_from_vector(turns), place, 0.1 * np.ones((1, 10)) * track_id)
    x, y = CAMERA.project(place[0])
    return Person(
        track_id=track_id,
        provenance=provenance,
        tracking_confidence=1.0,
        confidence=0.9,
        box_xyxy_px=np.array([x - 60, y - 150, x + 60, y + 150]),
        joint_confidence=np.full(24, 0.9),
        pose=pose,
    )


def frame_of(index: int, people: Sequence[Person]) -> TrackedFrame:
    return TrackedFrame(index, index / FPS, CAMERA, tuple(people), processing_ms=1.0)


def walk(words: str, track_id: int = 1) -> list[TrackedFrame]:
    """A frame for each letter: observed, predicted, interpolated, or - for nobody."""
    known = {word.value[0]: word for word in Provenance}
    return [
        frame_of(index, [] if word == "-" else [smpl_person(track_id, index, known[word])])
        for index, word in enumerate(words)
    ]


def joints44_m(person: Person) -> FloatArray:
    """(44, 3) that differ from person to person and frame to frame."""
    steps = np.arange(132).reshape(44, 3) + person.pose.translations_m[0, 0]
    return 0.5 * np.sin(steps)


def posed(frames: Iterable[TrackedFrame]) -> list[PosedFrame]:
    """With joints in place of a body model's."""
    return [PosedFrame(frame, _bodies(frame.people)) for frame in frames]


def _bodies(people: Sequence[Person]) -> PosedBodies:
    points = np.array([joints44_m(person) for person in people]).reshape(-1, len(HMR44), 3)
    return PosedBodies(points[:, :24], {HMR44.name: points}, None)


def stored(folder: Path, frames: Sequence[TrackedFrame], body_name: str) -> StoredClip:
    """The clip as a job leaves it."""
    info = ClipInfo(len(frames), FPS, WIDTH_PX, HEIGHT_PX, len(frames) / FPS)
    ids = [person.track_id for frame in frames for person in frame.people]
    write_result(folder, ClipRun(info, min(ids, default=None), "toy/1", body_name, iter(frames)))
    return StoredClip.open(folder)
