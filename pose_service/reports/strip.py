"""A strip of stick figures: one person at moments of a clip, side by side, at one scale."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.summary import ClipSummary
from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17
from pose_service.rendering.keypoints import BONES, shown_keypoints
from pose_service.reports.paper import INK, LEFT, PALE_INK, RIGHT, Paper, Type
from pose_service.reports.wording import seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW, MANY = 8, 12
"""Figures in a strip."""

_ROOM = 1.12  # of a figure's cell by the widest and the highest figure
_TIMES_MM = 4.0
_HEAD = range(5)  # nose, eyes, ears: drawn as a circle instead
_HEAD_BY_TRUNK = 0.2
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
    cell_mm = np.array([width / max(len(people), FEW), height - _TIMES_MM])
    widest_px = max(float(np.ptp(one[_known(one), 0])) for one in seen)
    ground_px, top_px = _ends_px(seen)
    px_per_mm = _ROOM * max(widest_px / cell_mm[0], (ground_px - top_px) / cell_mm[1], 1e-3)
    start = left + (width - cell_mm[0] * len(people)) / 2
    for place, ((time_s, person), points) in enumerate(zip(people, figures, strict=True)):
        x = start + place * cell_mm[0]
        paper.text(x + cell_mm[0] / 2, top + height, seconds(time_s),
                   Type(6.5, PALE_INK, align="center"))  # fmt: skip
        if person is not None and points is not None:
            axes = paper.axes(x, top, *cell_mm.tolist())
            _place(axes, points, ground_px, px_per_mm * cell_mm)
            _draw_figure(axes, person, points)


def _known(points_px: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(points_px).all(axis=1))


def _ends_px(figures: Sequence[FloatArray]) -> tuple[float, float]:
    """Lowest and highest point of all: heights are the picture's, so that crouching is seen."""
    heights = np.concatenate([one[_known(one), 1] for one in figures])
    return float(heights.max()), float(heights.min())


def _figure_px(person: KeypointPerson | None, least_confidence: float) -> FloatArray | None:
    """(17, 2) with NaN where a keypoint is not shown; None where none is."""
    if person is None:
        return None
    shown = shown_keypoints(person, least_confidence)
    return np.where(shown[:, None], person.points_px, np.nan) if shown.any() else None


def _place(axes: "Axes", points_px: FloatArray, ground_px: float, size_px: FloatArray) -> None:
    """The figure's middle in the middle of a cell of this size, y down."""
    across = points_px[_known(points_px), 0]
    middle = float(across.min() + across.max()) / 2
    axes.set_axis_off()
    axes.set_xlim(middle - size_px[0] / 2, middle + size_px[0] / 2)
    axes.set_ylim(ground_px + 0.03 * size_px[1], ground_px - 0.97 * size_px[1])


def _draw_figure(axes: "Axes", person: KeypointPerson, points_px: FloatArray) -> None:
    """In dots and pale who was not seen in this frame."""
    observed = person.provenance is Provenance.OBSERVED
    dashes, alpha = ("solid", 1.0) if observed else ("dotted", 0.55)
    for bone in BONES:
        if not set(bone) & set(_HEAD):
            x, y = points_px[list(bone)].T
            axes.plot(
                x, y, color=_bone_colour(bone), linestyle=dashes, alpha=alpha, linewidth=1.5,
                solid_capstyle="round",
            )  # fmt: skip
    _draw_head(axes, points_px, alpha)


def _draw_head(axes: "Axes", points_px: FloatArray, alpha: float) -> None:
    """A circle about the middle of what is seen of the face, as large as a head by the trunk."""
    from matplotlib.patches import Circle

    face, trunk = points_px[list(_HEAD)], points_px[list(_TRUNK)]
    if _known(face).any() and _known(trunk).all():
        x, y = face[_known(face)].mean(axis=0).tolist()
        length_px = float(np.linalg.norm(trunk[:2].mean(axis=0) - trunk[2:].mean(axis=0)))
        axes.add_patch(
            Circle((x, y), _HEAD_BY_TRUNK * length_px, fill=False, edgecolor=INK, linewidth=1.2,
                   alpha=alpha)
        )  # fmt: skip


def _bone_colour(bone: tuple[int, int]) -> str:
    sides = {COCO17.joints[joint].partition("_")[0] for joint in bone}
    return INK if len(sides) > 1 else {"left": LEFT, "right": RIGHT}.get(sides.pop(), INK)
