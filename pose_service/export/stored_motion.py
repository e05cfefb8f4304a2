"""The motions of all tracks of a clip, joint by joint: on disk, since they grow with the clip."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.geometry import quaternion_from_rotation
from pose_service.core.records import Person, TrackedFrame
from pose_service.core.rig import Rig
from pose_service.export.motion import step_of
from pose_service.export.track_span import TrackSpan


@dataclass(frozen=True)
class StoredMotion:
    """One track in the n frames in which it is shown, axes of `y_up`, all float32.

    `times_s`: (n,). `roots_m`: (n, 3). `quaternions`: (j, n, 4) x, y, z, w, each nearest to the one
    before. `until_s`: when the track is not shown any more; None if it is shown to the end.
    """

    track_id: int
    rig: Rig
    times_s: FloatArray
    roots_m: FloatArray
    quaternions: FloatArray
    until_s: float | None

    def __post_init__(self) -> None:
        expect_shape("times_s", self.times_s, ("n",))
        count = len(self.times_s)
        expect_shape("roots_m", self.roots_m, (count, 3))
        expect_shape("quaternions", self.quaternions, (len(self.rig.joint_names), count, 4))


def store_motions(
    frames: Iterable[TrackedFrame],
    spans: Mapping[int, TrackSpan],
    rigs: Mapping[int, Rig],
    folder: Path,
) -> list[StoredMotion]:
    """By track id; the arrays are files in `folder`, which must live as long as they are used."""
    writers = {key: _Writer(rigs[key], spans[key], folder) for key in spans}
    for frame in frames:
        for person in frame.people:
            writers[person.track_id].add(frame, person)
        for writer in writers.values():
            writer.note_end(frame)
    return [writer.motion() for writer in writers.values()]


class _Writer:
    """Fills the arrays of one track. A frame without it takes no row: programs blend across."""

    def __init__(self, rig: Rig, span: TrackSpan, folder: Path) -> None:
        self._rig, self._span, self._rows = rig, span, 0
        joints, most = len(rig.joint_names), len(span)
        shapes = {"times": (most,), "roots": (most, 3), "turns": (joints, most, 4)}
        self._arrays = {
            name: open_memmap(folder / f"{span.track_id}-{name}.npy", "w+", np.float32, shape)
            for name, shape in shapes.items()
        }
        self._until_s: float | None = None

    def add(self, frame: TrackedFrame, person: Person) -> None:
        step = step_of(frame, person.pose, self._rig)
        turns = np.roll(quaternion_from_rotation(step.rotations), -1, axis=-1)
        if self._rows:
            before = self._arrays["turns"][:, self._rows - 1]
            turns = np.where(np.sum(turns * before, axis=-1, keepdims=True) < 0, -turns, turns)
        self._arrays["times"][self._rows] = step.time_s
        self._arrays["roots"][self._rows] = step.root_m
        self._arrays["turns"][:, self._rows] = turns
        self._rows += 1

    def note_end(self, frame: TrackedFrame) -> None:
        if frame.index == self._span.last + 1:
            self._until_s = frame.time_s

    def motion(self) -> StoredMotion:
        arrays = self._arrays
        return StoredMotion(
            track_id=self._span.track_id,
            rig=self._rig,
            times_s=arrays["times"][: self._rows],
            roots_m=arrays["roots"][: self._rows],
            quaternions=arrays["turns"][:, : self._rows],
            until_s=self._until_s,
        )
