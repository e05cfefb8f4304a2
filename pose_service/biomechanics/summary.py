"""The summary of one person's movement in a clip."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from pose_service.biomechanics.angles import ANGLES, PAIRS
from pose_service.biomechanics.curves import (
    Asymmetry,
    Drift,
    Extremes,
    asymmetry,
    drift,
    extremes,
)
from pose_service.biomechanics.events import AngleEvent, AngleLimit, angle_events
from pose_service.biomechanics.movement import Movement
from pose_service.biomechanics.repetitions import Repetitions, repetitions
from pose_service.biomechanics.scores import Scores
from pose_service.core.arrays import FloatArray


@dataclass(frozen=True)
class ClipSummary:
    """By name of an angle, joint (`PAIRS`) or score; None where too little is known.

    `angles_deg`, `velocities_deg_s`: ranges and peaks. `asymmetry_deg`: left less right.
    `score_drift`: of the scores over the session, fatigue for one. `repeated_angle`: the angle in
    which the repetitions are most clearly seen, `repetitions` those of it, and `depth_drift` how
    their depth changes; None where no movement repeats.
    """

    angles_deg: dict[str, Extremes | None]
    velocities_deg_s: dict[str, Extremes | None]
    asymmetry_deg: dict[str, Asymmetry | None]
    score_drift: dict[str, Drift | None]
    repeated_angle: str | None
    repetitions: Repetitions | None
    depth_drift: Drift | None
    events: tuple[AngleEvent, ...]


def summarise(movement: Movement, table: Iterable[AngleLimit] = ()) -> ClipSummary:
    """Of a whole clip, smoothed before; `table` says which angles are dangerous."""
    times_s = movement.times_s
    angle, repeated = _most_repeated(movement)
    return ClipSummary(
        angles_deg=_extremes(times_s, movement.angles_deg),
        velocities_deg_s=_extremes(times_s, movement.angular_velocities_deg_s),
        asymmetry_deg={
            joint: asymmetry(
                times_s, movement.angle_deg(f"left_{joint}"), movement.angle_deg(f"right_{joint}")
            )
            for joint in PAIRS
        },
        score_drift={
            score.name: drift(times_s, getattr(movement.scores, score.name))
            for score in fields(Scores)
        },
        repeated_angle=angle,
        repetitions=repeated,
        depth_drift=None if repeated is None else drift(repeated.times_s, repeated.depths),
        events=tuple(angle_events(movement, table)),
    )


def _extremes(times_s: FloatArray, curves: FloatArray) -> dict[str, Extremes | None]:
    return {name: extremes(times_s, curve) for name, curve in zip(ANGLES, curves.T, strict=True)}


def _most_repeated(movement: Movement) -> tuple[str | None, Repetitions | None]:
    """The angle whose repetitions explain most movement: strength times range of motion."""
    best: tuple[float, str | None, Repetitions | None] = (0.0, None, None)
    for name in ANGLES:
        curve = movement.angle_deg(name)
        found, moved = repetitions(movement.times_s, curve), extremes(movement.times_s, curve)
        if found is not None and moved is not None and found.strength * moved.range > best[0]:
            best = (found.strength * moved.range, name, found)
    return best[1:]
