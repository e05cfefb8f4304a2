"""Coloured meshes laid over a picture, with soft edges."""

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.core.records import Camera
from pose_service.rendering.layers import lay_over
from pose_service.rendering.rasterizer import rasterize

# Spreads the stairs of an edge over a pixel on both sides; a body is too smooth to show it.
_EDGE_SIGMA_PX = 0.8


def draw_mesh(
    image: ImageArray,
    camera: Camera,
    vertices_cam_m: FloatArray,
    faces: IntArray,
    inks: FloatArray,
) -> None:
    """Draw a mesh over `image` (height, width, 3), in place.

    `vertices_cam_m`: (V, 3) camera axes, metres, translation added. `faces`: (F, 3),
    counter-clockwise seen from outside. `inks`: (V, 4) red, green, blue, each times the opacity,
    and the opacity; 0 to 255. Only the nearest surface is seen, even a half transparent one.
    """
    expect_shape("image", image, (camera.height_px, camera.width_px, 3))
    expect_shape("inks", inks, (len(vertices_cam_m), 4))
    raster = rasterize(vertices_cam_m, faces, camera)
    height, width = raster.triangles.shape
    if not height:
        return
    layer = np.zeros((height, width, 4), np.uint8)
    layer[raster.covered] = raster.interpolate(faces, inks.astype(np.float32))
    # A clear pixel all around for the edge to fade into, except where the picture itself ends.
    left, top = min(raster.left, 1), min(raster.top, 1)
    right = min(camera.width_px - raster.left - width, 1)
    bottom = min(camera.height_px - raster.top - height, 1)
    padded = cv2.copyMakeBorder(layer, top, bottom, left, right, cv2.BORDER_CONSTANT)
    soft = cv2.GaussianBlur(padded, (3, 3), _EDGE_SIGMA_PX, borderType=cv2.BORDER_REPLICATE)
    lay_over(image, np.asarray(soft, np.uint8), raster.left - left, raster.top - top)
