"""The detector's finds before they become regions: decoding and suppression."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.blazepose.boxes import iou
from pose_service.blazepose.interpreter import Outputs
from pose_service.core.arrays import FloatArray, IntArray, expect_shape

INPUT_SIDE_PX = 224
_MAX_LOGIT = 100.0


@dataclass(frozen=True)
class Candidates:
    """Faces, with points of them or of their bodies; in the coordinates of whoever made them.

    `boxes_xyxy`: (n, 4) around the head. `points`: (n, points, 2); of the BlazePose detector
    mid-hip, whole-body end, mid-shoulder, upper-body end. `scores`: (n,) 0 to 1.
    """

    boxes_xyxy: FloatArray
    points: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        count = len(self.scores)
        expect_shape("boxes_xyxy", self.boxes_xyxy, (count, 4))
        expect_shape("points", self.points, (count, "points", 2))
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


def decode(
    outputs: Outputs, anchors: FloatArray, min_score: float, side_px: int = INPUT_SIDE_PX
) -> Candidates:
    """Candidates of at least `min_score`, as fractions of the input square.

    `outputs` of a detector network whose input square has `side_px`: logits (n, 1), and (n, k)
    centre, width and height of the box and then the points, in pixels from the anchor.
    `anchors`: (n, 2) centres, in the order of the outputs.
    """
    count = len(anchors)
    logits = np.clip(outputs[count, 1][:, 0], -_MAX_LOGIT, _MAX_LOGIT)
    scores = 1 / (1 + np.exp(-logits.astype(float)))
    chosen = np.flatnonzero(scores >= min_score)
    (values,) = (array for shape, array in outputs.items() if shape != (count, 1))
    raw = values[chosen].astype(float) / side_px
    centres = raw[:, :2] + anchors[chosen]
    halves = raw[:, 2:4] / 2
    points = raw[:, 4:].reshape(len(chosen), (raw.shape[1] - 4) // 2, 2) + anchors[chosen, None]
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    return Candidates(boxes, points, scores[chosen])


def merge_overlapping(candidates: Candidates, max_iou: float = 0.3) -> Candidates:
    """Weighted suppression: each group of overlapping boxes becomes one, the best score first.

    The best one left and all that overlap it by more than `max_iou` are replaced by their mean
    weighted by score, under the best score.
    """
    groups = overlapping(candidates, max_iou)
    merged = [weighted_mean(candidates, group) for group in groups]
    return Candidates.join(merged) if merged else candidates


def overlapping(candidates: Candidates, max_iou: float = 0.3) -> Iterator[IntArray]:
    """Places of the best one left and of all that overlap it by more than `max_iou`, and so on."""
    left = np.argsort(-candidates.scores, kind="stable")
    while len(left):
        overlap = iou(candidates.boxes_xyxy[left[0]], candidates.boxes_xyxy[left])
        close = overlap > max_iou
        close[0] = True  # a box without area does not even overlap itself
        yield left[close]
        left = left[~close]


def weighted_mean(candidates: Candidates, group: IntArray) -> Candidates:
    """The one at the mean of `group`, weighted by score, under the score of its first."""
    scores = candidates.scores[group]
    box = np.average(candidates.boxes_xyxy[group], axis=0, weights=scores)
    points = np.average(candidates.points[group], axis=0, weights=scores)
    return Candidates(box[None], points[None], scores[:1])
