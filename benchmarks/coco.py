"""Found bodies against COCO's annotated people.

A hit is an annotated person with at least 5 labelled limb joints to whom a found body is similar
(object keypoint similarity over the 12 limb joints, Lin et al. 2014, at least 0.5). An extra is a
found body that hits nobody.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.skeletons import COCO17_FROM_BLAZEPOSE33

Annotation = Mapping[str, Any]

_LIMBS = (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)  # in COCO's order
_SIGMAS = np.array([79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_MIN_LABELLED = 5
_MIN_SIMILARITY = 0.5


@dataclass(frozen=True)
class Score:
    """How many `people` are annotated, how many were hit, and how many bodies hit nobody."""

    people: int
    hits: int
    extras: int


def annotated(media: Path) -> dict[Path, list[Annotation]]:
    """The annotated pictures, each with its people that have enough labelled joints."""
    truth = json.loads((media / "gt_coco.json").read_text(encoding="utf-8"))
    return {
        media / f"coco_{picture['file_name']}": [
            person
            for person in truth["annotations"]
            if person["image_id"] == picture["id"] and _labelled(person) >= _MIN_LABELLED
        ]
        for picture in truth["images"]
    }


def score(
    truth: Mapping[Path, Sequence[Annotation]], found: Mapping[Path, Sequence[FloatArray]]
) -> Score:
    """`found`: the bodies in each picture of `truth`, (33, 2) landmarks in pixels each."""
    hits = sum(count_hits(people, found[path]) for path, people in truth.items())
    bodies = sum(len(found[path]) for path in truth)
    return Score(sum(map(len, truth.values())), hits, bodies - hits)


def count_hits(people: Sequence[Annotation], bodies: Iterable[FloatArray]) -> int:
    """How many of the annotated `people` get a body of their own; best fits are given first."""
    scores = np.array([[similarity(person, body) for body in bodies] for person in people])
    hits = 0
    while scores.size and scores.max() >= _MIN_SIMILARITY:
        person, body = np.unravel_index(scores.argmax(), scores.shape)
        scores = np.delete(np.delete(scores, person, axis=0), body, axis=1)
        hits += 1
    return hits


def similarity(person: Annotation, landmarks_px: FloatArray) -> float:
    """Object keypoint similarity, 0 to 1, of a COCO annotation and (33, 2) landmarks."""
    truth = np.array(person["keypoints"], float).reshape(-1, 3)[list(_LIMBS)]
    found = landmarks_px[list(COCO17_FROM_BLAZEPOSE33)][list(_LIMBS)]
    squares = np.sum((found - truth[:, :2]) ** 2, axis=1)
    likeness = np.exp(-squares / (2 * person["area"] * (2 * _SIGMAS) ** 2))
    return float(likeness[truth[:, 2] > 0].mean())


def _labelled(person: Annotation) -> int:
    return sum(person["keypoints"][3 * joint + 2] > 0 for joint in _LIMBS)
