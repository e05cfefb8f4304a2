"""Colours of people, and how light falls on a mesh."""

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

# Calm mid-tones, neighbours far apart in hue; all are light enough to carry dark text.
PALETTE: tuple[Colour, ...] = (
    (104, 163, 222), (240, 165, 95), (122, 190, 122), (226, 124, 138),
    (168, 145, 216), (96, 192, 188), (226, 200, 100), (232, 152, 204),
    (200, 154, 124), (154, 182, 92), (138, 158, 190), (246, 188, 168),
)  # fmt: skip

# Directions towards the lights in camera axes (y down, z away from the camera).
_KEY_LIGHT = np.array([-0.45, -0.75, -0.5])
_AMBIENT, _KEY, _HEADLIGHT, _RIM = 0.22, 0.62, 0.30, 0.30


def colour_of(track_id: int) -> Colour:
    """The same colour for the same track, always; neighbouring ids differ clearly."""
    return PALETTE[track_id % len(PALETTE)]


def vertex_normals(vertices_m: FloatArray, faces: IntArray) -> FloatArray:
    """(V, 3) outward unit normals, each the area-weighted mean of the triangles around.

    `vertices_m`: (V, 3). `faces`: (F, 3), counter-clockwise seen from outside. A vertex of no
    triangle, or of degenerate ones only, has the normal zero.
    """
    expect_shape("vertices_m", vertices_m, ("vertices", 3))
    expect_shape("faces", faces, ("faces", 3))
    a, b, c = (vertices_m.take(faces[:, i], axis=0) for i in range(3))
    of_faces = np.repeat(np.cross(b - a, c - a), 3, axis=0)
    count = len(vertices_m)
    sums = [np.bincount(faces.ravel(), of_faces[:, i], minlength=count) for i in range(3)]
    return _unit(np.stack(sums, axis=1))


def lit_colours(vertices_cam_m: FloatArray, faces: IntArray, colour: FloatArray) -> FloatArray:
    """Colours (V, 3), 0 to 255, of a lit mesh whose own colour is `colour`, (3,) or (V, 3).

    Lambert's law for a light from the upper left and one at the camera, some light from
    everywhere, and a pale rim where the surface turns away, which sets a body off its background.
    `vertices_cam_m`: (V, 3) camera axes, metres, translation added.
    """
    normals = vertex_normals(vertices_cam_m, faces)
    key = np.maximum(normals @ _unit(_KEY_LIGHT), 0)
    facing = np.clip(-np.sum(normals * _unit(vertices_cam_m), axis=1), 0, 1)
    light = _AMBIENT + _KEY * key + _HEADLIGHT * facing
    rim = _RIM * (1 - facing) ** 3
    lit: FloatArray = np.clip(light[:, None] * colour + 255 * rim[:, None], 0, 255)
    return lit


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatArray = vectors / np.where(lengths > 0, lengths, 1)
    return unit
