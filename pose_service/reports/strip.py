"""A strip of stick figures: one person at moments of a clip, side by side, at one scale."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.summary import ClipSummary
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17
from pose_service.rendering.keypoints import BONES, shown_keypoints
from pose_service.reports.paper import INK, LEFT, PALE_INK, RIGHT, Dashes, Paper, Pen, Type
from pose_service.reports.wording import seconds

FEW, MANY = 8, 12
"""Figures in a strip."""

_FILLED = 0.9  # of a figure's cell by the widest and the highest figure
_MOST_SPREAD = 1.5  # heights of the tallest figure over which figures may be spread
_TIMES_MM = 4.0
_HEAD = range(5)  # nose, eyes, ears: drawn as a circle instead
_HEAD_BY_TRUNK = 0.2
_TURN = np.linspace(0, 2 * np.pi, 49)
_CIRCLE = np.column_stack([np.cos(_TURN), np.sin(_TURN)])
_TRUNK = tuple(
    COCO17.index(f"{side}_{joint}") for joint in ("shoulder", "hip") for side in ("left", "right")
)


def chosen_indices(movement: Movement, summary: ClipSummary, count: int = 10) -> tuple[int, ...]:
    """Frames for the strip, evenly spread: over one repetition, where there are, else the clip.

    The repetition is the one in the middle, from half a period before its lowest to half a period
    after. Only frames with a known angle are taken; fewer than `count` where there are no more.
    """
    known = np.flatnonzero(np.isfinite(movement.angles_deg).any(axis=1))
    if not len(known):
        return ()
    times_s = movement.times_s[known]
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    if summary.repetitions is not None and len(summary.repetitions):
        found = summary.repetitions
        lowest_s = float(found.times_s[len(found) // 2])
        first_s, last_s = lowest_s - found.period_s / 2, lowest_s + found.period_s / 2
    wanted_s = np.linspace(max(first_s, times_s[0]), min(last_s, times_s[-1]), count)
    nearest = np.abs(times_s - wanted_s[:, None]).argmin(axis=1)
    return tuple(np.unique(known[nearest]).tolist())


def chosen_frames(
    keypoints: Iterable[KeypointFrame], indices: Sequence[int]
) -> tuple[KeypointFrame, ...]:
    """The frames at these places of an iterator; it is read to the last of them, none is held."""
    wanted = set(indices)
    if not wanted:
        return ()
    last, chosen = max(wanted), []
    for place, frame in enumerate(keypoints):
        if place in wanted:
            chosen.append(frame)
        if place == last:
            break
    return tuple(chosen)


def stick_figure_strip(
    frames: Sequence[KeypointFrame],
    track_id: int,
    *,
    least_confidence: float = 0.3,
    dots_per_inch: int = 144,
) -> bytes:
    """A PNG of the person of this track in `frames`, 8 to 12 of them at best."""
    paper = Paper((190.0, 46.0))
    draw_strip(paper, (4.0, 3.0, 182.0, 40.0), people_of(frames, track_id), least_confidence)
    return paper.png(dots_per_inch)


def people_of(
    frames: Sequence[KeypointFrame], track_id: int
) -> list[tuple[float, KeypointPerson | None]]:
    """The time of each frame and the person of this track in it."""
    return [
        (frame.time_s, next((one for one in frame.people if one.track_id == track_id), None))
        for frame in frames
    ]


def draw_strip(
    paper: Paper,
    area_mm: tuple[float, float, float, float],
    people: Sequence[tuple[float, KeypointPerson | None]],
    least_confidence: float,
) -> None:
    """Into `area_mm` (left, top, width, height), with the times below."""
    left, top, width, height = area_mm
    figures = [_figure_px(one, least_confidence) for _, one in people]
    seen = [one for one in figures if one is not None]
    if not seen:
        paper.text(left + width / 2, top + height / 2, "Nobody was seen in this clip.",
                   Type(9, PALE_INK, align="center"))  # fmt: skip
        return
    cell_mm = width / max(len(people), FEW)
    scale = _scale(seen, cell_mm, height - _TIMES_MM)
    start = left + (width - cell_mm * len(people)) / 2
    for place, ((time_s, person), points) in enumerate(zip(people, figures, strict=True)):
        foot_mm = np.array([start + (place + 0.5) * cell_mm, top + height - _TIMES_MM])
        paper.text(float(foot_mm[0]), top + height, seconds(time_s),
                   Type(6.5, PALE_INK, align="center"))  # fmt: skip
        if person is not None and points is not None:
            _draw_figure(paper, person, scale.placed_mm(points) + foot_mm)


@dataclass(frozen=True)
class _Scale:
    """`ground_px`: where all stand, the picture's y; None where each stands on its own lowest."""

    mm_per_px: float
    ground_px: float | None

    def placed_mm(self, points_px: FloatArray) -> FloatArray:
        """(17, 2) from the foot of the figure's cell, down is positive."""
        low, high = _ends_px(points_px)
        ground_px = high[1] if self.ground_px is None else self.ground_px
        foot_px = np.array([(low[0] + high[0]) / 2, ground_px])
        placed: FloatArray = self.mm_per_px * (points_px - foot_px)
        return placed


