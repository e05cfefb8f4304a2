"""What every export is written from: a stored frame and its people's bodies."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import Person, PosedBodies, TrackedFrame
from pose_service.core.skeletons import SMPL24

# what camera axes (x right, y down, z away) are turned by, to those of animation and biomechanics
Y_UP = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class PosedPerson:
    """One body in one frame, camera axes, metres.

    `joints_m`: (24, 3) SMPL's order. `joint_sets_m`: further sets by name, (joints, 3). Neither has
    the body's translation added.
    """

    person: Person
    joints_m: FloatArray
    joint_sets_m: dict[str, FloatArray]

    @property
    def translation_m(self) -> FloatArray:
        """(3,) of the body's origin."""
        translation_m: FloatArray = self.person.pose.translations_m[0]
        return translation_m

    @property
    def joints_cam_m(self) -> FloatArray:
        """(24, 3) where the joints are before the camera: translation added."""
        return self.joints_m + self.translation_m


@dataclass(frozen=True)
class PosedFrame:
    """A frame and the bodies of its people: row i of `bodies` is person i."""

    frame: TrackedFrame
    bodies: PosedBodies

    def __post_init__(self) -> None:
        count = len(self.frame.people)
        expect_shape("bodies.joints_m", self.bodies.joints_m, (count, len(SMPL24), 3))

    def people(self) -> list[PosedPerson]:
        """In the frame's order, the primary first."""
        sets = self.bodies.joint_sets_m
        return [
            PosedPerson(
                person, self.bodies.joints_m[i], {name: sets[name][i] for name in sets}
            )
            for i, person in enumerate(self.frame.people)
        ]  # fmt: skip

    def person(self, track_id: int) -> PosedPerson | None:
        """The person of this track, if it is in the frame."""
        return next((one for one in self.people() if one.person.track_id == track_id), None)


def y_up(points_cam_m: FloatArray) -> FloatArray:
    """(..., 3) camera axes to x right, y up, z towards the camera: half a turn about x.

    >>> y_up(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, -2.0, -3.0]
    """
    turned: FloatArray = points_cam_m * Y_UP
    return turned
