"""Nine measures of a body, each with the lines that were measured."""

from dataclasses import dataclass, fields

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.measurement.loops import path_length_m


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure: the mean length of its lines, which are one, or one of each side.

    `paths_m`: (n, 3) each, metres, in the mesh's own axes. `closed`: a tape around the body, whose
    last point is joined to the first; else a line from end to end.
    """

    paths_m: tuple[FloatArray, ...]
    closed: bool

    def __post_init__(self) -> None:
        if not self.paths_m:
            raise ValueError("paths_m: expected at least one line, got none")
        for path_m in self.paths_m:
            expect_shape("paths_m", path_m, ("n", 3))

    @property
    def value_cm(self) -> float:
        """The mean of the lines' lengths, centimetres."""
        lengths_m = [path_length_m(path_m, closed=self.closed) for path_m in self.paths_m]
        return 100 * float(np.mean(lengths_m))

    def scaled(self, factor: float) -> "Measure":
        """Of a body `factor` times as large about the origin."""
        return Measure(tuple(factor * path_m for path_m in self.paths_m), self.closed)


@dataclass(frozen=True, eq=False)
class Measurements:
    """The nine, as docs/measurements.md defines them."""

    height: Measure
    chest: Measure
    waist: Measure
    hip: Measure
    inseam: Measure
    shoulder_width: Measure
    arm_length: Measure
    thigh: Measure
    neck: Measure

    def centimetres(self) -> dict[str, float]:
        """The values by name, in the order of `MEASURES`."""
        return {name: getattr(self, name).value_cm for name in MEASURES}

    def scaled_to(self, height_cm: float) -> "Measurements":
        """As of a body of this height with the same proportions.

        Raises `ValueError` unless `height_cm` is positive.
        """
        if not height_cm > 0:
            raise ValueError(f"height_cm: expected a positive number, got {height_cm}")
        factor = height_cm / self.height.value_cm
        return Measurements(*(getattr(self, name).scaled(factor) for name in MEASURES))


MEASURES = tuple(field.name for field in fields(Measurements))
"""Names of the nine measures."""
