"""Tracks' boxes carried over the frames in which no detector looks."""

from collections.abc import Container, Mapping
from dataclasses import replace

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Observation, Regions
from pose_service.tracking.track import Track

_LOOKAHEAD = 8
# of a person who is leaving, so much of the box is still in the picture
_LEAST_VISIBLE = 0.25


class CarriedBoxes:
    """When a detector should look, and where to look when it does not: of one clip or session.

    With `detect_every` 1 every frame is detected, so that several may be looked at together. With
    k, a detector looks at every k-th frame and whenever nobody is tracked; in between each live
    track's own box is looked at, which shows somebody there even when that person has just left:
    at most k - 1 frames long.
    """

    def __init__(self, fps: float, detect_every: int = 1) -> None:
        self.tracks: dict[int, Track] = {}
        self._fps = fps
        self._detect_every = detect_every
        self._detected_at: int | None = None

    @property
    def lookahead(self) -> int:
        """See `engines.seam.Tracker`."""
        return _LOOKAHEAD if self._detect_every == 1 else 1

    def wants_detection(self, frame_index: int) -> bool:
        """On every k-th frame, and on each while nobody is tracked."""
        if self._detect_every == 1 or self._detected_at is None:
            return True
        waited = abs(frame_index - self._detected_at)
        return waited >= self._detect_every or not self._live()

    def regions(self, frame_index: int, found: Regions) -> Regions:
        """The finds where a detector looked, else the boxes of live tracks where they should be."""
        if self.wants_detection(frame_index):
            self._detected_at = frame_index
            return found
        live = self._live()
        boxes = np.array([track.expected_box(frame_index) for track in live])
        return replace(
            Regions.of_boxes(boxes),
            scores=np.array([track.score for track in live]),
            track_ids=np.array([track.track_id for track in live]),
        )

    def see(self, frame_index: int, sights: Mapping[int, Observation]) -> None:
        """New sights by the ids of their tracks, of which some may be new."""
        for track_id, seen in sights.items():
            track = self.tracks.get(track_id)
            if track is None:
                self.tracks[track_id] = Track.begun(track_id, frame_index, seen, self._fps)
            else:
                self.tracks[track_id] = track.after(frame_index, seen)

    def settle(self, frame_index: int, image: ImageArray, seen_ids: Container[int]) -> None:
        """Tracks that were not seen are lost; those whose person has left the picture end."""
        limits_px = np.array(image.shape[1::-1])
        self.tracks = {
            key: track if key in seen_ids else replace(track, lost=True)
            for key, track in self.tracks.items()
            if _visible_share(track.expected_box(frame_index), limits_px) >= _LEAST_VISIBLE
        }

    def _live(self) -> list[Track]:
        return [track for track in self.tracks.values() if not track.lost]


def _visible_share(box_xyxy_px: FloatArray, limits_px: FloatArray) -> float:
    """How much of a box's area lies in a picture of limits (2,) width, height."""
    low, high = box_xyxy_px.reshape(2, 2)
    inside = np.clip(np.minimum(high, limits_px) - np.maximum(low, 0), 0, None).prod()
    return float(inside / max((high - low).prod(), 1e-9))
