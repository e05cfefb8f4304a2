"""Where a posed mesh's outline runs: the vertices beyond which the picture shows no body."""

from dataclasses import dataclass

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import Camera
from pose_service.measurement.surface import ClosedFaces
from pose_service.rendering.rasterizer import rasterize

_ROWS = 224  # of the small picture in which the body is drawn to find what hides behind it
_INSIDE = 1.6  # cells within the drawn body: farther in, a vertex is a fold's and not the outline's
_MARGIN = 0.05


@dataclass(frozen=True, eq=False)
class Contour:
    """`vertices`: (n,) places in the mesh. `outward`: (n, 2) unit normals in the picture."""

    vertices: IntArray
    outward: FloatArray

    def __post_init__(self) -> None:
        expect_shape("vertices", self.vertices, ("n",))
        expect_shape("outward", self.outward, (len(self.vertices), 2))


def contour(vertices_cam_m: FloatArray, surface: ClosedFaces, camera: Camera) -> Contour:
    """The outline of a closed mesh. `vertices_cam_m`: (v, 3), translation added, all in front.

    A vertex is on it where a triangle that faces the camera has a neighbour that does not, and no
    other part of the body lies behind it.
    """
    points_px = camera.project(vertices_cam_m)
    rim = _rim(points_px, surface)
    drawn, origin_px, step_px = _drawn(vertices_cam_m, points_px, surface.faces, camera)
    rows, columns = drawn.shape
    places = np.rint((points_px[rim] - origin_px) / step_px).astype(int)
    depth = drawn[np.clip(places[:, 1], 0, rows - 1), np.clip(places[:, 0], 0, columns - 1)]
    rim = rim[depth <= _INSIDE]
    return Contour(rim, _outward(vertices_cam_m, surface.faces, rim))


def _rim(points_px: FloatArray, surface: ClosedFaces) -> IntArray:
    corners = points_px[surface.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # pixels run down, so that a triangle facing the camera turns the other way round
    facing = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0
    turned = facing[:, None] & ~facing[surface.neighbours]
    starts, ends = surface.faces[turned], np.roll(surface.faces, -1, axis=1)[turned]
    return np.unique(np.concatenate([starts, ends]))


def _drawn(
    vertices_cam_m: FloatArray, points_px: FloatArray, faces: IntArray, camera: Camera
) -> tuple[FloatArray, FloatArray, float]:
    """How deep each cell of a small picture lies in the drawn body, its first cell and its step."""
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    size = float((high - low).max())
    low, high = low - _MARGIN * size, high + _MARGIN * size
    step = (high - low).max() / _ROWS
    width, height = np.ceil((high - low) / step).astype(int)
    # the small picture's middle must be its camera's principal point: the body is moved sideways
    middle = low + step * np.array([width, height]) / 2
    shift = (middle - camera.centre_px) / camera.focal_px
    moved = vertices_cam_m.copy()
    moved[:, :2] -= shift * vertices_cam_m[:, 2:]
    small = Camera(camera.focal_px / step, int(width), int(height))
    raster = rasterize(moved, faces, small)
    inside = np.zeros((height, width), np.uint8)
    rows, columns = raster.covered.shape
    inside[raster.top : raster.top + rows, raster.left : raster.left + columns] = raster.covered
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float64)
    return depth, low + step / 2, float(step)


def _outward(vertices_m: FloatArray, faces: IntArray, chosen: IntArray) -> FloatArray:
    """(n, 2) the normals of the `chosen` vertices as the picture shows them."""
    a, b, c = (vertices_m[faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    count = len(vertices_m)
    summed = np.stack(
        [
            sum(np.bincount(faces[:, corner], normals[:, axis], count) for corner in range(3))
            for axis in (0, 1)
        ],
        axis=1,
    )[chosen]
    unit: FloatArray = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)
    return unit
