"""Identities by where people are and how large: a tracker for detectors that find whole bodies."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.tracking.matching import costs, pairs
from pose_service.tracking.track import Track

_LOOKAHEAD = 8
_GIVE_UP_AFTER_S = 1.0
# how far from where they are expected people may be, in longer sides of their boxes
_REACH, _REACH_PER_S, _LARGEST_REACH = 0.35, 0.7, 1.0
# landmarks that differ by less, in the mean and as a share of the square, are one body's
_SAME_BODY = 0.05
# of a person who is leaving, so much of the box is still in the picture
_LEAST_VISIBLE = 0.25


class BoxTracker:
    """The seam's `Tracker` for one clip or session: it keeps boxes, no pictures.

    With `detect_every` 1 every frame is detected, and finds are matched to tracks by place, size
    and velocity, so that several frames may be looked at together. With k, a detector looks at
    every k-th frame and whenever nobody is tracked; in between each live track's own box is looked
    at, which shows somebody there even when that person has just left: at most k - 1 frames long.
    """

    def __init__(self, fps: float, detect_every: int = 1) -> None:
        self._fps = fps
        self._detect_every = detect_every
        self._tracks: dict[int, Track] = {}
        self._ids = count(1)
        self._detected_at: int | None = None

    @property
    def lookahead(self) -> int:
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

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        """The observations that belong to a track, each with its track's id and box.

        Where two show one body the older track's is kept. A find that no track can claim begins a
        track, under an id never used before.
        """
        self._forget_old(frame_index)
        own = {seen.track_id: seen for seen in observations if seen.track_id in self._tracks}
        finds = [seen for seen in observations if seen.track_id == NEW_TRACK]
        for lost in (False, True):
            own |= self._claimed(frame_index, finds, own, lost=lost)
        claimed = {id(seen) for seen in own.values()}
        begun = [(next(self._ids), seen) for seen in finds if id(seen) not in claimed]
        kept = _distinct([*sorted(own.items()), *begun])
        for track_id, seen in kept.items():
            self._tracks[track_id] = self._with(track_id, frame_index, seen)
        self._settle(frame_index, image, kept.keys())
        return [
            replace(seen, track_id=track_id, box_xyxy_px=self._tracks[track_id].box_xyxy_px)
            for track_id, seen in kept.items()
            if track_id in self._tracks
        ]

    def _live(self) -> list[Track]:
        return [track for track in self._tracks.values() if not track.lost]

    def _forget_old(self, frame_index: int) -> None:
        limit = _GIVE_UP_AFTER_S * self._fps
        self._tracks = {
            key: track for key, track in self._tracks.items() if track.missed(frame_index) <= limit
        }

    def _claimed(
        self,
        frame_index: int,
        finds: Sequence[Observation],
        taken: dict[int, Observation],
        *,
        lost: bool,
    ) -> dict[int, Observation]:
        """Track id to its find, for the live or the lost tracks that are none of `taken`."""
        used = {id(seen) for seen in taken.values()}
        free = [seen for seen in finds if id(seen) not in used]
        tracks = [
            track
            for track in self._tracks.values()
            if track.lost == lost and track.track_id not in taken
        ]
        if not free or not tracks:
            return {}
        expected = np.array([track.expected_box(frame_index) for track in tracks])
        missed_s = np.array([track.missed(frame_index) for track in tracks]) / self._fps
        reaches = np.minimum(_REACH + _REACH_PER_S * missed_s, _LARGEST_REACH)
        boxes = np.array([seen.box_xyxy_px for seen in free])
        matched = pairs(costs(expected, boxes, reaches))
        return {tracks[row].track_id: free[column] for row, column in matched}

    def _with(self, track_id: int, frame_index: int, seen: Observation) -> Track:
        track = self._tracks.get(track_id)
        if track is None:
            return Track.begun(track_id, frame_index, seen, self._fps)
        return track.after(frame_index, seen)

    def _settle(self, frame_index: int, image: ImageArray, seen_ids: Iterable[int]) -> None:
        """Tracks that were not seen are lost; those whose person has left the picture end."""
        seen = set(seen_ids)
        limits_px = np.array(image.shape[1::-1])
        self._tracks = {
            key: track if key in seen else replace(track, lost=True)
            for key, track in self._tracks.items()
            if _visible_share(track.expected_box(frame_index), limits_px) >= _LEAST_VISIBLE
        }


def _distinct(sights: Sequence[tuple[int, Observation]]) -> dict[int, Observation]:
    """Without those that show the body of one before them."""
    kept: dict[int, Observation] = {}
    for track_id, seen in sights:
        if not any(_same_body(other, seen) for other in kept.values()):
            kept[track_id] = seen
    return kept


def _same_body(one: Observation, other: Observation) -> bool:
    apart = np.linalg.norm(one.landmarks_px - other.landmarks_px, axis=1).mean()
    return bool(apart < _SAME_BODY * max(one.roi[2], 1.0))


def _visible_share(box_xyxy_px: FloatArray, limits_px: FloatArray) -> float:
    """How much of a box's area lies in a picture of limits (2,) width, height."""
    low, high = box_xyxy_px.reshape(2, 2)
    inside = np.clip(np.minimum(high, limits_px) - np.maximum(low, 0), 0, None).prod()
    return float(inside / max((high - low).prod(), 1e-9))
