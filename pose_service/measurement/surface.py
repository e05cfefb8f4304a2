"""A body at rest as a closed surface: what a mesh must be before anything is measured on it."""

from dataclasses import dataclass, field

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.skeletons import SMPL24

# People, in metres: smaller and taller than anybody, so that millimetres and feet are noticed.
_LEAST_HEIGHT_M, _MOST_HEIGHT_M = 0.4, 2.8
_Y_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class ClosedFaces:
    """Triangles that close: every edge has one triangle on each side, both the same way round.

    `faces`: (f, 3) vertex numbers, anticlockwise seen from outside. `neighbours`: (f, 3), the
    triangle across the edge from corner k to the next. Make it with `of`, once for all shapes of
    one body model.
    """

    faces: IntArray
    neighbours: IntArray

    @classmethod
    def of(cls, faces: IntArray) -> "ClosedFaces":
        """Raises `ValueError` naming what is wrong and an edge where, if the faces do not close."""
        expect_shape("faces", faces, ("f", 3))
        if not np.issubdtype(faces.dtype, np.integer) or not len(faces) or faces.min() < 0:
            raise ValueError("faces: expected vertex numbers, at least four triangles of them")
        starts, ends = faces.astype(np.int64), np.roll(faces, -1, axis=1).astype(np.int64)
        if np.any(starts == ends):
            raise ValueError("faces: a triangle names one vertex twice; remove such triangles")
        count = int(faces.max()) + 1
        edges = (np.minimum(starts, ends) * count + np.maximum(starts, ends)).ravel()
        order = np.argsort(edges, kind="stable")
        _expect_pairs(edges[order], count)
        first, second = order.reshape(-1, 2).T
        forward = (starts < ends).ravel()
        if np.any(turned := forward[first] == forward[second]):
            edge = _edge(edges[first[np.argmax(turned)]], count)
            raise ValueError(f"faces: the triangles at edge {edge} are turned against each other")
        neighbours = np.empty(faces.size, np.int64)
        neighbours[first], neighbours[second] = second // 3, first // 3
        return cls(faces, neighbours.reshape(-1, 3))


def _expect_pairs(edges: IntArray, vertex_count: int) -> None:
    """`edges`: sorted numbers of the undirected edges of all triangles."""
    fresh = np.concatenate([[True], edges[1:] != edges[:-1]])
    places = np.flatnonzero(fresh)
    sides = np.diff(np.append(places, len(edges)))
    if np.any(wrong := sides != 2):
        number = int(np.argmax(wrong))
        kind = "open" if sides[number] == 1 else "not manifold"
        raise ValueError(
            f"faces: expected a closed surface, but it is {kind}: edge "
            f"{_edge(edges[places[number]], vertex_count)} belongs to {sides[number]} triangle(s), "
            f"{np.count_nonzero(wrong)} edge(s) are wrong. Close the mesh and merge its vertices"
        )


def _edge(number: int, vertex_count: int) -> str:
    return "-".join(map(str, divmod(int(number), vertex_count)))


@dataclass(frozen=True, eq=False)
class RestBody:
    """One body, standing upright in a T- or A-like pose: arms clear of the trunk, legs apart.

    `vertices_m`: (v, 3), in any axes. `surface`: its triangles. `joints_m`: (24, 3) in SMPL's
    order, used as guides to the limbs. `up`: (3,) the direction from the floor to the head.
    """

    vertices_m: FloatArray
    surface: ClosedFaces
    joints_m: FloatArray
    up: FloatArray = field(default_factory=_Y_UP.copy)

    def __post_init__(self) -> None:
        expect_shape("vertices_m", self.vertices_m, ("v", 3))
        expect_shape("joints_m", self.joints_m, (len(SMPL24), 3))
        expect_shape("up", self.up, (3,))
        if self.surface.faces.max() >= len(self.vertices_m):
            raise ValueError(f"faces: expected vertex numbers below {len(self.vertices_m)}")
        if not all(np.isfinite(a).all() for a in (self.vertices_m, self.joints_m, self.up)):
            raise ValueError("vertices_m, joints_m, up: expected finite numbers")
        if not np.isclose(np.linalg.norm(self.up), 1, atol=1e-6):
            raise ValueError(f"up: expected a unit vector, got {self.up}")
        self._expect_person()

    def _expect_person(self) -> None:
        if not _LEAST_HEIGHT_M <= self.height_m <= _MOST_HEIGHT_M:
            raise ValueError(
                f"vertices_m: expected a person of {_LEAST_HEIGHT_M} to {_MOST_HEIGHT_M} m, got "
                f"{self.height_m:.4g} m along `up`. Give metres"
            )
        if (volume_m3 := self._volume_m3()) <= 0:
            raise ValueError(
                f"faces: the surface is inside out (volume {volume_m3:.4g} m3). Turn every triangle"
            )
        if (self.joint("head") - self.joint("pelvis")) @ self.up <= 0:
            raise ValueError("up: expected the head joint above the pelvis, got it below")

    def _volume_m3(self) -> float:
        # about a point of the body, lest rounding count far from the origin
        corners = (self.vertices_m - self.vertices_m[0])[self.surface.faces]
        return float(
            np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
        )

    def joint(self, name: str) -> FloatArray:
        """(3,) the joint that SMPL24 calls `name`."""
        place: FloatArray = self.joints_m[SMPL24.index(name)].astype(np.float64)
        return place

    @property
    def height_m(self) -> float:
        """From the lowest to the highest vertex along `up`."""
        return float(np.ptp(self.vertices_m @ self.up))
