"""What the reader of a report should know before trusting it."""

from collections.abc import Iterator

import numpy as np

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.comparison import Comparison
from pose_service.biomechanics.movement import Movement
from pose_service.reports.records import MovementReport
from pose_service.reports.wording import degrees, seconds, spoken

_PLANE = (
    "Angles are those in the picture's plane, as a protractor on the screen shows them: a limb that"
    " points at the camera looks shorter, and its angle is not the joint's own."
)
_SPACE = (
    "Angles are true angles in space, of a body that was fitted to the picture: limbs that point at"
    " the camera are less sure than those across it."
)
_MANY_FPS, _FEW_FRAMES = 25.0, 30
_OFTEN = 0.95
"""An angle that is known in fewer of the frames is named."""


def notes_of(report: MovementReport) -> Iterator[str]:
    """Sentences, the weightiest first; the caller's own and the clip's at the end."""
    movement, model = report.movement, report.model
    if not np.isfinite(movement.angles_deg).any():
        yield "No angle is known in any frame: nobody was seen, or too few joints were."
    if report.comparison is not None:
        yield _against(report.other_title, report.comparison)
    yield _SPACE if model.axes == 3 else _PLANE
    if model.fallback:
        yield f"Keypoints are of {model.name}: {model.fallback}."
    yield from _missing(movement)
    if report.clip.fps < _MANY_FPS:
        yield f"At {report.clip.fps:.3g} frames a second quick movements are seen in part only."
    if len(movement) < _FEW_FRAMES:
        yield f"The clip has only {len(movement)} frames: repetitions and drift say little."
    yield from report.clip.notes
    yield from report.notes


def _missing(movement: Movement) -> Iterator[str]:
    """How often each angle is known, where that is not nearly always."""
    shares = np.isfinite(movement.angles_deg).mean(axis=0)
    seldom = [
        f"{spoken(name)} {100 * share:.0f} %"
        for name, share in zip(ANGLES, shares.tolist(), strict=True)
        if share < _OFTEN
    ]
    if seldom and shares.any():
        yield f"Not known in all frames, but in: {', '.join(seldom)}."


def _against(title: str, comparison: Comparison) -> str:
    """How far the second clip is from this one, and where most."""
    place = np.unravel_index(
        int(np.abs(comparison.differences_deg).argmax()), comparison.differences_deg.shape
    )
    most = degrees(float(comparison.differences_deg[place]), sign=True)
    when = seconds(float(comparison.times_s[place[0]]))
    where = spoken(comparison.angles[int(place[1])])
    return (
        f"Against {title}: {comparison.distance_deg:.1f}° apart, at most {most}, {where} at {when}."
    )
