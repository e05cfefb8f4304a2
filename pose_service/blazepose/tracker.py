"""Keeps identities through a clip: each person's square is carried from frame to frame.

What PHALP can do without nets is done as PHALP does it: straight lines through the last sights, a
cost with a gate, patience. See docs/phalp.md.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from pose_service.blazepose.appearance import torso_colours
from pose_service.blazepose.boxes import around_rois
from pose_service.blazepose.claims import GATE, cost, identity_risk, taken_up
from pose_service.blazepose.landmarks import LIMBS
from pose_service.blazepose.roi import Roi
from pose_service.blazepose.same_body import limb_distance
from pose_service.blazepose.track import Sighting, Track
from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions

_DETECT_EVERY = 10
_DETECT_EVERY_ALONE = 3  # while nobody is tracked
_RETRY_EVERY = 3
_RETRY_AT_ONCE = 10  # frames after the loss in which every one is tried: most gaps are short
_STOP_LOOKING_AFTER = 30  # from then on only a detector's find brings a lost person back
_PATIENCE_S = 50 / 30  # upstream's 50 frames, at the usual rate
# so many frames after the last sight somebody who was leaving has left
_GOES_ON = 4

_NEAR_LIVE = 0.15
_SAME_BODY = 0.08
_FIRM_AFTER = 5

_SHOULDERS = (0.5, 0.3)  # in a person's square; the hips are its centre
_SIZE_RATIOS = (0.6, 1.6)
_ALIKE = 0.7


class RoiTracker:
    """The seam's `Tracker` for one clip or session. It keeps squares and colours, no pictures."""

    # where to look comes from what was seen in the frame before
    lookahead = 1

    def __init__(self, fps: float = 30.0) -> None:
        self._fps = fps
        self._tracks: dict[int, Track] = {}
        self._ids = count(1)
        self._detected_at: int | None = None

    def wants_detection(self, frame_index: int) -> bool:
        """On the first frame and every tenth; every third while nobody is tracked."""
        if self._detected_at is None:
            return True
        alone = all(track.lost for track in self._tracks.values())
        waited = abs(frame_index - self._detected_at)
        return waited >= (_DETECT_EVERY_ALONE if alone else _DETECT_EVERY)

    def regions(self, frame_index: int, found: Regions) -> Regions:
        """The squares of live tracks, of lost ones now and then, and finds away from live ones."""
        if self.wants_detection(frame_index):
            self._detected_at = frame_index
        self._tracks = {
            track_id: track
            for track_id, track in self._tracks.items()
            if track.missed(frame_index) <= _PATIENCE_S * self._fps
        }
        tracks = self._tracks.values()
        live = [track.expected(frame_index) for track in tracks if not track.lost]
        tried = [track.looked_for(frame_index) for track in tracks if _is_due(track, frame_index)]
        self._tracks.update({track.track_id: track for track in tried})
        away = [not _near(live, Roi(*row)) for row in found.rois.tolist()]
        fresh = found.take(np.flatnonzero(away))
        return Regions.join([_carried(tried, frame_index), fresh])

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        """The observations that belong to a track, each with its id, colours and identity risk.

        A find that no lost track can claim begins a new track, under an id never used before.
        """
        before = self._tracks
        sightings = [
            Sighting(frame_index, seen, torso_colours(image, seen.landmarks_px))
            for seen in observations
        ]
        kept: dict[int, Sighting] = {}
        for sighting in sorted(self._of_tracks(sightings), key=self._claim):
            if self._continues(sighting, kept.values()):
                kept[sighting.seen.track_id] = sighting
        kept |= self._found([each for each in sightings if each.seen.track_id == NEW_TRACK], kept)
        self._settle(frame_index, image, kept)
        return [self._told(track_id, sighting, before) for track_id, sighting in kept.items()]

    def _of_tracks(self, sightings: Iterable[Sighting]) -> list[Sighting]:
        return [sighting for sighting in sightings if sighting.seen.track_id in self._tracks]

    def _claim(self, sighting: Sighting) -> tuple[bool, int]:
        """Who comes first where two tracks end on one body: the one of its colours, the older."""
        track = self._tracks[sighting.seen.track_id]
        return track.likeness(sighting.colours) < _ALIKE, track.track_id

    def _continues(self, sighting: Sighting, kept: Iterable[Sighting]) -> bool:
        """Whether this is the track's person and nobody of `kept`; if so the track moves on."""
        track = self._tracks[sighting.seen.track_id]
        if _same_as_any(kept, sighting):
            if track.sightings < _FIRM_AFTER:
                del self._tracks[track.track_id]
            return False
        if track.lost and cost(track, sighting, self._fps) > GATE:
            return False
        self._tracks[track.track_id] = track.after(sighting)
        return True

    def _found(
        self, sightings: Iterable[Sighting], kept: dict[int, Sighting]
    ) -> dict[int, Sighting]:
        """Finds that show nobody of `kept`, by the track each takes up again or begins."""
        finds: dict[int, Sighting] = {}
        for sighting in sightings:
            if not _same_as_any([*kept.values(), *finds.values()], sighting):
                finds[len(finds)] = sighting
        waiting = [track for track_id, track in self._tracks.items() if track_id not in kept]
        owners = {key: track for track, key in taken_up(waiting, finds, self._fps)}
        tracks = [
            owners[key].after(find) if key in owners else Track.begun(next(self._ids), find)
            for key, find in finds.items()
        ]
        self._tracks |= {track.track_id: track for track in tracks}
        return {track.track_id: finds[key] for key, track in enumerate(tracks)}

    def _told(self, track_id: int, sighting: Sighting, before: Mapping[int, Track]) -> Observation:
        """The observation, with what the tracks `before` this frame say of it."""
        risk = 0.0
        if own := before.get(track_id):
            others = [track for key, track in before.items() if key != track_id]
            risk = identity_risk(own, others, sighting, self._fps)
        return replace(
            sighting.seen, track_id=track_id, appearance=sighting.colours, identity_risk=risk
        )

    def _settle(self, frame_index: int, image: ImageArray, seen_ids: Container[int]) -> None:
        """Tracks that were not seen are lost; those whose person has left the picture end."""
        self._tracks = {
            track_id: track if track_id in seen_ids else replace(track, lost=True)
            for track_id, track in self._tracks.items()
            if _inside(track.expected(frame_index, _GOES_ON), image)
        }


