"""How far half types are from float32: detections, features and bodies of the same pictures."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.figures import Figure, Goal, Measure
from benchmarks.official.nets import NetRuns, Sights
from pose_service.core.arrays import FloatArray
from pose_service.vitdet.detector import Detections

POINTS = "of 100"

_MATCH_IOU = 0.5
# of bfloat16 products with a float32 sum through the blocks, measured with official code
_MEAN_GOAL = Goal(2.6)
_MOST_GOAL = Goal(12.0)


@dataclass(frozen=True)
class Matches:
    """How detections `of` one run are found again in another: (n,) each, best box of its class.

    `ious`: 0 where there is none. `score_differences`: absolute.
    """

    ious: FloatArray
    score_differences: FloatArray

    @property
    def found_again(self) -> FloatArray:
        return np.asarray(self.ious > _MATCH_IOU)


def matches(wanted: Detections, got: Detections) -> Matches:
    """Every detection of `wanted` with the box of `got` that it shares most with."""
    same = wanted.classes[:, None] == got.classes
    ious = np.where(same, box_ious(wanted.boxes_xyxy_px, got.boxes_xyxy_px), 0.0)
    if not len(got.scores):
        nothing = np.zeros(len(wanted.scores))
        return Matches(nothing, wanted.scores)
    best = ious.argmax(1)
    return Matches(ious.max(1), np.abs(got.scores[best] - wanted.scores))


def box_ious(left_xyxy: FloatArray, right_xyxy: FloatArray) -> FloatArray:
    """(n, 4) and (m, 4) boxes with area to (n, m)."""
    low = np.maximum(left_xyxy[:, None, :2], right_xyxy[:, :2])
    high = np.minimum(left_xyxy[:, None, 2:], right_xyxy[:, 2:])
    shared = np.maximum(high - low, 0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (left_xyxy, right_xyxy)]
    return np.asarray(shared / (areas[0][:, None] + areas[1] - shared))


def figures(runs: NetRuns) -> list[Figure]:
    halves = ("bf16", "fp16") if runs.bench.on_card else ("bf16",)
    exact = runs.run("fp32").sights
    return [figure for half in halves for figure in compared(half, exact, runs.run(half).sights)]


def compared(half: str, exact: Sights, rough: Sights) -> list[Figure]:
    """`half` names the numbers of `rough`."""
    again = matches(exact.found, rough.found)
    found = again.found_again
    apart = 100 * again.score_differences[found]
    apart_mm = 1000 * np.linalg.norm(rough.vertices_m - exact.vertices_m, axis=-1)
    noise = "stand-in weights: boxes that score alike push each other out"
    rows = [
        ("vertices, mean distance", "mm", apart_mm.mean(), _MEAN_GOAL, ""),
        ("vertices, 95 % are nearer than", "mm", np.percentile(apart_mm, 95), None, ""),
        ("vertices, farthest", "mm", apart_mm.max(), _MOST_GOAL, ""),
        ("detections in float32", "", len(found), None, ""),
        ("found again (same class, IoU over 0.5)", "%", 100 * found.mean(), None, noise),
        ("median IoU of those", "", np.median(again.ious[found]), None, ""),
        (
            "their scores' median difference",
            "",
            np.median(again.score_differences[found]),
            None,
            "",
        ),
        ("their scores' largest difference", POINTS, apart.max(), None, ""),
    ]
    if exact.features is not None and rough.features is not None:
        error = relative_error(exact.features, rough.features)
        rows.append(("ViTDet's features, error to spread", "%", 100 * error, None, ""))
    return [
        Figure(f"{half}: {name}", unit, [float(value)], goal, bound)
        for name, unit, value, goal, bound in rows
    ]


def relative_error(exact: Tensor, rough: Tensor) -> float:
    """Root mean square of the difference, over the standard deviation of `exact`."""
    difference = rough.float() - exact.float()
    return float(torch.sqrt(difference.square().mean()) / exact.float().std())


AGREEMENT = Measure(
    "4dhumans: half types beside float32",
    "The same frame through the detector and the same seven people, by their boxes, through "
    "HMR 2.0 and the body. Vertices are compared around each body's own origin. The weights are "
    "noise, whose features tell boxes and bodies less clearly apart than trained ones do: "
    "measured again with the official files the detections should agree much better.",
    figures,
)
