"""What is remembered of one person between frames; no picture is."""

from dataclasses import dataclass, replace

import numpy as np

from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import Observation
from pose_service.tracking.colours import likeness

_HISTORY = 7
# frames squared: pulls the velocity to zero, the more the fewer and closer the sights are
_RIDGE = 1.2
# A line is followed no farther: across as in PHALP, up and down hardly, for who jumps comes down.
_FARTHEST_ACROSS, _FARTHEST_UPRIGHT = 49, 4
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
    that look saw nobody. `sightings` counts observations. `times`: (7,) frame indices of the last
    ones, in any order, and `places_px`: (7, 2) where the square was; a young track has its first
    one several times. `colours`: running mean of the torso's histogram.
    """

    track_id: int
    roi: Roi
    seen_at: int
    tried_at: int
    sightings: int
    times: IntArray
    places_px: FloatArray
    colours: FloatArray
    lost: bool = False

    def __post_init__(self) -> None:
        expect_shape("times", self.times, (_HISTORY,))
        expect_shape("places_px", self.places_px, (_HISTORY, 2))

    @classmethod
    def begun(cls, track_id: int, sighting: Sighting) -> "Track":
        at, roi = sighting.frame_index, sighting.roi
        times, places = np.full(_HISTORY, at), np.tile([roi.x, roi.y], (_HISTORY, 1))
        return cls(track_id, roi, at, at, 1, times, places, sighting.colours)

    def missed(self, frame_index: int) -> int:
        """Frames since the person was seen; sessions may step back, which counts alike."""
        return abs(frame_index - self.seen_at)

    def expected(self, frame_index: int, farthest: int = _FARTHEST_ACROSS) -> Roi:
        """Where the person should be: on the straight line of the last sights.

        It is followed at most `farthest` frames beyond the newest one. The closed form of PHALP's
        location predictor (Rajasegaran et al. 2022).
        """
        farthest_frames = np.minimum([_FARTHEST_ACROSS, _FARTHEST_UPRIGHT], farthest)
        ahead = np.clip(frame_index - self.seen_at, -farthest_frames, farthest_frames)
        middle = self.times.mean()
        since = self.times - middle
        slope = since @ self.places_px / (since @ since + _RIDGE)
        x, y = self.places_px.mean(axis=0) + slope * (self.seen_at + ahead - middle)
        return self.roi._replace(x=float(x), y=float(y))

    def looked_for(self, frame_index: int) -> "Track":
        return replace(self, tried_at=frame_index)

    def after(self, sighting: Sighting) -> "Track":
        """The track with one more sighting."""
        roi, at = sighting.roi, sighting.frame_index
        return replace(
            self,
            roi=roi,
            seen_at=at,
            tried_at=at,
            sightings=self.sightings + 1,
            lost=False,
            times=np.append(self.times[1:], at),
            places_px=np.concatenate([self.places_px[1:], [[roi.x, roi.y]]]),
            colours=_COLOUR_MEMORY * self.colours + (1 - _COLOUR_MEMORY) * sighting.colours,
        )

    def likeness(self, colours: FloatArray) -> float:
        """0 to 1, of a torso's colours to those of this person."""
        return likeness(self.colours, colours)
