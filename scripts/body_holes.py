"""Holes in a triangle surface, for scripts/export_body.py: find their rims, close them.

Arrays: vertices_m (V, 3) metres; faces (F, 3) vertex numbers, anticlockwise seen from outside.
A rim lists vertex numbers in the order in which the closing triangles run along it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EYE_RINGS = (0.25, 0.5, 0.75)


def boundary_loops(faces: Ints) -> list[list[int]]:
    """The rims of the holes, each a list of vertex numbers in the order that closes the hole."""
    edges = {edge for a, b, c in faces.tolist() for edge in ((a, b), (b, c), (c, a))}
    following = {b: a for a, b in edges if (b, a) not in edges}
    loops: list[list[int]] = []
    while following:
        start = min(following)
        loop, here = [start], following.pop(start)
        while here != start:
            loop.append(here)
            here = following.pop(here)
        loops.append(loop)
    return loops


def mouth_arc(loop: list[int], seam: NDArray[np.bool_]) -> list[int]:
    """The part of the seam's rim that leaves the plane: half of the lips, seam to seam."""
    count = len(loop)
    first = next(i for i in range(count) if seam[loop[i]] and not seam[loop[(i + 1) % count]])
    turned = loop[first:] + loop[:first]
    last = next(i for i in range(1, count) if seam[turned[i]])
    return turned[: last + 1]


def least_area_patch(vertices_m: Floats, rim: list[int]) -> Ints:
    """Triangles (len(rim) - 2, 3) over a rim that have the least area; zips nearly closed lips."""
    points = vertices_m[rim]
    count = len(rim)
    area = np.zeros((count, count))  # of the best patch between two rim points, and its apex
    apex = np.zeros((count, count), np.int64)
    for gap in range(2, count):
        for i in range(count - gap):
            j = i + gap
            between = np.arange(i + 1, j)
            sides = np.cross(points[between] - points[i], points[j] - points[i])
            total = np.linalg.norm(sides, axis=1) + area[i, between] + area[between, j]
            apex[i, j], area[i, j] = between[total.argmin()], total.min()
    triangles, spans = [], [(0, count - 1)]
    while spans:
        low, high = spans.pop()
        if high - low > 1:
            middle = int(apex[low, high])
            triangles.append((rim[low], rim[middle], rim[high]))
            spans += [(low, middle), (middle, high)]
    return np.array(triangles, np.int64)


def eye_patch(rim_m: Floats, eyeball_m: Floats, rim: list[int], first: int) -> tuple[Floats, Ints]:
    """Close a lid opening with rings that settle on the eyeball, and a last point in the middle.

    rim_m (R, 3): the opening; eyeball_m (E, 3): the ball behind it; first: the number that the
    first new vertex gets. Returns the new vertices and the triangles.
    """
    centre = (eyeball_m.min(axis=0) + eyeball_m.max(axis=0)) / 2
    radius = np.linalg.norm(eyeball_m - centre, axis=1).max()
    front = rim_m.mean(axis=0)
    rim_radius = np.linalg.norm(rim_m - centre, axis=1, keepdims=True)
    vertices, triangles, outer, count = [], [], np.array(rim), len(rim)
    for step in EYE_RINGS:
        distance = rim_radius + (radius - rim_radius) * min(1.0, 2 * step)
        vertices.append(_on_ball(rim_m + (front - rim_m) * step, centre, distance))
        inner = np.arange(first, first + count)
        next_outer, next_inner = np.roll(outer, -1), np.roll(inner, -1)
        triangles += [
            np.stack([outer, next_outer, next_inner], axis=1),
            np.stack([outer, next_inner, inner], axis=1),
        ]
        outer, first = inner, first + count
    vertices.append(_on_ball(front[None], centre, radius))
    triangles.append(np.stack([outer, np.roll(outer, -1), np.full(count, first)], axis=1))
    return np.concatenate(vertices), np.concatenate(triangles)


def _on_ball(points_m: Floats, centre_m: Floats, radius_m: Floats) -> Floats:
    """The points (P, 3) pulled along their rays from the centre to a distance from it."""
    rays = points_m - centre_m
    on_ball: Floats = centre_m + rays / np.linalg.norm(rays, axis=1, keepdims=True) * radius_m
    return on_ball
