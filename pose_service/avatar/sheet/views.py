"""A body at rest seen from the front and from its left side, and which parts of a line are hidden.

True to scale: the camera is so far away that what is nearer is not larger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pose_service.avatar.records import RestMesh
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Camera
from pose_service.rendering.meshes import draw_mesh
from pose_service.rendering.rasterizer import Raster, rasterize
from pose_service.rendering.shading import lit_colours

# rest axes (x to the body's left, y up, z to its front) to camera axes (x right, y down, z away)
FRONT = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]])
LEFT_SIDE = np.array([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0]])

# from there 20 cm of depth change a length by a thousandth
_DISTANCE_M = 200.0
_CLAY = np.array([214.0, 206.0, 199.0])
_MARGIN_PX = 2
# a tape lies on the skin; where that turns away from the viewer, a pixel holds as much depth
_SKIN_M = 0.012
_STEP_M = 0.003


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of a line on the paper: `points_mm` (n, 2) right and up from the view's corner."""

    points_mm: FloatArray
    hidden: bool


@dataclass(frozen=True, eq=False)
class View:
    """The body from one side. Its corner is below the floor's left end of what is seen.

    `turn`: (3, 3) rest axes to camera axes. `image`: (height, width, 3) RGB on white.
    `px_per_m` and `mm_per_px`: pixels of the image for a metre, paper for a pixel.
    """

    turn: FloatArray
    camera: Camera
    raster: Raster
    image: ImageArray
    middle_m: FloatArray
    px_per_m: float
    mm_per_px: float

    @classmethod
    def of(cls, mesh: RestMesh, turn: FloatArray, mm_per_m: float, dpi: float) -> "View":
        """`mesh` seen after `turn`, one metre of it `mm_per_m` long on paper of `dpi`."""
        mm_per_px = 25.4 / dpi
        px_per_m = mm_per_m / mm_per_px
        turned_m = mesh.vertices_m @ turn.T
        low_m, high_m = turned_m.min(axis=0), turned_m.max(axis=0)
        width_px, height_px = (
            2 * (_MARGIN_PX + int(np.ceil(size_m * px_per_m / 2)))
            for size_m in (high_m - low_m)[:2]
        )
        camera = Camera(px_per_m * _DISTANCE_M, width_px, height_px)
        middle_m = (low_m + high_m) / 2 - np.array([0.0, 0.0, _DISTANCE_M])
        placed_m = turned_m - middle_m
        image = np.full((height_px, width_px, 3), 255, np.uint8)
        lit = lit_colours(placed_m, mesh.faces, _CLAY)
        draw_mesh(
            image, camera, placed_m, mesh.faces, np.column_stack([lit, np.full(len(lit), 255)])
        )
        raster = rasterize(placed_m, mesh.faces, camera)
        return cls(turn, camera, raster, image, middle_m, px_per_m, mm_per_px)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height on the paper."""
        return self.camera.width_px * self.mm_per_px, self.camera.height_px * self.mm_per_px

    @property
    def floor_mm(self) -> float:
        """How far above the view's corner the body stands."""
        return float(self.on_paper_mm(np.zeros((1, 3)))[0, 1])

    def on_paper_mm(self, points_m: FloatArray) -> FloatArray:
        """(n, 3) rest axes to (n, 2) right and up from the view's corner."""
        return self._mm(self._pixels(self._placed_m(points_m)))

    def stretches(self, path_m: FloatArray, *, closed: bool) -> Iterator[Stretch]:
        """The line through `path_m` (n, 3), cut where it goes behind or into the body."""
        points_m = _dense(np.concatenate([path_m, path_m[:1]]) if closed else path_m)
        placed_m = self._placed_m(points_m)
        pixels = self._pixels(placed_m)
        hidden = self._hidden(pixels, placed_m[:, 2])
        points_mm = self._mm(pixels)
        cuts = [0, *(np.flatnonzero(np.diff(hidden)) + 1).tolist(), len(points_mm) - 1]
        for start, end in pairwise(cuts):
            if end > start:
                yield Stretch(points_mm[start : end + 1], bool(hidden[start]))

    def _placed_m(self, points_m: FloatArray) -> FloatArray:
        placed: FloatArray = points_m @ self.turn.T - self.middle_m
        return placed

    def _pixels(self, placed_m: FloatArray) -> FloatArray:
        return self.camera.project(placed_m)

    def _mm(self, pixels: FloatArray) -> FloatArray:
        right, down = pixels.T
        return np.column_stack([right, self.camera.height_px - down]) * self.mm_per_px

    def _hidden(self, pixels: FloatArray, depths_m: FloatArray) -> NDArray[np.bool_]:
        """(n,) whether the body's surface lies nearer to the viewer than each point."""
        raster = self.raster
        column, row = np.floor(pixels).astype(int).T - [[raster.left], [raster.top]]
        height, width = raster.triangles.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        surface_m = np.full(len(pixels), np.inf)
        surface_m[inside] = raster.depths_m[row[inside], column[inside]]
        return np.asarray(depths_m > surface_m + _SKIN_M)


def _dense(path_m: FloatArray) -> FloatArray:
    """`path_m` (n, 3) with points between, none farther from the next than a step."""
    pieces = []
    for start, end in pairwise(path_m):
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / _STEP_M)))
        pieces.append(start + (end - start) * (np.arange(count) / count)[:, None])
    return np.concatenate([*pieces, path_m[-1:]])
