"""Detections that show a body which another one shows already."""

from collections.abc import Sequence

import numpy as np

from pose_service.phalp.records import DEPTH, POINT, BoolArray, Detection

# joints that differ by less in the mean, as a share of the box's longer side, are one body's
_SAME_PLACE = 0.05
# and so are depths whose ratio's logarithm is less
_SAME_DEPTH = 0.1


def distinct(detections: Sequence[Detection]) -> list[int]:
    """Places of those that can be compared and show no body twice, rising.

    Of two that show one body, the one of the higher score stays, or the first.
    """
    sane = [place for place, seen in enumerate(detections) if seen.is_sane]
    if len(sane) < 2:
        return sane
    same = _same([detections[place] for place in sane])
    kept: list[int] = []
    for one in sorted(range(len(sane)), key=lambda one: -detections[sane[one]].score):
        if not same[one, kept].any():
            kept.append(one)
    return sorted(sane[one] for one in kept)


def _same(detections: Sequence[Detection]) -> BoolArray:
    """(n, n): which show one body."""
    locations = np.stack([seen.location for seen in detections]).astype(np.float64)
    joints = locations[:, : POINT.start].reshape(len(detections), -1, 2)
    apart = np.linalg.norm(joints[:, None] - joints, axis=-1).mean(axis=-1)
    sides = np.array([_longer_side(seen) for seen in detections])
    depths = np.log(locations[:, DEPTH])
    near = np.abs(depths[:, None] - depths) < _SAME_DEPTH
    return np.asarray(near & (apart < _SAME_PLACE * np.minimum(sides[:, None], sides)))


def _longer_side(seen: Detection) -> float:
    """Of the box, in squares."""
    low, high = seen.box_xyxy_px.reshape(2, 2)
    return float((high - low).max() / seen.square_px)
