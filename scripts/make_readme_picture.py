"""Draw the README's example picture: a snowboarder who is nobody, on a slope that is nowhere.

    python scripts/make_readme_picture.py --out docs/images/rider.png

The rider is the service's own free body, posed and clothed (scene_rider.py); the landscape is
noise and geometry (scene_slope.py). No photograph is used, so the picture is free like the rest.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scene_rider import Model, board, board_colours, dressed_rider, rider_colours
from scene_slope import add_ridge, add_snow, sky

from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import Camera
from pose_service.rendering.rasterizer import Raster, rasterize
from pose_service.rendering.shading import vertex_normals

SEED = 7
WIDTH_PX, HEIGHT_PX, FINER = 1280, 853, 2
FALL_DEG, LOOK_DOWN_DEG = 14.0, 9.0
BOARD_AT_M = np.array([0.05, 0.95, 4.6])
SUN = np.array([0.36, -0.68, -0.64])  # towards it, in camera axes, length 1
SUNLIGHT, SKYLIGHT = np.array([1.0, 0.96, 0.88]) * 0.80, np.array([0.46, 0.50, 0.57])


def draw_scene() -> ImageArray:
    """(853, 1280, 3) uint8 RGB; the same picture at every call."""
    random = np.random.default_rng(SEED)
    camera = Camera(1500.0 * FINER, WIDTH_PX * FINER, HEIGHT_PX * FINER)
    to_camera = slope_axes()
    picture = landscape(camera, to_camera, random)
    models = placed(dressed_rider(AnnyBody.load()), to_camera), placed(board(), to_camera)
    cast_shadow(picture, camera, models, to_camera[:, 2])
    draw_models(picture, camera, models)
    add_spray(picture, camera, to_camera, random)
    small = cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    grain = random.normal(0, 1.6, (HEIGHT_PX, WIDTH_PX, 1))
    return np.clip(np.rint(small + grain), 0, 255).astype(np.uint8)


def slope_axes() -> FloatArray:
    """(3, 3) slope axes (see scene_rider) to camera axes; the columns are the slope's axes."""
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    fall = rotation_from_vector(np.radians([0.0, 0, FALL_DEG]))
    return rotation_from_vector(np.radians([LOOK_DOWN_DEG, 0.0, 0])) @ fall @ level


def landscape(camera: Camera, to_camera: FloatArray, random: np.random.Generator) -> FloatArray:
    """Sky, two ranges of mountains out of focus, and the slope."""
    height, width = camera.height_px, camera.width_px
    picture = sky(height, width, random)
    picture = add_ridge(picture, 0.30, 0.07, 0.55, random)
    picture = add_ridge(picture, 0.42, 0.06, 0.30, random)
    picture = cv2.GaussianBlur(picture, (0, 0), 2.5 * FINER)
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = np.stack([columns, rows], axis=-1) - camera.centre_px
    rays = np.concatenate([pixels / camera.focal_px, np.ones((height, width, 1))], axis=-1)
    up = to_camera[:, 2]
    steepness = rays @ up
    reach = np.where(steepness < 0, BOARD_AT_M @ up / np.minimum(steepness, -1e-6), np.nan)
    across_m, away_m, _ = np.moveaxis((rays * reach[..., None] - BOARD_AT_M) @ to_camera, -1, 0)
    crest_m = 22 + 4 * np.sin(across_m / 5) + 2 * np.sin(across_m / 1.7)
    away_m = np.where(away_m < crest_m, away_m, np.nan)
    return add_snow(picture, across_m, away_m, random)


def placed(model: Model, to_camera: FloatArray) -> Model:
    """The model at its place, in camera axes."""
    return Model(model.vertices_m @ to_camera.T + BOARD_AT_M, model.faces, model.at_rest_m)


def cast_shadow(
    picture: FloatArray, camera: Camera, models: tuple[Model, Model], up: FloatArray
) -> None:
    """The sun's shadow of the models on the snow, in place: they are flattened along its rays."""
    shade = np.zeros(picture.shape[:2])
    for model in models:
        heights = (model.vertices_m - BOARD_AT_M) @ up
        flat = model.vertices_m - heights[:, None] / (SUN @ up) * SUN
        raster = rasterize(flat, model.faces, camera)
        window(shade, raster)[raster.covered] = 1
    shade = cv2.GaussianBlur(shade, (0, 0), 3 * FINER)[..., None]
    picture *= 1 - shade * np.array([0.50, 0.40, 0.26])


def draw_models(picture: FloatArray, camera: Camera, models: tuple[Model, Model]) -> None:
    """Rider and board, lit by sun and sky, in place; the nearer hides the farther."""
    rider, deck = models
    vertices = np.concatenate([rider.vertices_m, deck.vertices_m])
    faces = np.concatenate([rider.faces, deck.faces + len(rider.vertices_m)])
    raster = rasterize(vertices, faces, camera)
    of_rider = raster.triangles[raster.covered] < len(rider.faces)
    at_rest = raster.interpolate(faces, np.concatenate([rider.at_rest_m, deck.at_rest_m]))
    own = np.where(of_rider[:, None], rider_colours(at_rest), board_colours(at_rest))
    normals = raster.interpolate(faces, vertex_normals(vertices, faces))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sun = np.maximum(normals @ SUN, 0)[:, None]
    # snow throws nearly as much light up as the sky sends down
    around = (0.85 - 0.15 * normals[:, 1])[:, None]
    window(picture, raster)[raster.covered] = np.minimum(
        own * (SUNLIGHT * sun + SKYLIGHT * around), 255
    )


def add_spray(
    picture: FloatArray, camera: Camera, to_camera: FloatArray, random: np.random.Generator
) -> None:
    """Snow thrown up behind the board, in place."""
    count = 900
    back_m = random.gamma(2.0, 0.22, count)
    places = np.stack(
        [
            -0.62 - back_m,
            random.normal(0, 0.10, count) - 0.2 * back_m,
            np.abs(random.normal(0, 0.10, count)) * (0.4 + 1.8 * back_m),
        ],
        axis=1,
    )
    cover = np.zeros(picture.shape[:2], np.float32)
    for (x, y), radius in zip(
        camera.project(places @ to_camera.T + BOARD_AT_M),
        random.gamma(2.0, 1.1 * FINER, count),
        strict=True,
    ):
        cv2.circle(cover, (round(x), round(y)), round(radius) + 1, 1.0, cv2.FILLED)
    soft = np.clip(
        0.55 * cv2.GaussianBlur(cover, (0, 0), 2.0 * FINER)
        + 0.65 * cv2.GaussianBlur(cover, (0, 0), 9.0 * FINER),
        0, 0.92,
    )[..., None]  # fmt: skip
    picture *= 1 - soft
    picture += soft * np.array([247.0, 249, 253])


def window(picture: FloatArray, raster: Raster) -> FloatArray:
    """The part of `picture` that `raster` covers, a view."""
    height, width = raster.triangles.shape
    return picture[raster.top : raster.top + height, raster.left : raster.left + width]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the README's example picture.")
    parser.add_argument("--out", type=Path, required=True, help="a .png or .jpg file")
    out: Path = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(out), cv2.cvtColor(draw_scene(), cv2.COLOR_RGB2BGR)):
        raise SystemExit(f"{out}: the picture could not be written")
    print(f"{out}: {WIDTH_PX} x {HEIGHT_PX} pixels")


if __name__ == "__main__":
    main()
