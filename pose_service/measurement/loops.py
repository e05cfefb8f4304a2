"""A closed line in a plane, and the tape around it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape


@dataclass(frozen=True, eq=False)
class Loop:
    """Where a plane cuts a closed surface once around.

    `points_m`: (n, 3), the last joined to the first; anticlockwise seen from where the plane's
    normal points to, if the body is inside. `axes`: (2, 3) unit vectors that span the plane.
    """

    points_m: FloatArray
    axes: FloatArray

    def __post_init__(self) -> None:
        expect_shape("points_m", self.points_m, ("n", 3))
        expect_shape("axes", self.axes, (2, 3))

    @cached_property
    def flat_m(self) -> FloatArray:
        """(n, 2) the points in the plane."""
        flat: FloatArray = self.points_m @ self.axes.T
        return flat

    @cached_property
    def _outline_m(self) -> FloatArray:
        """(n + 1, 2) the points in the plane and the first once more."""
        return around(self.flat_m)

    @cached_property
    def area_m2(self) -> float:
        """Gauss's area formula; negative around a hole in the body."""
        x, y = (self._outline_m - self._outline_m[0]).T
        return float(x[:-1] @ y[1:] - y[:-1] @ x[1:]) / 2

    def distance_m(self, point_m: FloatArray) -> float:
        """From `point_m` (3,), in this plane, to the middle of the loop's extent.

        Unlike a mean, the middle does not depend on how the points are spaced.
        """
        middle = (self.flat_m.min(axis=0) + self.flat_m.max(axis=0)) / 2
        return float(np.linalg.norm(middle - self.axes @ point_m))

    def holds(self, point_m: FloatArray) -> bool:
        """Whether `point_m` (3,), seen along the normal, lies inside, by a ray's crossings."""
        x, y = (self._outline_m - self.axes @ point_m).T
        above = y > 0
        (crossed,) = np.nonzero(above[1:] != above[:-1])
        if not len(crossed):
            return False
        x, y, x_next, y_next = x[crossed], y[crossed], x[crossed + 1], y[crossed + 1]
        return bool(np.count_nonzero(x - y * (x_next - x) / (y_next - y) > 0) % 2)

    @cached_property
    def tape_m(self) -> FloatArray:
        """(t, 3) corners of the convex hull: a tight tape bridges hollows."""
        return self.points_m[convex_hull(self.flat_m)]

    @cached_property
    def tape_length_m(self) -> float:
        """Once around the convex hull."""
        return path_length_m(self.tape_m, closed=True)


def around(points: FloatArray) -> FloatArray:
    """(n + 1, d) the points (n, d) and the first once more."""
    return np.concatenate([points, points[:1]])


def path_length_m(points_m: FloatArray, *, closed: bool) -> float:
    """Length of the line through `points_m` (n, d), back to the first if `closed`."""
    path_m = around(points_m) if closed else points_m
    steps_m = path_m[1:] - path_m[:-1]
    return float(np.sqrt(np.einsum("nd,nd->n", steps_m, steps_m)).sum())


def convex_hull(flat: FloatArray) -> IntArray:
    """Corners of the convex hull of points (n, 2), anticlockwise, as places in the list.

    Andrew's monotone chain (1979); the line from the first to the last point along x parts the
    points for the lower chain from those for the upper.

    >>> convex_hull(np.array([[0, 0], [1, 0], [0.5, 0.1], [1, 1], [0, 1.0]])).tolist()
    [0, 1, 3, 4]
    """
    order = np.lexsort(flat.T[::-1])
    x, y = (flat[order] - flat[order[0]]).T
    height = y * x[-1] - x * y[-1]
    lower = _chain(flat, order[height <= 0])
    upper = _chain(flat, order[height >= 0][::-1])
    return np.array(lower[:-1] + upper[:-1] or lower)


def _chain(flat: FloatArray, places: IntArray) -> list[int]:
    """The part of the hull that turns left all the way along `places`."""
    chain: list[tuple[float, float, int]] = []
    for x, y, place in zip(*flat[places].T.tolist(), places.tolist(), strict=True):
        while len(chain) > 1:
            (ax, ay, _), (bx, by, _) = chain[-2:]
            if (bx - ax) * (y - ay) > (by - ay) * (x - ax):
                break
            chain.pop()
        chain.append((x, y, place))
    return [place for _, _, place in chain]
