"""Whether head, hands and feet of a person are inside the picture; if not, where it ends."""

from collections.abc import Iterator

import numpy as np

from pose_service.avatar.check.body_points import BodyPoints
from pose_service.avatar.check.refusals import Problem
from pose_service.core.arrays import FloatArray
from pose_service.core.records import Observation

_HINT = (
    "Step back, or hold the phone upright, until the whole person from the hair to both soles is"
    " inside, with some room all around."
)

_MARGIN_SHARE = 0.005
"""Of the stature: a heel nearer than that to the picture's edge has its sole outside."""

_SEEN = 0.35
"""Mean confidence of a foot's points. Feet behind the edge have 0.3 and less, seen ones 0.5."""

_FOOT_NEAR_M = 0.3
"""As far inside as a foot is put that is not seen."""

_LEG = ("shoulder", "hip", "knee", "ankle")
_AT = ("chest", "hips", "knees", "ankles", "feet")
_BETWEEN = ("waist", "thighs", "shins", "feet")
_NEAR = 0.3
"""Of the way between two joints: so near to one the picture ends at it, else between them."""


def head_is_cut(points: BodyPoints, width_px: int, height_px: int) -> bool:
    """Whether the top of the head is outside of the picture."""
    return not _inside(points.head_top_px[None], np.array([width_px, height_px]), 0.0).all()


def cut_ends(
    seen: Observation, points: BodyPoints, width_px: int, height_px: int
) -> Iterator[Problem]:
    """A problem for each end of the body that is not inside the picture."""
    limits = np.array([width_px, height_px], float)
    if head_is_cut(points, width_px, height_px):
        yield _problem("the picture cuts off the top of the head")
    if level := _lower_end(seen, points, limits):
        yield _problem(f"the picture ends at the {level}")
    arms = np.concatenate([points.pair("elbow"), points.pair("wrist")])
    if not _inside(arms, limits, 0.0).all():
        yield _problem("the picture cuts off an arm")


def _problem(message: str) -> Problem:
    return Problem("BODY_CUT", message, _HINT)


def _lower_end(seen: Observation, points: BodyPoints, limits: FloatArray) -> str:
    """What of the legs the picture ends at; empty where both feet are inside."""
    margin = _MARGIN_SHARE * points.stature_px
    legs = np.stack([points.pair(joint) for joint in _LEG], axis=1)
    levels = []
    for leg, foot in zip(legs, points.feet_px, strict=True):
        line = np.concatenate([leg, foot[-1:]])
        if not _inside(np.concatenate([line, foot]), limits, margin).all():
            levels.append(_crossing(line, limits, margin))
    if levels:
        return _name(min(levels))
    return "feet" if _is_foot_guessed(seen, points, limits, margin) else ""


def _is_foot_guessed(
    seen: Observation, points: BodyPoints, limits: FloatArray, margin: float
) -> bool:
    """Whether nothing speaks for a foot, and the person goes on over the edge near it.

    Engines put a foot that they do not see inside now and then.
    """
    low, high = seen.box_xyxy_px[:2], seen.box_xyxy_px[2:]
    if not ((low <= margin).any() or (high >= limits - margin).any()):
        return False
    near = _FOOT_NEAR_M * points.px_per_m
    feet = zip(points.feet_px, points.feet_confidence, strict=True)
    return any(
        confidence.mean() < _SEEN and not _inside(foot, limits, near).all()
        for foot, confidence in feet
    )


def _crossing(line: FloatArray, limits: FloatArray, margin: float) -> float:
    """Where `line` (n, 2) leaves the picture, in joints from its beginning: 2.5 is between two."""
    inside = _inside(line, limits, margin)
    if inside.all():  # a point beside the line is outside, the heel
        return float(len(line) - 1)
    first = int(np.argmin(inside))
    if first == 0:
        return 0.0
    before, after = line[first - 1], line[first]
    way = after - before
    edge = np.where(way > 0, limits - margin, margin)
    shares = (edge - before) / np.where(way == 0, np.inf, way)
    return first - 1 + float(np.clip(shares[way != 0].min(initial=1.0), 0, 1))


def _name(level: float) -> str:
    place = min(int(level), len(_BETWEEN) - 1)
    share = level - place
    if share < _NEAR:
        return _AT[place]
    return _AT[place + 1] if share > 1 - _NEAR else _BETWEEN[place]


def _inside(places_px: FloatArray, limits: FloatArray, margin: float) -> FloatArray:
    """(n,) whether each of `places_px` (n, 2) is in the picture and so far from its edge."""
    return np.asarray(np.all((places_px >= margin) & (places_px <= limits - margin), axis=1))
