"""Triangles to pixels by a depth buffer, in NumPy alone.

Coverage, depth and weights come from one 3x3 matrix per triangle (Olano and Greer 1997, "Triangle
scan conversion using 2D homogeneous coordinates"). With corners a, b, c and the ray d through a
pixel, the products d·(b×c), d·(c×a) and d·(a×b), divided by det(a, b, c), are all positive where
the ray meets the triangle; their sum is 1/depth there, and their shares are the corners' weights,
right in perspective. Each product is linear over the picture, so a triangle covers one span of
each row, and no pixel outside the triangles is ever looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import Camera

NEAR_M = 0.05
"""Triangles with a corner nearer than this, or behind the camera, are left out."""

_EDGE_PX = 1e-9  # so that neighbours never both refuse a pixel centre on their common edge
_TINY_PX2 = 1e-5  # twice the area under which a triangle is a line, and its depth is noise
_CHUNK_PX = 1 << 16  # keeps the working arrays in the cache, and small on large pictures


@dataclass(frozen=True)
class Raster:
    """What is seen in a window of the picture whose upper left pixel is (`left`, `top`).

    `triangles`: (h, w) index of the nearest triangle, -1 where there is none. `inverse_depths`:
    (h, w) 1/metres along the camera's z axis, 0 where there is none. `weights`: (covered pixels, 3)
    of the triangle's corners, in the order of `triangles[covered]`.
    """

    left: int
    top: int
    triangles: IntArray
    inverse_depths: FloatArray
    weights: FloatArray

    @cached_property
    def covered(self) -> NDArray[np.bool_]:
        """(h, w), whether anything is seen."""
        return np.asarray(self.triangles >= 0)

    @property
    def depths_m(self) -> FloatArray:
        """(h, w), infinite where nothing is seen."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / self.inverse_depths)

    def interpolate(self, faces: IntArray, values: FloatArray) -> FloatArray:
        """Values of the vertices, (V, k), to values of the covered pixels, (covered pixels, k)."""
        triangles = self.triangles[self.covered]
        pixels = np.empty((len(triangles), values.shape[1]), np.result_type(values, self.weights))
        for block in _blocks(len(triangles)):
            a, b, c = (values.take(faces[triangles[block], i], axis=0) for i in range(3))
            first, second, third = self.weights[block].T[..., None]
            pixels[block] = first * a + second * b + third * c
        return pixels


