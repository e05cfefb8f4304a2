"""Cuts of a body by parallel planes: a plane through triangles gives closed loops."""

from itertools import pairwise

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.measurement.loops import Loop
from pose_service.measurement.surface import RestBody

# the corner after each of a triangle's corners
_NEXT = [1, 2, 0]


class Sections:
    """All cuts of `body` by planes of one `normal`, a unit vector (3,).

    A vertex that lies in the plane counts as above it, so a cut of a closed surface is closed
    wherever it is made.
    """

    def __init__(self, body: RestBody, normal: FloatArray) -> None:
        self.normal = normal
        self._vertices_m = body.vertices_m
        self._surface = body.surface
        self._offsets_m = body.vertices_m @ normal
        corners = [self._offsets_m[column] for column in body.surface.faces.T]
        self._low_m = np.minimum(np.minimum(*corners[:2]), corners[2])
        self._high_m = np.maximum(np.maximum(*corners[:2]), corners[2])
        self._axes = _axes_across(normal)

    def at(self, offset_m: float) -> list[Loop]:
        """The loops in the plane of the points p with p . normal = `offset_m`; maybe none."""
        crossed = np.flatnonzero((self._low_m < offset_m) & (self._high_m >= offset_m))
        faces = self._surface.faces[crossed]
        above = self._offsets_m[faces] >= offset_m
        # the one edge of each crossed triangle on which its outline comes up through the plane
        leaving = np.argmax(above[:, _NEXT] > above, axis=1)
        rows = np.arange(len(crossed))
        points = self._crossings(faces[rows, leaving], faces[rows, (leaving + 1) % 3], offset_m)
        following = np.searchsorted(crossed, self._surface.neighbours[crossed, leaving])
        order, ends = _cycles(following.tolist())
        walked = points[order]
        return [Loop(walked[start:end], self._axes) for start, end in pairwise(ends)]

    def _crossings(self, below: IntArray, above: IntArray, offset_m: float) -> FloatArray:
        low, high = self._offsets_m[below], self._offsets_m[above]
        share = ((offset_m - low) / (high - low))[:, None]
        start = self._vertices_m[below]
        return start + share * (self._vertices_m[above] - start)

    def around(self, point_m: FloatArray) -> Loop:
        """The loop about `point_m` (3,) in the plane through it.

        Raises `ValueError` where the plane does not meet the body.
        """
        return nearest(self.at(float(point_m @ self.normal)), point_m)


def nearest(loops: list[Loop], point_m: FloatArray) -> Loop:
    """Of the loops around flesh, that which holds the point (3,), else that whose middle is next.

    Where several hold it, as where a body touches itself, the middle decides too.
    """
    holding = [loop for loop in loops if loop.holds(point_m) and loop.area_m2 > 0]
    if len(holding) == 1:
        return holding[0]
    outer = holding or [loop for loop in loops if loop.area_m2 > 0]
    if not outer:
        raise ValueError(
            f"the body has no cross-section at {np.round(point_m, 3)}: expected joints inside it"
        )
    return min(outer, key=lambda loop: loop.distance_m(point_m))


def _axes_across(normal: FloatArray) -> FloatArray:
    """(2, 3) unit vectors u, v with u x v = `normal`."""
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first)])


def _cycles(following: list[int]) -> tuple[list[int], list[int]]:
    """The members of a permutation cycle by cycle, and where in that list cycles begin and end."""
    seen = [False] * len(following)
    order, ends = [], [0]
    for start in range(len(following)):
        member = start
        while not seen[member]:
            seen[member] = True
            order.append(member)
            member = following[member]
        if len(order) > ends[-1]:
            ends.append(len(order))
    return order, ends
