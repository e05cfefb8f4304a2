"""A scene through the tracker, in both of its behaviours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.features import large_enough
from pose_service.phalp.parts import PosePredictor, newest_poses
from pose_service.phalp.records import BoolArray, Compat
from pose_service.phalp.track.backfill import confirmed_people
from pose_service.phalp.track.frames import TrackedFrame
from pose_service.phalp.tracker import PhalpTracker
from scenes.scoring import Score, score
from scenes.stage import Boxes, Scene, SceneFrame

_MIXED_IN = 0.1
# what upstream drops before it tracks
_UPSTREAM_SMALLEST_PX, _UPSTREAM_SCORE = (50, 100), 0.8


class SimpleLooks:
    """`Looks` of vectors: squared distance of the numbers that both show. NaN is what is unseen."""

    def costs(
        self, tracks: Sequence[FloatArray], detections: Sequence[FloatArray], possible: BoolArray
    ) -> FloatArray:
        apart = np.square(np.stack(tracks)[:, None] - np.stack(detections))
        return np.where(np.isnan(apart).all(axis=-1), np.nan, np.nansum(apart, axis=-1))

    def mixed(
        self, kept: Sequence[FloatArray], seen: Sequence[FloatArray], scores: FloatArray
    ) -> list[FloatArray]:
        return [
            np.where(np.isnan(old), new, np.where(np.isnan(new), old, old + share * (new - old)))
            for old, new, share in zip(kept, seen, _MIXED_IN * scores**2, strict=True)
        ]


@dataclass(frozen=True)
class TurningPoses:
    """A predictor of bodies that turn about the upright axis, evenly as in their last seven sights.

    In `upstream` all are read at the time that the first one of the batch asks for.
    """

    compat: Compat

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        ahead = missed + 1
        if self.compat == "upstream":
            # as the slots of a time axis that begins with each track's own history
            wanted = (times[:, -1] - times[:, 0] + ahead)[0]
            ahead = wanted - (times[:, -1] - times[:, 0])
        headings = np.unwrap(np.arctan2(poses[..., 2], poses[..., 0]), axis=1)
        since = np.maximum(times[:, -1] - times[:, 0], 1)
        turns = (headings[:, -1] - headings[:, 0]) / since
        turned = poses.copy()
        turned[:, -1, :9] = _about_y(headings[:, -1] + turns * ahead)
        return turned[:, -1]


def _about_y(turns: FloatArray) -> FloatArray:
    cos, sin = np.cos(turns), np.sin(turns)
    zero, one = np.zeros_like(turns), np.ones_like(turns)
    return np.stack([cos, zero, sin, zero, one, zero, -sin, zero, cos], axis=-1)


@dataclass(frozen=True)
class Played:
    """`seen`: boxes by track of those who are detected; `shown`: of the missed, too."""

    scene: Scene
    seen: list[Boxes]
    shown: list[Boxes]

    @property
    def seen_score(self) -> Score:
        """Who is who, of the people that are detected."""
        return score([frame.seen for frame in self.scene.frames], self.seen)

    @property
    def shown_score(self) -> Score:
        """The same of all who are there, detected or not."""
        return score([frame.there for frame in self.scene.frames], self.shown)

    def tracks_of(self, person: int) -> list[int]:
        """The tracks that a detected person is on, in the order of their frames, each once."""
        pairs = zip(self.scene.frames, self.seen, strict=True)
        found = (_at(frame.seen[person], boxes) for frame, boxes in pairs if person in frame.seen)
        return list(dict.fromkeys(track for track in found if track is not None))


def _at(box: FloatArray, boxes: Boxes) -> int | None:
    """The track whose box is nearly `box`; None if there is none."""
    near = 0.1 * (box[3] - box[1])
    return next((key for key, each in boxes.items() if np.abs(each - box).max() < near), None)


def play(scene: Scene, compat: Compat, *, turning: bool = False, looks: bool = True) -> Played:
    """`turning`: poses are foretold by `TurningPoses`, else they stay as they were seen last."""
    predict: PosePredictor = TurningPoses(compat) if turning else newest_poses
    tracker = PhalpTracker(predict, SimpleLooks() if looks else None, fps=scene.fps, compat=compat)
    frames = [people for _, people in confirmed_people(_steps(tracker, scene, compat))]
    return Played(
        scene,
        [{who.track_id: who.detection.box_xyxy_px for who in people if not who.missed}
         for people in frames],
        [{who.track_id: who.detection.box_xyxy_px for who in people} for people in frames],
    )  # fmt: skip


def _steps(
    tracker: PhalpTracker[FloatArray], scene: Scene, compat: Compat
) -> Iterator[TrackedFrame]:
    for frame in scene.frames:
        kept = _accepted(frame) if compat == "upstream" else range(len(frame.detections))
        yield tracker.step(
            frame.index,
            [frame.detections[place] for place in kept],
            [frame.looks[place] for place in kept],
            shot=frame.shot,
        )


def _accepted(frame: SceneFrame) -> list[int]:
    """Upstream's filter: large people of whom the detector is sure."""
    boxes = np.reshape([seen.box_xyxy_px for seen in frame.detections], (-1, 4))
    large = large_enough(boxes, _UPSTREAM_SMALLEST_PX)
    return [
        place
        for place, seen in enumerate(frame.detections)
        if large[place] and seen.score > _UPSTREAM_SCORE
    ]
