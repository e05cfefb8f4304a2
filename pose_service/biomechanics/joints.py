"""The joints of one person through time, as all measures read them: seen, or not there at all."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.skeletons import Skeleton

LIMB_JOINTS = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)
"""The twelve joints that every joint set of the service has under these names."""

LEAST_CONFIDENCE = 0.3
"""Joints that are less sure count as not seen."""


@dataclass(frozen=True)
class JointSeries:
    """One person's joints in n frames. Make it with `observed`.

    `times_s`: (n,), increasing. `points`: (n, joints, 2) pixels, y down, or (n, joints, 3) metres,
    camera axes, translation added; NaN in all axes where a joint was not seen. `confidence`:
    (n, joints) 0 to 1, 0 where not seen. `down`: (2,) or (3,) direction of gravity, length 1.
    """

    skeleton: Skeleton
    times_s: FloatArray
    points: FloatArray
    confidence: FloatArray
    down: FloatArray

    def __post_init__(self) -> None:
        count, joints = len(self.times_s), len(self.skeleton)
        expect_shape("times_s", self.times_s, (count,))
        expect_shape("points", self.points, (count, joints, "axes"))
        expect_shape("confidence", self.confidence, (count, joints))
        axes = self.points.shape[2]
        if axes not in (2, 3):
            raise ValueError(f"points: expected 2 or 3 axes, got {axes}")
        expect_shape("down", self.down, (axes,))
        if not np.all(np.diff(self.times_s) > 0) or not np.all(np.isfinite(self.times_s)):
            raise ValueError("times_s: expected increasing numbers, got some that are not")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def axes(self) -> int:
        """2 in the image plane, 3 in space."""
        return int(self.points.shape[2])

    def point(self, joint: str) -> FloatArray:
        """(n, axes) places of the joint of this name."""
        place: FloatArray = self.points[:, self.skeleton.index(joint)]
        return place

    def named(self, *joints: str) -> FloatArray:
        """(n, len(joints), axes) places of the joints of these names."""
        places: FloatArray = self.points[:, [self.skeleton.index(joint) for joint in joints]]
        return places

    def middle(self, joint: str) -> FloatArray:
        """(n, axes) half-way between the left and the right joint: `middle("hip")`."""
        return (self.point(f"left_{joint}") + self.point(f"right_{joint}")) / 2

    def trunk(self) -> FloatArray:
        """(n, axes) from mid-hip to mid-shoulder. Its length is the unit of all other lengths."""
        return self.middle("shoulder") - self.middle("hip")

    def trunk_length(self) -> FloatArray:
        """(n,) in the units of `points`; NaN where it has no length."""
        length = np.linalg.norm(self.trunk(), axis=-1)
        return np.where(length > 0, length, np.nan)

    def with_points(self, points: FloatArray) -> "JointSeries":
        """The same with other places, for example smoothed ones."""
        return replace(self, points=points)


def observed(
    skeleton: Skeleton,
    times_s: FloatArray,
    points: FloatArray,
    confidence: FloatArray,
    *,
    least_confidence: float = LEAST_CONFIDENCE,
    down: FloatArray | None = None,
) -> JointSeries:
    """A series in which only joints that were seen have a place.

    Arrays as in `JointSeries`. A joint counts as seen where its confidence is `least_confidence`
    or more and its place is finite; a frame without the person has NaN or confidence 0 throughout.
    `down` is the picture's own (level camera) where it is not given; it need not have length 1.
    """
    expect_shape("points", points, (len(times_s), len(skeleton), "axes"))
    expect_shape("confidence", confidence, (len(times_s), len(skeleton)))
    sure = np.where(np.isfinite(confidence), confidence, 0.0).clip(0.0, 1.0)
    seen = (sure >= max(least_confidence, np.finfo(float).tiny)) & np.isfinite(points).all(axis=-1)
    direction = np.eye(points.shape[-1])[1] if down is None else np.asarray(down, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    if not length > 0:
        raise ValueError(f"down: expected a direction, got {direction.tolist()}")
    return JointSeries(
        skeleton,
        np.asarray(times_s, dtype=np.float64),
        np.where(seen[..., None], points, np.nan),
        np.where(seen, sure, 0.0),
        direction / length,
    )


def optional(value: float) -> float | None:
    """None instead of NaN, as records and answers say that a value is not known."""
    return float(value) if math.isfinite(value) else None
