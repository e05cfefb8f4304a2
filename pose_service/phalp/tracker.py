"""PHALP's tracker (Rajasegaran et al. 2022): who is who by predicted look, pose and location."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Generic

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import NEW_TRACK
from pose_service.phalp.distance.cost import costs, lower_bounds
from pose_service.phalp.distance.terms import Features, terms
from pose_service.phalp.matching import Assignment, assign
from pose_service.phalp.parts import Looks, PosePredictor, TextureT, newest_poses
from pose_service.phalp.records import Compat, Detection
from pose_service.phalp.same_body import distinct
from pose_service.phalp.track.expectation import expecting
from pose_service.phalp.track.frames import TrackedFrame, TrackedPerson
from pose_service.phalp.track.looks import LookMemory
from pose_service.phalp.track.rules import TrackRules
from pose_service.phalp.track.track import Track


@dataclass(frozen=True)
class _Frame(Generic[TextureT]):
    """What of a frame takes part in matching; None for a texture that is not known."""

    index: int
    shot: bool
    detections: list[Detection]
    textures: list[TextureT | None]


class PhalpTracker(Generic[TextureT]):
    """The tracks of one clip or session; it keeps seven sights and one texture of each person.

    `looks` compares and mixes textures; without it pose and location alone tell people apart.
    `rules` are upstream's unless given, in `fixed` with a patience that goes by time.
    Source: phalp/trackers/PHALP.py, phalp/external/deep_sort_/tracker.py.
    """

    def __init__(
        self,
        predict_poses: PosePredictor = newest_poses,
        looks: Looks[TextureT] | None = None,
        *,
        fps: float = 30.0,
        compat: Compat = "fixed",
        rules: TrackRules | None = None,
    ) -> None:
        own_rules = TrackRules() if compat == "upstream" else TrackRules.at(fps)
        self._rules = rules or own_rules
        self._compat: Compat = compat
        self._predict_poses = predict_poses
        self._looks = LookMemory(looks)
        self._tracks: list[Track] = []
        self._ids = count(1)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Those that live, the oldest first."""
        return tuple(self._tracks)

    def step(
        self,
        frame_index: int,
        detections: Sequence[Detection],
        textures: Sequence[TextureT | None] = (),
        *,
        shot: bool = False,
    ) -> TrackedFrame:
        """Who is seen in a frame, each on a track, and who is missed.

        `textures`: one for each detection, None where it is not known; or none at all.
        `shot`: the frame begins one.
        In `fixed`, detections that make no sense or show another one's body are on no track.
        """
        places = list(range(len(detections)))
        if self._compat == "fixed":
            places = distinct(detections)
        chosen = [detections[place] for place in places]
        textures = textures or [None] * len(detections)
        if len(textures) != len(detections):
            raise ValueError(f"textures: expected {len(detections)}, got {len(textures)}")
        looks = [textures[place] for place in places]
        cost, found, owners = self._tracked(_Frame(frame_index, shot, chosen, looks))
        track_ids = [NEW_TRACK] * len(detections)
        for place, owner in zip(places, owners, strict=True):
            track_ids[place] = owner.track_id
        return TrackedFrame(frame_index, tuple(track_ids), self._people(frame_index), cost, found)

    def _tracked(self, frame: _Frame[TextureT]) -> tuple[FloatArray, Assignment, list[Track]]:
        """The frame's costs and assignment, and each detection's track."""
        rules, index = self._rules, frame.index
        self._tracks = [each for each in self._tracks if each.may_return(index, rules)]
        if self._compat == "fixed":
            self._tracks = self._expecting(self._tracks, index)
        cost = self._costs(frame)
        found = assign(cost, rules.gate, self._compat)
        updated = self._updated(frame, found)
        missed = [self._tracks[row] for row in found.unmatched_tracks]
        if self._compat == "upstream":
            # at once for the frame that comes, in two batches, and for tracks that end here, too
            updated = self._expecting(updated, index + 1)
            missed = self._expecting(missed, index + 1)
        begun = self._begun(frame, found)
        kept = [each for each in missed if each.outlives(index, rules)]
        self._tracks = sorted([*updated, *kept, *begun], key=lambda each: each.track_id)
        columns = [column for _, column in found.matches] + [*found.unmatched_detections]
        by_column = dict(zip(columns, [*updated, *begun], strict=True))
        owners = [by_column[column] for column in range(len(columns))]
        self._remember_looks(frame, owners)
        return cost, found, owners

    def _expecting(self, tracks: Sequence[Track], frame_index: int) -> list[Track]:
        return expecting(tracks, frame_index, self._predict_poses, self._compat)

    def _costs(self, frame: _Frame[TextureT]) -> FloatArray:
        """(tracks, detections); looks are compared where the rest leaves a pair possible."""
        expected = Features.of([(each.location, each.pose) for each in self._tracks])
        seen = Features.of([(each.location, each.pose) for each in frame.detections])
        bounds = lower_bounds(terms(expected, seen, self._compat))
        ids = [each.track_id for each in self._tracks]
        looks = self._looks.costs(ids, frame.textures, bounds <= self._rules.gate)
        return costs(bounds, looks, self._compat, self._rules.gate)

    def _updated(self, frame: _Frame[TextureT], found: Assignment) -> list[Track]:
        """The matched tracks with their new sights, in the order of the matches."""
        return [
            self._tracks[row].updated(
                frame.index, frame.detections[column], self._rules, shot=frame.shot
            )
            for row, column in found.matches
        ]

    def _begun(self, frame: _Frame[TextureT], found: Assignment) -> list[Track]:
        """New tracks of the unmatched detections, under ids never used before."""
        sights = [frame.detections[column] for column in found.unmatched_detections]
        return [Track.begun(next(self._ids), frame.index, seen) for seen in sights]

    def _remember_looks(self, frame: _Frame[TextureT], owners: Sequence[Track]) -> None:
        """Of `owners`, the detections' tracks; those that ended are forgotten."""
        scores = np.array([seen.score for seen in frame.detections])
        self._looks.take_in([each.track_id for each in owners], frame.textures, scores)
        self._looks.keep_only({each.track_id for each in self._tracks})

    def _people(self, frame_index: int) -> tuple[TrackedPerson, ...]:
        return tuple(
            TrackedPerson(
                track_id=each.track_id,
                missed=each.missed(frame_index),
                confirmed=each.confirmed,
                began=each.hits == self._rules.n_init and each.seen_at == frame_index,
                detection=each.shown(frame_index, self._compat),
            )
            for each in self._tracks
        )
