"""What stands in the tables of a report page."""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from pose_service.biomechanics.angles import ANGLES, PAIRS
from pose_service.biomechanics.curves import Drift, Extremes
from pose_service.biomechanics.events import AngleEvent
from pose_service.biomechanics.scores import Scores
from pose_service.biomechanics.summary import ClipSummary
from pose_service.reports.curves import LABELLED_EVENTS
from pose_service.reports.panel import SCORES
from pose_service.reports.paper import LEFT, RIGHT
from pose_service.reports.table import Column, Table
from pose_service.reports.wording import UNKNOWN, degrees, number, seconds, spoken


def angle_table(summary: ClipSummary) -> Table:
    """Range of motion, peaks and their times, the greatest speed, of each angle."""
    rows = tuple(_angle_row(name, summary) for name in ANGLES)
    columns = (
        Column("angle", 22, "left"), Column("range", 10), Column("least", 10), Column("at", 13),
        Column("greatest", 13), Column("at", 13), Column("fastest", 16), Column("at", 13),
    )  # fmt: skip
    colours = tuple(LEFT if name.startswith("left") else RIGHT for name in ANGLES)
    return Table("Range of motion and peaks", columns, rows, colours)


def _angle_row(name: str, summary: ClipSummary) -> tuple[str, ...]:
    angle, speed = summary.angles_deg[name], summary.velocities_deg_s[name]
    if angle is None:
        return (spoken(name), *(UNKNOWN,) * 7)
    return (
        spoken(name), degrees(angle.range),
        degrees(angle.least), seconds(angle.least_time_s),
        degrees(angle.greatest), seconds(angle.greatest_time_s),
        *_fastest(speed),
    )  # fmt: skip


def _fastest(speed: Extremes | None) -> tuple[str, str]:
    """The velocity that is largest in size, with its sign, and when."""
    if speed is None:
        return UNKNOWN, UNKNOWN
    peaks = (speed.least, speed.least_time_s), (speed.greatest, speed.greatest_time_s)
    velocity, time_s = max(peaks, key=lambda peak: abs(peak[0]))
    return f"{number(velocity, sign=True)} °/s", seconds(time_s)


def asymmetry_table(summary: ClipSummary) -> Table:
    """Left less right of each joint."""
    columns = (
        Column("joint", 13, "left"), Column("mean", 8), Column("absolute", 12),
        Column("largest", 10), Column("at", 12), Column("range", 13),
    )  # fmt: skip
    rows = []
    for joint in PAIRS:
        one = summary.asymmetry_deg[joint]
        rows.append(
            (joint, *(UNKNOWN,) * 5)
            if one is None
            else (
                joint, degrees(one.mean, sign=True), degrees(one.mean_absolute),
                degrees(one.greatest, sign=True), seconds(one.greatest_time_s),
                _percent(one.range_index_pct),
            )
        )  # fmt: skip
    return Table("Left less right", columns, tuple(rows))


def _percent(share: float | None) -> str:
    text = number(share, sign=True)
    return text if text == UNKNOWN else f"{text} %"


def event_table(events: tuple[AngleEvent, ...]) -> Table:
    """The first events, by the numbers that the curves give them; how many more there are."""
    columns = (
        Column("", 5, "left"), Column("limit", 43, "left"), Column("angle", 22, "left"),
        Column("from", 14), Column("for", 14), Column("worst", 12),
    )  # fmt: skip
    shown = events[:LABELLED_EVENTS]
    rows = [_event_row(place, event) for place, event in enumerate(shown, start=1)]
    if not events:
        rows = [("", "none", *("",) * 4)]
    elif len(events) > len(shown):
        rows.append(("", f"and {len(events) - len(shown)} more", *("",) * 4))
    return Table("Outside the limits", columns, tuple(rows))


def _event_row(place: int, event: AngleEvent) -> tuple[str, ...]:
    return (
        str(place), event.limit.name, spoken(event.limit.angle), seconds(event.start_s),
        f"{event.end_s - event.start_s:.2f} s", degrees(event.worst_deg),
    )  # fmt: skip


def drift_table(summary: ClipSummary) -> Table:
    """The straight line through each score, and through the depth of the repetitions."""
    columns = (
        Column("line through", 27, "left"), Column("start", 10), Column("end", 10),
        Column("change", 12), Column("r²", 9),
    )  # fmt: skip
    return Table("Drift from start to end", columns, tuple(_drift_rows(summary)))


def _drift_rows(summary: ClipSummary) -> Iterator[tuple[str, ...]]:
    for score in fields(Scores):
        label, full = SCORES[score.name]
        yield _drift_row(label, summary.score_drift[score.name], 2 if full == 1 else 0)
    yield _drift_row("repetitions' lowest", summary.depth_drift, 0)


def _drift_row(name: str, drift: Drift | None, digits: int) -> tuple[str, ...]:
    if drift is None:
        return (name, *(UNKNOWN,) * 4)
    explained = np.nan if drift.r_squared is None else drift.r_squared
    return (
        name, number(drift.at_start, digits), number(drift.at_end, digits),
        number(drift.at_end - drift.at_start, digits, sign=True), number(explained, 2),
    )  # fmt: skip
