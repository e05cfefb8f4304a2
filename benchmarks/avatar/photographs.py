"""Photographs of people without a camera: dressed bodies, shaded, before something plausible."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.avatar.people import Person
from pose_service.avatar.free.clothes import EASE_M
from pose_service.avatar.free.rest import free_rotations
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.segments import FREE_JOINTS, Segments
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import Camera
from pose_service.rendering.rasterizer import Raster, rasterize

WIDTH_PX, HEIGHT_PX = 768, 1024
_LOWER = ("root", "upperleg01", "lowerleg01")
_SHIRT = ("spine04", "spine02", "spine01", "clavicle", "upperarm01")
_TROUSERS = ("root", "upperleg01", "lowerleg01")
_SKINS = ((236, 200, 170), (205, 160, 125), (150, 105, 75), (95, 65, 48))
_HAIRS = ((40, 30, 25), (90, 60, 35), (190, 150, 90), (110, 110, 110))


@dataclass(frozen=True, eq=False)
class Scene:
    """A person before the lens: `vertices_m` dressed and `bare_m`, (v, 3) camera axes.

    `heads_m`, `turns`: of all bones. `camera` is the true one, `assumed` what the service takes.
    """

    person: Person
    vertices_m: FloatArray
    bare_m: FloatArray
    turns: FloatArray
    heads_m: FloatArray
    camera: Camera

    @property
    def body(self) -> AnnyBody:
        return self.person.body


def scene(person: Person, rotations: FloatArray, rng: np.random.Generator) -> Scene:
    """`rotations`: (20, 3, 3). Lens, distance, height and tilt of the camera are random."""
    focal = float(rng.uniform(0.95, 1.45)) * HEIGHT_PX
    camera = Camera(focal, WIDTH_PX, HEIGHT_PX)
    body = person.body
    tilt = rotation_from_vector(np.array([rng.normal(0, 0.06), 0, rng.normal(0, 0.02)]))
    rotations = rotations.copy()
    rotations[0] = tilt @ rotations[0]
    turns, heads_m = body.world(free_rotations(body, rotations[None]), np.zeros((1, 3)), np.ones(1))
    bare_m = body.vertices(turns, heads_m, np.ones(1))[0].astype(np.float64)
    low, high = bare_m.min(axis=0), bare_m.max(axis=0)
    tall = max(high[1] - low[1], (high[0] - low[0]) * HEIGHT_PX / WIDTH_PX)
    depth = focal * tall / (float(rng.uniform(0.7, 0.86)) * HEIGHT_PX)
    place = np.array([*(-(low + high)[:2] / 2), depth])
    place[:2] += rng.normal(0, 0.02, 2) * depth
    bare_m, heads_m = bare_m + place, heads_m + place
    return Scene(person, _dressed(person, bare_m), bare_m, turns, heads_m, camera)


def _dressed(person: Person, bare_m: FloatArray) -> FloatArray:
    """(v, 3) the skin pushed out as far as clothes stand off."""
    names = [name.partition(".")[0] for name in FREE_JOINTS]
    upper, lower = person.looseness
    ease = [EASE_M.get(name, 0.0) * (lower if name in _LOWER else upper) for name in names]
    ease_m = held(person.body) @ ease
    dressed: FloatArray = bare_m + normals(bare_m, person.body) * ease_m[:, None]
    return dressed


def held(body: AnnyBody) -> FloatArray:
    """(v, 20) how far each vertex follows each free joint."""
    shares: FloatArray = body.bone_weights.T @ np.eye(len(FREE_JOINTS))[Segments.of(body).of_bone]
    return shares


def normals(vertices_m: FloatArray, body: AnnyBody) -> FloatArray:
    """(v, 3) unit vectors out of the skin."""
    a, b, c = (vertices_m[body.faces[:, corner]] for corner in range(3))
    each = np.cross(b - a, c - a)
    total = np.zeros_like(vertices_m)
    for corner in range(3):
        np.add.at(total, body.faces[:, corner], each)
    unit: FloatArray = total / np.linalg.norm(total, axis=1, keepdims=True)
    return unit


def outline(raster: Raster, camera: Camera) -> NDArray[np.bool_]:
    """(height, width) where a body was drawn."""
    pixels = np.zeros((camera.height_px, camera.width_px), np.bool_)
    rows, columns = raster.covered.shape
    pixels[raster.top : raster.top + rows, raster.left : raster.left + columns] = raster.covered
    return pixels


def photograph(one: Scene, rng: np.random.Generator) -> ImageArray:
    """(height, width, 3) RGB."""
    image = _background(rng)
    raster = rasterize(one.vertices_m, one.body.faces, one.camera)
    light = np.array([rng.uniform(-0.6, 0.6), -0.7, -0.7])
    shade = normals(one.vertices_m, one.body) @ (light / np.linalg.norm(light))
    colours = _colours(one, rng) * (0.55 + 0.45 * np.clip(shade, 0, 1))[:, None]
    pixels = outline(raster, one.camera)
    drawn = np.zeros_like(image)
    drawn[pixels] = raster.interpolate(one.body.faces, colours)
    soft = cv2.GaussianBlur(np.dstack([drawn * 1.0, pixels * 255.0]), (0, 0), 0.8)
    share = soft[..., 3:] / 255
    mixed = image * (1 - share) + soft[..., :3] + rng.normal(0, 3, image.shape)
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _background(rng: np.random.Generator) -> ImageArray:
    """A wall with blurred patches above a floor."""
    wall, floor = (rng.uniform(90, 210, 3) for _ in range(2))
    image = np.empty((HEIGHT_PX, WIDTH_PX, 3))
    line = int(HEIGHT_PX * rng.uniform(0.72, 0.85))
    image[:line], image[line:] = wall, 0.8 * floor
    for _ in range(6):
        x, y = rng.integers(0, WIDTH_PX), rng.integers(0, line)
        w, h = rng.integers(40, 260, 2)
        image[y : y + h, x : x + w] = rng.uniform(60, 230, 3)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 4)).astype(np.uint8)


def _colours(one: Scene, rng: np.random.Generator) -> FloatArray:
    """(v, 3) skin, hair, shirt, trousers and shoes."""
    body, shares = one.body, held(one.body)
    names = [name.partition(".")[0] for name in FREE_JOINTS]
    owner = np.array(names)[shares.argmax(axis=1)]
    skin, hair = (np.array(kind[rng.integers(len(kind))], float) for kind in (_SKINS, _HAIRS))
    colours = np.tile(skin, (body.vertex_count, 1))
    colours[np.isin(owner, _SHIRT)] = rng.uniform(20, 240, 3)
    colours[np.isin(owner, _TROUSERS)] = rng.uniform(20, 200, 3)
    colours[owner == "foot"] = rng.uniform(20, 240, 3)
    colours[_hair(body, owner)] = hair
    eyes = [body.bone_names.index(f"eye.{side}") for side in "LR"]
    for eye in eyes:
        near = np.linalg.norm(body.rest_vertices_m - body.bone_heads_m[eye], axis=1)
        colours[near < 0.016] = 35
    return colours


def _hair(body: AnnyBody, owner: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Above and behind the eyes."""
    eye = body.bone_heads_m[body.bone_names.index("eye.L")]
    behind, above = (body.rest_vertices_m[:, axis] - eye[axis] for axis in (1, 2))
    return np.asarray((owner == "head") & (above + 0.7 * behind > 0.06) & (above > -0.06))
