"""The detector's finds before they become regions: decoding and suppression."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.blazepose.boxes import iou
from pose_service.blazepose.interpreter import Outputs
from pose_service.core.arrays import FloatArray, IntArray, expect_shape

INPUT_SIDE_PX = 224
_POINTS = 4
_VALUES = 4 + 2 * _POINTS
_MAX_LOGIT = 100.0


@dataclass(frozen=True)
class Candidates:
    """Faces with the points of their bodies; the coordinates are those of `points`' maker.

    `boxes_xyxy`: (n, 4) around the head, of use for suppression only. `points`: (n, 4, 2):
    mid-hip, whole-body end, mid-shoulder, upper-body end. `scores`: (n,) 0 to 1.
    """

    boxes_xyxy: FloatArray
    points: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        count = len(self.scores)
        expect_shape("boxes_xyxy", self.boxes_xyxy, (count, 4))
        expect_shape("points", self.points, (count, _POINTS, 2))
        expect_shape("scores", self.scores, (count,))

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def join(cls, parts: Sequence["Candidates"]) -> Self:
        """All of `parts` (at least one) in one, in order."""
        return cls(
            np.concatenate([part.boxes_xyxy for part in parts]),
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def placed(self, scale: float, origin: FloatArray) -> "Candidates":
        """The same in the coordinates `scale * p + origin`; `origin`: (2,)."""
        boxes = self.boxes_xyxy * scale + np.tile(origin, 2)
        return Candidates(boxes, self.points * scale + origin, self.scores)


def decode(outputs: Outputs, anchors: FloatArray, min_score: float) -> Candidates:
    """Candidates of at least `min_score`, as fractions of the input square.

    `outputs` of the detector network; `anchors`: (n, 2) centres, in the order of the outputs.
    """
    count = len(anchors)
    logits = np.clip(outputs[count, 1][:, 0], -_MAX_LOGIT, _MAX_LOGIT)
    scores = 1 / (1 + np.exp(-logits.astype(float)))
    chosen = np.flatnonzero(scores >= min_score)
    raw = outputs[count, _VALUES][chosen].astype(float) / INPUT_SIDE_PX
    centres = raw[:, :2] + anchors[chosen]
    halves = raw[:, 2:4] / 2
    points = raw[:, 4:].reshape(-1, _POINTS, 2) + anchors[chosen, None]
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    return Candidates(boxes, points, scores[chosen])


def merge_overlapping(candidates: Candidates, max_iou: float = 0.3) -> Candidates:
    """Weighted suppression: each group of overlapping boxes becomes one, the best score first.

    The best one left and all that overlap it by more than `max_iou` are replaced by their mean
    weighted by score, under the best score.
    """
    left = np.argsort(-candidates.scores, kind="stable")
    merged = []
    while len(left):
        overlap = iou(candidates.boxes_xyxy[left[0]], candidates.boxes_xyxy[left])
        close = overlap > max_iou
        close[0] = True  # a box without area does not even overlap itself
        merged.append(_weighted_mean(candidates, left[close]))
        left = left[~close]
    return Candidates.join(merged) if merged else candidates


def _weighted_mean(candidates: Candidates, group: IntArray) -> Candidates:
    scores = candidates.scores[group]
    box = np.average(candidates.boxes_xyxy[group], axis=0, weights=scores)
    points = np.average(candidates.points[group], axis=0, weights=scores)
    return Candidates(box[None], points[None], scores[:1])
