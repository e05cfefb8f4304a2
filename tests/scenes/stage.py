"""A scene: actors on a stage, frame by frame, and what of them a detector sees."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.phalp.records import Detection
from scenes.people import HEIGHT_PX, WIDTH_PX, Actor

Boxes = Mapping[int, FloatArray]
"""Boxes (4,), xyxy in pixels, by person or track."""

# a person of whom nearer ones cover more is not detected
_MOST_COVERED = 0.6


@dataclass(frozen=True)
class SceneFrame:
    """`seen`: the real people who are detected; `there`: they and those whom the detector misses.

    `detections` and `looks` come in no special order. `index`: as the caller numbers it.
    """

    index: int
    detections: tuple[Detection, ...]
    looks: tuple[FloatArray, ...]
    seen: Boxes
    there: Boxes
    shot: bool = False


@dataclass(frozen=True)
class Scene:
    """Its frames at `fps`."""

    frames: tuple[SceneFrame, ...]
    fps: float = 30.0


def scene(
    actors: Sequence[Actor],
    indices: Sequence[int],
    seed: int,
    *,
    shots: Collection[int] = (),
    fps: float = 30.0,
) -> Scene:
    """`actors` in the frames `indices`; a person's number is its place among them, from 1."""
    rng = np.random.default_rng(seed)
    frames = (_frame(actors, index, rng, shot=index in shots) for index in indices)
    return Scene(tuple(frames), fps)


def _frame(
    actors: Sequence[Actor], index: int, rng: np.random.Generator, *, shot: bool
) -> SceneFrame:
    there = {who: actor for who, actor in enumerate(actors, 1) if index in actor.there}
    boxes = {who: actor.box_xyxy_px(index) for who, actor in there.items()}
    there = {who: actor for who, actor in there.items() if _in_picture(boxes[who])}
    real = {who: boxes[who] for who, actor in there.items() if actor.real}
    detected = [
        who
        for who, actor in there.items()
        if index not in actor.undetected and not (actor.real and _covered(boxes[who], real))
    ]
    rng.shuffle(detected)
    return SceneFrame(
        index=index,
        detections=tuple(actors[who - 1].detected(index, rng) for who in detected),
        looks=tuple(actors[who - 1].looks(index, rng) for who in detected),
        seen={who: real[who] for who in detected if who in real},
        there=real,
        shot=shot,
    )


def _in_picture(box: FloatArray) -> bool:
    middle = box.reshape(2, 2).mean(axis=0)
    return bool(((middle > 0) & (middle < (WIDTH_PX, HEIGHT_PX))).all())


def _covered(box: FloatArray, boxes: Boxes) -> bool:
    """Whether somebody nearer, so larger, is in front of most of the person."""
    height = box[3] - box[1]
    nearer = [other for other in boxes.values() if other[3] - other[1] > height]
    return any(_shared(box, other) > _MOST_COVERED for other in nearer)


def _shared(box: FloatArray, other: FloatArray) -> float:
    """The share of `box` that `other` covers."""
    low, high = np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])
    return float(np.clip(high - low, 0, None).prod() / (box[2:] - box[:2]).prod())
