"""Keeps identities through a clip: each person's square is carried from frame to frame."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from pose_service.blazepose.appearance import torso_colours
from pose_service.blazepose.boxes import around_rois
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
_GIVE_UP_AFTER = 30

_NEAR_LIVE = 0.15
_SAME_BODY = 0.08
_FIRM_AFTER = 5

# shares of the side: how far a person may be from where the track expects them
_REVIVE_DISTANCE, _REVIVE_PER_FRAME = 0.15, 0.02
_REVIVE_PER_FRAME_ALIKE, _MAX_REVIVE_DISTANCE = 0.08, 1.2
_SHOULDERS = (0.5, 0.3)  # in a person's square; the hips are its centre
_SIZE_RATIOS = (0.6, 1.6)
_MIN_LIKENESS, _ALIKE = 0.6, 0.7


class RoiTracker:
    """The seam's `Tracker` for one clip or session. It keeps squares and colours, no pictures."""

    # where to look comes from what was seen in the frame before
    lookahead = 1

    def __init__(self) -> None:
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
            if track.missed(frame_index) <= _GIVE_UP_AFTER
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
        """The observations that belong to a track, each with its track's id.

        A find that no lost track can claim begins a new track, under an id never used before.
        """
        sightings = [
            Sighting(frame_index, seen, torso_colours(image, seen.landmarks_px))
            for seen in observations
        ]
        kept: dict[int, Observation] = {}
        for sighting in sorted(self._of_tracks(sightings), key=self._claim):
            if self._continues(sighting, kept.values()):
                kept[sighting.seen.track_id] = sighting.seen
        for sighting in sightings:
            if sighting.seen.track_id == NEW_TRACK and not _same_as_any(kept.values(), sighting):
                track_id = self._taken_up(sighting, kept)
                kept[track_id] = replace(sighting.seen, track_id=track_id)
        self._settle(frame_index, image, kept)
        return list(kept.values())

    def _of_tracks(self, sightings: Iterable[Sighting]) -> list[Sighting]:
        return [sighting for sighting in sightings if sighting.seen.track_id in self._tracks]

    def _claim(self, sighting: Sighting) -> tuple[bool, int]:
        """Who comes first where two tracks end on one body: the one of its colours, the older."""
        track = self._tracks[sighting.seen.track_id]
        return track.likeness(sighting.colours) < _ALIKE, track.track_id

    def _continues(self, sighting: Sighting, kept: Iterable[Observation]) -> bool:
        """Whether this is the track's person and nobody of `kept`; if so the track moves on."""
        track = self._tracks[sighting.seen.track_id]
        if _same_as_any(kept, sighting):
            if track.sightings < _FIRM_AFTER:
                del self._tracks[track.track_id]
            return False
        if track.lost and track.likeness(sighting.colours) < _MIN_LIKENESS:
            return False
        self._tracks[track.track_id] = track.after(sighting)
        return True

    def _taken_up(self, sighting: Sighting, taken: Container[int]) -> int:
        """Id of the nearest track that a find may go on, none of `taken`, or of a new track."""
        may_be = [
            track
            for track in self._tracks.values()
            if track.track_id not in taken and _may_be(track, sighting)
        ]
        if may_be:
            track = min(may_be, key=lambda track: _way(track, sighting)).after(sighting)
        else:
            track = Track.begun(next(self._ids), sighting)
        self._tracks[track.track_id] = track
        return track.track_id

    def _settle(self, frame_index: int, image: ImageArray, seen_ids: Container[int]) -> None:
        """Tracks that were not seen are lost; those whose person has left the picture end."""
        self._tracks = {
            track_id: track if track_id in seen_ids else replace(track, lost=True)
            for track_id, track in self._tracks.items()
            if _inside(track.expected(frame_index), image)
        }


def _is_due(track: Track, frame_index: int) -> bool:
    """Whether to look for the track in this frame: a lost one costs a look that finds nobody."""
    waited = abs(frame_index - track.tried_at)
    recent = track.missed(frame_index) <= _RETRY_AT_ONCE
    return not track.lost or recent or waited >= _RETRY_EVERY


def _may_be(track: Track, sighting: Sighting) -> bool:
    """Whether a track that was not seen for some frames may go on with a find.

    It may have moved a little if the torso has its colours, as far as a runner gets if it has
    them clearly.
    """
    likeness = track.likeness(sighting.colours)
    per_frame = _REVIVE_PER_FRAME_ALIKE if likeness >= _ALIKE else _REVIVE_PER_FRAME
    reach = _REVIVE_DISTANCE + per_frame * track.missed(sighting.frame_index)
    return (
        likeness >= _MIN_LIKENESS
        and _way(track, sighting) < min(reach, _MAX_REVIVE_DISTANCE)
        and _similar_size(track.roi, sighting.roi)
    )


def _way(track: Track, sighting: Sighting) -> float:
    """From where the track expects its person, as a share of the side."""
    return track.expected(sighting.frame_index).distance(sighting.roi)


def _carried(tracks: Sequence[Track], frame_index: int) -> Regions:
    rois = np.array([track.expected(frame_index) for track in tracks]).reshape(-1, 4)
    ids = np.array([track.track_id for track in tracks], np.int64)
    return Regions(around_rois(rois), np.ones(len(rois)), rois, ids)


def _same_as_any(kept: Iterable[Observation], sighting: Sighting) -> bool:
    limbs = sighting.seen.landmarks_px[list(LIMBS)]
    return any(
        limb_distance(other.landmarks_px[list(LIMBS)], limbs, other.roi[2]) < _SAME_BODY
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
