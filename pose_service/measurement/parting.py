"""Where two parts of a body come together: legs at the crotch, an arm and the trunk at the armpit.

Of planes that move along one direction, those before the place cut the two parts as two loops,
those after it as one. The place is thus found by the topology of the cuts, not by a vertex' number.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.measurement.loops import Loop, around
from pose_service.measurement.sections import Sections, nearest

# half of the last bracket is 0.2 mm on a thigh of 0.4 m
_HALVINGS = 10


def unit(vector: FloatArray) -> FloatArray:
    """(3,) `vector` at length one; `ValueError` if it has no length."""
    length = float(np.linalg.norm(vector))
    if length < 1e-6:
        raise ValueError("joints_m: expected limbs with a length and a direction of their own")
    return vector / length


@dataclass(frozen=True, eq=False)
class Axis:
    """A straight line inside a limb or the trunk, through `start_m` and `end_m`, (3,) each."""

    start_m: FloatArray
    end_m: FloatArray

    @cached_property
    def direction(self) -> FloatArray:
        """(3,) unit vector from start to end; `ValueError` if they are one point."""
        return unit(self.end_m - self.start_m)

    def at(self, normal: FloatArray, offset_m: float) -> FloatArray:
        """(3,) where the line meets the plane p . normal = `offset_m`."""
        direction = self.direction
        slope = float(direction @ normal)
        if abs(slope) < 0.05:
            raise ValueError(
                "joints_m: a limb lies along the plane that should cut it. Expected a T- or A-like "
                "pose: legs down, arms at most level"
            )
        return self.start_m + (offset_m - float(self.start_m @ normal)) / slope * direction


@dataclass(frozen=True, eq=False)
class Parting:
    """The plane in which two parts come together.

    `offset_m`: along the planes' normal. `loops`: the two parts' loops just before.
    """

    offset_m: float
    loops: tuple[Loop, Loop]

    @cached_property
    def point_m(self) -> FloatArray:
        """(3,) half way between the loops, where a corner of the first is nearest to the second."""
        corners, starts = (loop.points_m for loop in self.loops)
        edges = np.diff(around(starts), axis=0)
        squares = np.maximum((edges**2).sum(axis=1), np.finfo(np.float64).tiny)
        shares = np.clip(((corners[:, None] - starts) * edges).sum(axis=2) / squares, 0, 1)
        feet = starts + shares[..., None] * edges
        distances = np.linalg.norm(feet - corners[:, None], axis=2)
        corner, edge = np.unravel_index(np.argmin(distances), distances.shape)
        middle: FloatArray = (corners[corner] + feet[corner, edge]) / 2
        return middle


@dataclass(frozen=True)
class Parts:
    """Two parts that are apart at one offset and together at a greater one; `names` for errors."""

    first: Axis
    second: Axis
    names: str

    def loops(self, sections: Sections, offset_m: float) -> tuple[Loop, Loop]:
        """Their loops in one plane; the same object twice where the parts are together."""
        loops = sections.at(offset_m)
        first, second = (
            nearest(loops, axis.at(sections.normal, offset_m)) for axis in (self.first, self.second)
        )
        return first, second


def part(sections: Sections, parts: Parts, apart_m: float, together_m: float) -> Parting:
    """Find where `parts` come together between two offsets, by halving.

    Raises `ValueError` if they are together at the first or apart at the second.
    """
    expected = "Expected a T- or A-like pose: legs and arms free of each other and of the trunk"
    last = parts.loops(sections, apart_m)
    if last[0] is last[1]:
        raise ValueError(f"{parts.names} are one where they should be apart. {expected}")
    first, second = parts.loops(sections, together_m)
    if first is not second:
        raise ValueError(f"{parts.names} do not come together between their joints. {expected}")
    for _ in range(_HALVINGS):
        middle = (apart_m + together_m) / 2
        loops = parts.loops(sections, middle)
        if loops[0] is loops[1]:
            together_m = middle
        else:
            apart_m, last = middle, loops
    return Parting((apart_m + together_m) / 2, last)
