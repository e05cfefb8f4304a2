"""Times at which an angle was outside the limits that the caller sets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.movement import Movement
from pose_service.core.arrays import FloatArray


@dataclass(frozen=True)
class AngleLimit:
    """One row of the table: `angle` (of `ANGLES`) is dangerous below `low_deg` or above `high_deg`.

    Shorter times than `least_s` are no event.
    """

    name: str
    angle: str
    low_deg: float | None = None
    high_deg: float | None = None
    least_s: float = 0.0

    def __post_init__(self) -> None:
        if self.angle not in ANGLES:
            raise ValueError(f"angle: expected one of {', '.join(ANGLES)}, got {self.angle}")
        if self.low_deg is None and self.high_deg is None:
            raise ValueError(f"{self.name}: expected low_deg or high_deg, got neither")

    def excess_deg(self, angles_deg: FloatArray) -> FloatArray:
        """How far outside the limits; 0 or less inside, 0 where not known. Both (n,)."""
        below = 0.0 if self.low_deg is None else self.low_deg - angles_deg
        above = 0.0 if self.high_deg is None else angles_deg - self.high_deg
        return np.nan_to_num(np.maximum(below, above))


@dataclass(frozen=True)
class AngleEvent:
    """`start_s`, `end_s`: first and last frame outside; `worst_deg`: the angle farthest outside."""

    limit: AngleLimit
    start_s: float
    end_s: float
    worst_deg: float
    worst_time_s: float


def angle_events(movement: Movement, table: Iterable[AngleLimit]) -> Iterator[AngleEvent]:
    """Events limit by limit, in time. A frame in which the angle is not known ends an event."""
    for limit in table:
        angles = movement.angle_deg(limit.angle)
        excess = limit.excess_deg(angles)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], excess > 0, [False]])))
        for first, end in edges.reshape(-1, 2):
            start_s, end_s = float(movement.times_s[first]), float(movement.times_s[end - 1])
            if end_s - start_s >= limit.least_s:
                worst = int(first + np.argmax(excess[first:end]))
                yield AngleEvent(
                    limit, start_s, end_s, float(angles[worst]), float(movement.times_s[worst])
                )
