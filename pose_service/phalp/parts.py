"""What the tracker asks of the nets: poses to come, and how looks differ."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.records import BoolArray

TextureT = TypeVar("TextureT")


class PosePredictor(Protocol):
    """Foretells poses from a track's last seven."""

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        """(n, 229): the poses of n tracks in the frame that comes, all in one batch.

        `poses`: (n, 7, 229) at the frames `times` (n, 7), rising; equal times are one sight.
        `missed`: (n,) frames that passed since the newest sight without another: 0 if it was in
        the frame just before the one that comes.
        """
        ...


class Looks(Protocol[TextureT]):
    """Compares people's looks and mixes them. A `TextureT` is its own matter."""

    def costs(
        self, tracks: Sequence[TextureT], detections: Sequence[TextureT], possible: BoolArray
    ) -> FloatArray:
        """(n, m) how far looks differ, 0 for alike; NaN where they cannot be compared.

        That is where two show nothing in common, and where a pair is not `possible` (n, m): of
        those nobody wants to know.
        """
        ...

    def mixed(
        self, kept: Sequence[TextureT], seen: Sequence[TextureT], scores: FloatArray
    ) -> list[TextureT]:
        """n tracks' looks, each with a new sight of `scores` (n,) mixed in."""
        ...


def newest_poses(poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
    """A `PosePredictor` without a net: poses stay as they were seen last."""
    return poses[:, -1]
