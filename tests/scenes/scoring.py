"""HOTA, IDF1 and MOTA by TrackEval, the library of HOTA's authors; no formula of it is ours."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from trackeval.metrics import CLEAR, HOTA, Identity

from pose_service.core.arrays import FloatArray, IntArray
from scenes.stage import Boxes

QUIET = {"PRINT_CONFIG": False}


class Score(NamedTuple):
    """Shares, 1 at best; `switches` counts how often a person's track changes."""

    hota: float
    idf1: float
    mota: float
    switches: int


def score(truth: Sequence[Boxes], answers: Sequence[Boxes]) -> Score:
    """Of `answers`, boxes by track, against `truth`, boxes by person: a pair for each frame."""
    data = _as_sequence(truth, answers)
    hota, identity, clear = HOTA(), Identity(dict(QUIET)), CLEAR(dict(QUIET))
    clear_score = clear.eval_sequence(data)
    return Score(
        hota=float(np.mean(hota.eval_sequence(data)["HOTA"])),
        idf1=float(identity.eval_sequence(data)["IDF1"]),
        mota=float(clear_score["MOTA"]),
        switches=int(clear_score["IDSW"]),
    )


def _as_sequence(truth: Sequence[Boxes], answers: Sequence[Boxes]) -> dict[str, Any]:
    """What TrackEval's metrics read: ids count from 0, similarity is the boxes' overlap."""
    people, tracks = _places(truth), _places(answers)
    pairs = list(zip(truth, answers, strict=True))
    return {
        "num_timesteps": len(pairs),
        "num_gt_ids": len(people),
        "num_tracker_ids": len(tracks),
        "num_gt_dets": sum(map(len, truth)),
        "num_tracker_dets": sum(map(len, answers)),
        "gt_ids": [_ids(real, people) for real, _ in pairs],
        "tracker_ids": [_ids(answer, tracks) for _, answer in pairs],
        "similarity_scores": [_overlaps(real, answer) for real, answer in pairs],
    }


def _places(frames: Sequence[Boxes]) -> dict[int, int]:
    return {key: place for place, key in enumerate(sorted(set().union(*frames)))}


def _ids(boxes: Boxes, places: Mapping[int, int]) -> IntArray:
    return np.array([places[key] for key in boxes], np.int64)


def _overlaps(real: Boxes, answer: Boxes) -> FloatArray:
    """(people, tracks) intersection over union."""
    rows, columns = (np.reshape(list(each.values()), (-1, 4)) for each in (real, answer))
    low = np.maximum(rows[:, None, :2], columns[:, :2])
    high = np.minimum(rows[:, None, 2:], columns[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=-1) for each in (rows, columns)]
    return np.asarray(shared / (areas[0][:, None] + areas[1] - shared))