def _is_due(track: Track, frame_index: int) -> bool:
    """Whether to look for the track in this frame: a lost one costs a look that finds nobody."""
    waited, missed = abs(frame_index - track.tried_at), track.missed(frame_index)
    again = waited >= _RETRY_EVERY and missed <= _STOP_LOOKING_AFTER
    return not track.lost or missed <= _RETRY_AT_ONCE or again


def _carried(tracks: Sequence[Track], frame_index: int) -> Regions:
    rois = np.array([track.expected(frame_index) for track in tracks]).reshape(-1, 4)
    ids = np.array([track.track_id for track in tracks], np.int64)
    return Regions(around_rois(rois), np.ones(len(rois)), rois, ids)


def _same_as_any(kept: Iterable[Sighting], sighting: Sighting) -> bool:
    limbs = sighting.seen.landmarks_px[list(LIMBS)]
    return any(
        limb_distance(other.seen.landmarks_px[list(LIMBS)], limbs, other.roi.side) < _SAME_BODY
        for other in kept
    )


def _inside(roi: Roi, image: ImageArray) -> bool:
    """Whether the hips or the shoulders are in the picture: a desk may hide the hips."""
    points = roi.to_picture(np.array([(0.5, 0.5), _SHOULDERS]))
    return bool(np.any(np.all((points >= 0) & (points <= image.shape[1::-1]), axis=1)))


def _near(live: Iterable[Roi], roi: Roi) -> bool:
    return any(known.distance(roi) < _NEAR_LIVE and _similar_size(known, roi) for known in live)


def _similar_size(known: Roi, roi: Roi) -> bool:
    smallest, largest = _SIZE_RATIOS
    return smallest < known.size_ratio(roi) < largest
