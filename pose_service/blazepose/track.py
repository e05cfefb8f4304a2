"""What is remembered of one person between frames; no picture is."""

from dataclasses import dataclass, replace

import numpy as np

from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray
from pose_service.core.records import Observation
from pose_service.tracking.colours import likeness

_VELOCITY_MEMORY = 0.5
_VELOCITY_DAMPING = 0.8  # per frame: a person who is not seen is less and less sure to go on
_COLOUR_MEMORY = 0.9


@dataclass(frozen=True)
class Sighting:
    """What was seen of one body in one frame, with its torso's histogram."""

    frame_index: int
    seen: Observation
    colours: FloatArray

    @property
    def roi(self) -> Roi:
        return Roi(*self.seen.roi.tolist())


@dataclass(frozen=True)
class Track:
    """One person of a clip.

    `seen_at`, `tried_at`: frame indices of the last observation and the last look; `lost` when
    that look saw nobody. `sightings` counts observations. `velocity`: (2,) share of the side per
    frame. `colours`: running mean of the torso's histogram.
    """

    track_id: int
    roi: Roi
    seen_at: int
    tried_at: int
    sightings: int
    velocity: FloatArray
    colours: FloatArray
    lost: bool = False

    @classmethod
    def begun(cls, track_id: int, sighting: Sighting) -> "Track":
        at = sighting.frame_index
        return cls(track_id, sighting.roi, at, at, 1, np.zeros(2), sighting.colours)

    def missed(self, frame_index: int) -> int:
        """Frames since the person was seen; sessions may step back, which counts alike."""
        return abs(frame_index - self.seen_at)

    def expected(self, frame_index: int) -> Roi:
        """Where the person should be: a little further along the way they went."""
        frames = self.missed(frame_index)
        reach = (1 - _VELOCITY_DAMPING**frames) / (1 - _VELOCITY_DAMPING) * _VELOCITY_DAMPING
        x, y = (self.roi.x, self.roi.y) + self.velocity * self.roi.side * reach
        return self.roi._replace(x=float(x), y=float(y))

    def looked_for(self, frame_index: int) -> "Track":
        return replace(self, tried_at=frame_index)

    def after(self, sighting: Sighting) -> "Track":
        """The track with one more sighting."""
        roi, old = sighting.roi, self.roi
        moved = np.array([roi.x - old.x, roi.y - old.y]) / max(old.side, 1.0)
        speed = moved / max(self.missed(sighting.frame_index), 1)
        return replace(
            self,
            roi=roi,
            seen_at=sighting.frame_index,
            tried_at=sighting.frame_index,
            sightings=self.sightings + 1,
            lost=False,
            velocity=_VELOCITY_MEMORY * self.velocity + (1 - _VELOCITY_MEMORY) * speed,
            colours=_COLOUR_MEMORY * self.colours + (1 - _COLOUR_MEMORY) * sighting.colours,
        )

    def likeness(self, colours: FloatArray) -> float:
        """0 to 1, of a torso's colours to those of this person."""
        return likeness(self.colours, colours)