def rasterize(vertices_cam_m: FloatArray, faces: IntArray, camera: Camera) -> Raster:
    """The nearest front-facing triangle of every pixel.

    `vertices_cam_m`: (V, 3) camera axes, metres, translation added. `faces`: (F, 3), corners
    counter-clockwise seen from outside. Pixel i covers [i, i + 1) and is sampled at its centre.
    """
    expect_shape("vertices_cam_m", vertices_cam_m, ("vertices", 3))
    expect_shape("faces", faces, ("faces", 3))
    # in single precision the volume under a sliver can come out as nothing
    vertices_cam_m = vertices_cam_m.astype(np.float64)
    chosen, boxes = _facing(vertices_cam_m, faces, camera)
    if not len(chosen):
        nothing = np.zeros((0, 0))
        return Raster(0, 0, nothing.astype(np.int32), nothing, np.zeros((0, 3), np.float32))
    left, top = boxes[:, :2].min(axis=0)
    width, height = boxes[:, 2:].max(axis=0) - (left, top) + 1
    triangles = _Triangles.of(
        vertices_cam_m[faces[chosen]], boxes - (left, top, left, top), camera, (left, top)
    )
    nearest, inverse_depth = _nearest(triangles, width, height)
    seen = np.flatnonzero(nearest >= 0)
    weights = triangles.weights(nearest[seen], seen % width, seen // width)
    nearest[seen] = chosen[nearest[seen]]
    shape = (height, width)
    triangles_seen, depths = nearest.reshape(shape), inverse_depth.reshape(shape)
    return Raster(int(left), int(top), triangles_seen, depths, weights)


def _facing(
    vertices_cam_m: FloatArray, faces: IntArray, camera: Camera
) -> tuple[IntArray, IntArray]:
    """Places in `faces` of the triangles that may be seen, and the pixels they may reach.

    The second is (n, 4): first column, first row, last column, last row, inside the picture.
    """
    in_front = vertices_cam_m[:, 2] > NEAR_M
    chosen = np.flatnonzero(in_front[faces].all(axis=1))
    pixels = camera.project(np.where(in_front[:, None], vertices_cam_m, 1.0))
    a, b, c = (pixels.take(faces[chosen, i], axis=0) for i in range(3))
    first = np.maximum(np.ceil(np.minimum(np.minimum(a, b), c) - 0.5), 0)
    last = np.floor(np.maximum(np.maximum(a, b), c) - 0.5)
    last = np.minimum(last, [camera.width_px - 1, camera.height_px - 1])
    (bx, by), (cx, cy) = (b - a).T, (c - a).T
    keep = (bx * cy - by * cx < -_TINY_PX2) & (first <= last).all(axis=1)
    return chosen[keep], np.hstack([first[keep], last[keep]]).astype(np.int64)


@dataclass(frozen=True)
class _Triangles:
    """n triangles as functions of the pixel; x and y count from the window's upper left one.

    `boxes`: (n, 4) first column, first row, last column, last row. `factors`: (3, 3, n) of x, of y
    and constant, of each of the three products of the module's text. The triangles come last, since
    NumPy compares and adds three long rows much faster than many rows of three.
    """

    boxes: IntArray
    factors: FloatArray

    @classmethod
    def of(
        cls, corners_cam_m: FloatArray, boxes: IntArray, camera: Camera, origin: tuple[int, int]
    ) -> "_Triangles":
        """`corners_cam_m`: (n, 3 corners, 3). `origin`: the window's upper left pixel."""
        a, b, c = np.moveaxis(corners_cam_m, 1, 0)
        products = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
        products /= np.sum(products[:, 0] * a, axis=-1)[:, None, None]
        x, y, z = np.moveaxis(products, -1, 0)
        x, y = x / camera.focal_px, y / camera.focal_px
        right, down = np.asarray(origin) + 0.5 - camera.centre_px
        factors = np.stack([x.T, y.T, (z + right * x + down * y).T])
        return cls(boxes, factors)

    def weights(self, numbers: IntArray, x: IntArray, y: IntArray) -> FloatArray:
        """Perspectively right weights of the corners: (pixels, 3)."""
        factors = self.factors.astype(np.float32)
        weights = np.empty((len(numbers), 3), np.float32)
        for block in _blocks(len(numbers)):
            of_x, of_y, constant = factors.take(numbers[block], axis=2)
            products = of_x * x[block].astype(np.float32) + of_y * y[block].astype(np.float32)
            products += constant
            # rounding may put a pixel on an edge a hair outside, or cost a sliver its sum
            np.maximum(products, np.finfo(np.float32).tiny, out=products)
            weights[block] = (products / products.sum(axis=0)).T
        return weights

    def chunks(self) -> Iterator[IntArray]:
        """Numbers of triangles whose boxes together hold about `_CHUNK_PX` pixels."""
        areas = np.prod(self.boxes[:, 2:] - self.boxes[:, :2] + 1, axis=1)
        chunk = np.cumsum(areas) // _CHUNK_PX
        yield from np.split(np.arange(len(chunk)), np.flatnonzero(np.diff(chunk)) + 1)


def _nearest(triangles: _Triangles, width: int, height: int) -> tuple[IntArray, FloatArray]:
    """Number of the nearest triangle, or -1, and 1/depth, both (height * width,)."""
    nearest = np.full(width * height, -1, np.int32)
    inverse_depth = np.zeros(width * height)
    for chunk in triangles.chunks():
        number, x, y, inverse = _covered(triangles, chunk)
        pixel = y * width + x
        np.maximum.at(inverse_depth, pixel, inverse)
        won = inverse == inverse_depth[pixel]
        nearest[pixel[won]] = number[won]
    return nearest, inverse_depth


def _covered(
    triangles: _Triangles, chunk: IntArray
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Every pixel that a triangle of `chunk` covers: its triangle, x, y and 1/depth."""
    first_row, last_row = triangles.boxes[chunk, 1], triangles.boxes[chunk, 3]
    number, y = _runs(chunk, first_row, last_row)
    of_x, of_y, constant = triangles.factors.take(number, axis=2)
    at_left = of_y * y + constant
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = -at_left / of_x
    start = np.where(of_x > 0, edge, -np.inf).max(axis=0)
    end = np.where(of_x < 0, edge, np.inf).min(axis=0)
    first_column, last_column = triangles.boxes[number, 0], triangles.boxes[number, 2]
    start = np.clip(np.ceil(start - _EDGE_PX), first_column, last_column + 1)
    end = np.clip(np.floor(end + _EDGE_PX), first_column - 1, last_column)
    row, x = _runs(np.arange(len(number)), start.astype(np.int64), end.astype(np.int64))
    inverse = at_left.sum(axis=0)[row] + of_x.sum(axis=0)[row] * x
    return number[row], x, y[row], inverse


def _runs(owners: IntArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """All whole numbers from `first` to `last` of each owner, and whose they are.

    >>> _runs(np.array([7, 8, 9]), np.array([0, 5, 3]), np.array([1, 4, 3]))
    (array([7, 7, 9]), array([0, 1, 3]))
    """
    counts = np.maximum(last - first + 1, 0)
    ends = np.cumsum(counts)
    return np.repeat(owners, counts), np.arange(ends[-1]) + np.repeat(first - ends + counts, counts)


def _blocks(count: int) -> Iterator[slice]:
    """0 to `count` in runs of at most `_CHUNK_PX`."""
    return (slice(start, start + _CHUNK_PX) for start in range(0, count, _CHUNK_PX))
