"""The released tracker's order of work, for its time: pair by pair, track by track, with copies.

Its decisions are those of `PhalpTracker` in `upstream`; only how it comes to them differs. What is
left out makes it faster than the original: scikit-learn's own overhead (4 to 20 ms per track), the
appearance numbers of every detection, and predictions for tracks that have just ended.
"""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
from torch import Tensor

from benchmarks.phalp.encoders import SinglePasses
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.distance.cost import costs, lower_bounds
from pose_service.phalp.distance.terms import Features, terms
from pose_service.phalp.location.predictor import predicted_locations
from pose_service.phalp.matching import assign
from pose_service.phalp.parts import PosePredictor
from pose_service.phalp.records import DEPTH, POINT, Detection
from pose_service.phalp.texture.mixing import mixed
from pose_service.phalp.track.rules import TrackRules
from pose_service.phalp.track.track import Track

_STRENGTHS = 1.2, 2.0, 5.0


class UpstreamOrder:
    """A clip's tracks; `step` answers which track each detection is on."""

    def __init__(self, pair_cost: SinglePasses, predict_poses: PosePredictor) -> None:
        self._pair_cost = pair_cost
        self._predict_poses = predict_poses
        self._rules = TrackRules()
        self._tracks: list[Track] = []
        self._textures: dict[int, Tensor] = {}
        self._next_id = 1

    def step(
        self, frame_index: int, detections: Sequence[Detection], textures: Sequence[Tensor]
    ) -> tuple[int, ...]:
        found = assign(self._costs(detections, textures), self._rules.gate, "upstream")
        owners: dict[int, Track] = {}
        for row, column in found.matches:
            track = self._tracks[row].updated(
                frame_index, deepcopy(detections[column]), self._rules, shot=False
            )
            self._mix(track.track_id, textures[column], detections[column].score)
            owners[column] = track
        matched = self._expecting(list(owners.values()), frame_index + 1)
        owners = dict(zip(owners, matched, strict=True))
        missed = [self._tracks[row] for row in found.unmatched_tracks]
        missed = [each for each in missed if each.outlives(frame_index, self._rules)]
        missed = self._expecting(missed, frame_index + 1)
        for column in found.unmatched_detections:
            owners[column] = self._begun(frame_index, detections[column], textures[column])
        tracks = [*owners.values(), *missed]
        self._tracks = sorted(tracks, key=lambda each: each.track_id)
        return tuple(owners[column].track_id for column in range(len(detections)))

    def _costs(self, detections: Sequence[Detection], textures: Sequence[Tensor]) -> FloatArray:
        """All pairs' looks, whatever the rest says; each with copies of its own."""
        looks = np.zeros((len(self._tracks), len(detections)))
        for row, track in enumerate(self._tracks):
            copies = deepcopy(list(textures))
            for column, texture in enumerate(copies):
                kept = deepcopy(self._textures[track.track_id])
                looks[row, column] = self._pair_cost(kept, deepcopy(texture))
        expected = Features.of([(each.location, each.pose) for each in self._tracks])
        seen = Features.of([(each.location, each.pose) for each in detections])
        return costs(lower_bounds(terms(expected, seen, "upstream")), looks, "upstream")

    def _mix(self, track_id: int, texture: Tensor, score: float) -> None:
        """Kept in float64, as there."""
        old, new = self._textures[track_id][None].float(), deepcopy(texture)[None]
        self._textures[track_id] = mixed(old, new, np.array([score]))[0].double()

    def _begun(self, frame_index: int, seen: Detection, texture: Tensor) -> Track:
        track = Track.begun(self._next_id, frame_index, deepcopy(seen))
        self._textures[track.track_id] = deepcopy(texture).double()
        self._next_id += 1
        return track

    def _expecting(self, tracks: Sequence[Track], frame_index: int) -> list[Track]:
        """Locations track by track, poses in one batch."""
        if not tracks:
            return []
        times = np.stack([each.history.times for each in tracks])
        ahead = frame_index - times[:, -1]
        poses = np.stack([each.history.poses for each in tracks])
        poses = self._predict_poses(poses, times, np.maximum(ahead - 1, 0))
        return [
            track.expecting(_location(track, int(frames)), pose)
            for track, frames, pose in zip(tracks, ahead, poses, strict=True)
        ]


def _location(track: Track, ahead: int) -> FloatArray:
    """(99,) of one track: three lines, each fitted once and read twice."""
    history = track.history
    x, y = np.moveaxis(history.locations[:, POINT].astype(np.float64), -1, 0)
    depth = np.log(history.locations[:, DEPTH]).astype(np.float64)
    wanted = np.array([history.times[-1] + ahead])
    for series, strength in zip((x, y, depth), _STRENGTHS, strict=True):
        offset, slope = _ridge(history.times, series, strength)
        for times in (history.times, wanted):
            np.column_stack([np.ones(len(times)), times]) @ np.array([offset, slope])
    # the numbers are ours, so that decisions cannot differ by rounding
    locations, times = history.locations[None], history.times[None]
    (predicted,) = predicted_locations(locations, times, np.array([ahead]), "upstream")
    return np.asarray(predicted)


def _ridge(times: IntArray, series: FloatArray, strength: float) -> tuple[float, float]:
    """Offset and slope, by the normal equations."""
    middle = float(times.mean())
    design = np.column_stack([np.ones(len(times)), times - middle])
    normal = design.T @ design + np.diag([0.0, strength])
    offset, slope = np.linalg.solve(normal, design.T @ series).tolist()
    return offset - slope * middle, slope