def _scale(figures: Sequence[FloatArray], width_mm: float, height_mm: float) -> _Scale:
    """The largest at which all fit into a cell.

    Heights are the picture's, so that crouching and jumping are seen, unless the figures would be
    small then: somebody who comes nearer goes down in the picture.
    """
    ends = np.array([_ends_px(one) for one in figures])
    widest_px, tallest_px = np.maximum((ends[:, 1] - ends[:, 0]).max(axis=0), 1.0)
    ground_px, top_px = float(ends[:, 1, 1].max()), float(ends[:, 0, 1].min())
    together = ground_px - top_px <= _MOST_SPREAD * tallest_px
    needed_px = max(ground_px - top_px, 1.0) if together else tallest_px
    mm_per_px = _FILLED * min(width_mm / widest_px, height_mm / needed_px)
    return _Scale(float(mm_per_px), ground_px if together else None)


def _known(points_px: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(points_px).all(axis=1))


def _ends_px(points_px: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least and greatest x and y, (2,) each, of what is known."""
    known = points_px[_known(points_px)]
    return known.min(axis=0), known.max(axis=0)


def _figure_px(person: KeypointPerson | None, least_confidence: float) -> FloatArray | None:
    """(17, 2) with NaN where a keypoint is not shown; None where none is."""
    if person is None:
        return None
    shown = shown_keypoints(person, least_confidence)
    return np.where(shown[:, None], person.points_px, np.nan) if shown.any() else None


def _draw_figure(paper: Paper, person: KeypointPerson, points_mm: FloatArray) -> None:
    """In dots and pale who was not seen in this frame."""
    observed = person.provenance is Provenance.OBSERVED
    dashes: Dashes = "solid" if observed else "dotted"
    alpha = 1.0 if observed else 0.55
    known = _known(points_mm)
    for bone in BONES:
        if known[list(bone)].all() and not set(bone) & set(_HEAD):
            start, end = points_mm[list(bone)].tolist()
            paper.line([start, end], Pen(_bone_colour(bone), 1.5, dashes, alpha, True))
    face, trunk = points_mm[list(_HEAD)], points_mm[list(_TRUNK)]
    if _known(face).any() and _known(trunk).all():
        length_mm = float(np.linalg.norm(trunk[:2].mean(axis=0) - trunk[2:].mean(axis=0)))
        circle = face[_known(face)].mean(axis=0) + _HEAD_BY_TRUNK * length_mm * _CIRCLE
        paper.line(circle.tolist(), Pen(INK, 1.2, dashes, alpha))


def _bone_colour(bone: tuple[int, int]) -> str:
    sides = {COCO17.joints[joint].partition("_")[0] for joint in bone}
    return INK if len(sides) > 1 else {"left": LEFT, "right": RIGHT}.get(sides.pop(), INK)
