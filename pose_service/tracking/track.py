"""What is remembered of one person between frames."""

from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.records import NEW_TRACK, Observation

# share of the old velocity that a new sight leaves
_VELOCITY_MEMORY = 0.5
# a person who is not seen is less and less sure to go on: so many seconds until 1/e
_DAMPING_S = 0.4


@dataclass(frozen=True)
class Track:
    """One person. `seen_at`: frame of the last sight; `lost`: not seen in the last frame looked at.

    `velocity_px_s`: (2,) of the box's centre. `margins`: (4,) how far the last find's box reached
    beyond the body's landmarks on each side (negative left and top), in their longer extent.
    """

    track_id: int
    box_xyxy_px: FloatArray
    velocity_px_s: FloatArray
    margins: FloatArray
    score: float
    seen_at: int
    fps: float
    lost: bool = False

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("velocity_px_s", self.velocity_px_s, (2,))
        expect_shape("margins", self.margins, (4,))

    @classmethod
    def begun(cls, track_id: int, frame_index: int, seen: Observation, fps: float) -> "Track":
        box = seen.box_xyxy_px
        margins = _margins(box, seen.landmarks_px)
        return cls(track_id, box, np.zeros(2), margins, seen.confidence, frame_index, fps)

    def missed(self, frame_index: int) -> int:
        """Frames since the person was seen; sessions may step back, which counts alike."""
        return abs(frame_index - self.seen_at)

    def expected_box(self, frame_index: int) -> FloatArray:
        """(4,) where the person should be: the last movement goes on and dies away."""
        ahead_s = (frame_index - self.seen_at) / self.fps
        travel_s = np.sign(ahead_s) * _DAMPING_S * (1 - np.exp(-abs(ahead_s) / _DAMPING_S))
        return np.asarray(self.box_xyxy_px + np.tile(self.velocity_px_s * travel_s, 2))

    def after(self, frame_index: int, seen: Observation) -> "Track":
        """The track with one more sight: a detector's find, or a look at the track's own region.

        The region says nothing new of the person's extent: there the box goes with the landmarks.
        """
        is_find = seen.track_id == NEW_TRACK
        margins = _margins(seen.box_xyxy_px, seen.landmarks_px) if is_find else self.margins
        box = seen.box_xyxy_px if is_find else _box_around(seen.landmarks_px, margins)
        return replace(
            self,
            box_xyxy_px=box,
            velocity_px_s=self._velocity_px_s(frame_index, box),
            margins=margins,
            score=seen.confidence,
            seen_at=frame_index,
            lost=False,
        )

    def _velocity_px_s(self, frame_index: int, box_xyxy_px: FloatArray) -> FloatArray:
        frames = frame_index - self.seen_at
        if frames == 0:
            return self.velocity_px_s
        moved = (box_xyxy_px - self.box_xyxy_px).reshape(2, 2).mean(axis=0)
        memory = _VELOCITY_MEMORY ** abs(frames)
        speed_px_s = moved * self.fps / frames
        return np.asarray(memory * self.velocity_px_s + (1 - memory) * speed_px_s)


def _margins(box_xyxy_px: FloatArray, points_px: FloatArray) -> FloatArray:
    """(4,) from the extent of points (k, 2) to the box around them, in the extent's longer side."""
    extent, side = _extent(points_px)
    return (box_xyxy_px - extent) / side


def _box_around(points_px: FloatArray, margins: FloatArray) -> FloatArray:
    """(4,) inverse of `_margins`."""
    extent, side = _extent(points_px)
    return extent + margins * side


def _extent(points_px: FloatArray) -> tuple[FloatArray, float]:
    extent = np.concatenate([points_px.min(axis=0), points_px.max(axis=0)])
    return extent, max(float((extent[2:] - extent[:2]).max()), 1.0)
