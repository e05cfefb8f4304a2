"""One track as the motion of a rig: what animation files are written from.

Axes are those of `y_up`: x right, y up, z towards the camera.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.errors import BadRequestError
from pose_service.core.records import BodyPoses, TrackedFrame
from pose_service.core.rig import Rig
from pose_service.export.posed import Y_UP, y_up
from pose_service.export.track_span import TrackSpan


@dataclass(frozen=True)
class Step:
    """A frame of a motion.

    `root_m`: (3,) of the root joint. `rotations`: (j, 3, 3), the root's into the axes of the file,
    the others' into their parent's.
    """

    frame_index: int
    time_s: float
    root_m: FloatArray
    rotations: FloatArray

    def __post_init__(self) -> None:
        expect_shape("root_m", self.root_m, (3,))
        expect_shape("rotations", self.rotations, ("j", 3, 3))


def motion_of(frames: Iterable[TrackedFrame], span: TrackSpan, rig: Rig) -> Iterator[Step]:
    """A step for every frame of the span; where the track has a hole it stands still."""
    last: BodyPoses | None = None
    for frame in frames:
        if not span.first <= frame.index <= span.last:
            continue
        poses = (one.pose for one in frame.people if one.track_id == span.track_id)
        last = next(poses, last)
        if last is not None:
            yield step_of(frame, last, rig)


def step_of(frame: TrackedFrame, pose: BodyPoses, rig: Rig) -> Step:
    """`pose`, one body, in the axes of files and rig."""
    local = rig.rest_axes @ pose.rotations[0] @ rig.rest_axes.T
    local[0] = np.diag(Y_UP) @ pose.rotations[0, 0] @ rig.rest_axes.T
    return Step(frame.index, frame.time_s, y_up(pose.translations_m[0] + rig.root_cam_m), local)


def mean_shapes(frames: Iterable[TrackedFrame]) -> dict[int, FloatArray]:
    """The shape (shape parameters,) of every track; the mean where frames have one each."""
    sums: dict[int, FloatArray] = {}
    counts: dict[int, int] = {}
    for frame in frames:
        for person in frame.people:
            shape, key = person.pose.shapes[0].astype(np.float64), person.track_id
            sums[key] = sums.get(key, np.zeros_like(shape)) + shape
            counts[key] = counts.get(key, 0) + 1
    if not sums:
        raise BadRequestError("nobody was found in this clip, so there is nothing to write")
    return {key: total / counts[key] for key, total in sums.items()}
