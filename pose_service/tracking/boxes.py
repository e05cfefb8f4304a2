"""Identities by where people are and how large: a tracker for detectors that find whole bodies."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.tracking.carrying import CarriedBoxes
from pose_service.tracking.matching import costs, pairs
from pose_service.tracking.track import Track

_GIVE_UP_AFTER_S = 1.0
# how far from where they are expected people may be, in longer sides of their boxes
_REACH, _REACH_PER_S, _LARGEST_REACH = 0.35, 0.7, 1.0
# landmarks that differ by less, in the mean and as a share of the square, are one body's
_SAME_BODY = 0.05


class BoxTracker:
    """The seam's `Tracker` for one clip or session: it keeps boxes, no pictures.

    Finds are matched to tracks by place, size and velocity. See `CarriedBoxes` for `detect_every`.
    """

    def __init__(self, fps: float, detect_every: int = 1) -> None:
        self._fps = fps
        self._carried = CarriedBoxes(fps, detect_every)
        self._ids = count(1)

    @property
    def lookahead(self) -> int:
        return self._carried.lookahead

    def wants_detection(self, frame_index: int) -> bool:
        """See `CarriedBoxes`."""
        return self._carried.wants_detection(frame_index)

    def regions(self, frame_index: int, found: Regions) -> Regions:
        """See `CarriedBoxes`."""
        return self._carried.regions(frame_index, found)

    @property
    def _tracks(self) -> dict[int, Track]:
        return self._carried.tracks

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
        self._carried.see(frame_index, kept)
        self._carried.settle(frame_index, image, kept)
        return [
            replace(seen, track_id=track_id, box_xyxy_px=self._tracks[track_id].box_xyxy_px)
            for track_id, seen in kept.items()
            if track_id in self._tracks
        ]

    def _forget_old(self, frame_index: int) -> None:
        limit = _GIVE_UP_AFTER_S * self._fps
        self._carried.tracks = {
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
