"""A clothed rider on a snowboard, made from the service's own free body, for make_readme_picture.

Slope axes: x down the fall line (the way the rider goes), y away from the viewer, z out of the
snow; metres, the snow at z = 0.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.geometry import rotation_from_vector
from pose_service.rendering.shading import vertex_normals

Mask = NDArray[np.bool_]

# Turns about the body's rest axes (x to its left, y to its back, z up), degrees.
STANCE_DEG = {
    "root": (22, -4, 3),
    "spine04": (8, 0, 4), "spine02": (8, 0, 6), "spine01": (4, 0, 6),
    "neck01": (-12, 0, 7), "head": (-12, 0, 7),
    "upperleg01.L": (-72, -16, 0), "upperleg01.R": (-66, 20, 0),
    "lowerleg01.L": (72, 0, 0), "lowerleg01.R": (74, 0, 0),
    "upperarm01.L": (-8, -34, -6), "upperarm01.R": (4, 26, -14),
    "lowerarm01.L": (0, 0, -14), "lowerarm01.R": (0, 10, 26),
}  # fmt: skip
FEET_OUT_DEG = {"foot.L": 14.0, "foot.R": -8.0}

SMOOTHINGS = 12
# On the body's left, at rest.
ELBOW_M, WRIST_M, COLLAR_M = (
    np.array([0.377, -0.016, 0.270]),
    np.array([0.509, -0.192, 0.135]),
    0.605,
)
BOARD_LENGTH_M, BOARD_WIDTH_M, BOARD_THICK_M = 1.58, 0.27, 0.016

SKIN, LIPS, BROWS, HAIR = (226, 172, 140), (190, 108, 98), (72, 48, 36), (66, 44, 32)
EYE_WHITE, IRIS = (238, 234, 230), (52, 38, 30)
JACKET, YOKE, TROUSERS, BOOTS, HAT = (
    (214, 74, 50), (44, 66, 112), (88, 92, 104), (34, 34, 38), (244, 196, 66),
)  # fmt: skip
DECK, DECK_STRIPE = (36, 140, 148), (248, 214, 92)


@dataclass(frozen=True)
class Model:
    """A mesh, and where each vertex lies on the thing at rest, (V, 3), to colour it by."""

    vertices_m: FloatArray
    faces: IntArray
    at_rest_m: FloatArray


def dressed_rider(body: AnnyBody) -> Model:
    """The posed rider, the soles on the deck of the board."""
    at_rest = body.rest_vertices_m.astype(float)
    tailored = smoothed(at_rest, body.faces, is_clothed(at_rest))
    normals = vertex_normals(tailored, body.faces)
    padded = tailored + normals * cloth_thickness_m(at_rest)[:, None]
    dressed = replace(body, rest_vertices_m=padded.astype(np.float32))
    turns, heads = stance(body)
    vertices = dressed.vertices(turns, heads, np.ones(1))[0].astype(float)
    feet = [body.bone_names.index(bone) for bone in FEET_OUT_DEG]
    middle = heads[0, feet].mean(axis=0)
    vertices -= [middle[0], middle[1] - 0.07, vertices[:, 2].min() - BOARD_THICK_M]
    return Model(vertices, body.faces.astype(np.int64), at_rest)


def stance(body: AnnyBody) -> tuple[FloatArray, FloatArray]:
    """Turns (1, bones, 3, 3) and heads (1, bones, 3) of the pose, feet flat on the board."""
    rotations = np.tile(np.eye(3), (1, len(body.bone_names), 1, 1))
    for bone, degrees in STANCE_DEG.items():
        sideways, forward = np.radians([[0, degrees[1], degrees[2]], [degrees[0], 0, 0]])
        turn = rotation_from_vector(sideways) @ rotation_from_vector(forward)
        rotations[0, body.bone_names.index(bone)] = turn
    turns, _ = body.world(rotations, np.zeros((1, 3)), np.ones(1))
    for bone, degrees_out in FEET_OUT_DEG.items():
        foot = body.bone_names.index(bone)
        flat = rotation_from_vector(np.radians([0, 0, degrees_out]))
        rotations[0, foot] = turns[0, body.bone_parents[foot]].T @ flat
    return body.world(rotations, np.zeros((1, 3)), np.ones(1))


def smoothed(vertices_m: FloatArray, faces: IntArray, where: Mask) -> FloatArray:
    """The surface with muscles and toes evened out at the vertices `where`, (V,) bool."""
    near, far = np.concatenate([faces, faces[:, ::-1]]).T[[0, 1, 2, 1, 2, 0]].reshape(2, -1)
    count = np.bincount(near, minlength=len(vertices_m))
    for _ in range(SMOOTHINGS):
        sums = [np.bincount(near, axis[far], minlength=len(axis)) for axis in vertices_m.T]
        vertices_m = np.where(where[:, None], np.stack(sums, 1) / count[:, None], vertices_m)
    return vertices_m


def cloth_thickness_m(at_rest_m: FloatArray) -> FloatArray:
    """(V,) how far clothes stand off the skin, with folds."""
    x, y, z = at_rest_m.T
    folds = 0.004 * np.sin(60 * z + 25 * y) + 0.004 * np.sin(40 * x - 45 * z)
    clothes = [is_boot(z), is_trousers(x, z), is_hand(at_rest_m), z < COLLAR_M, is_hat(y, z)]
    return np.select(clothes, [0.040, 0.034 + folds, 0.0, 0.030 + folds, 0.016], default=0.0)


def is_clothed(at_rest_m: FloatArray) -> Mask:
    return (at_rest_m[:, 2] < COLLAR_M) & ~is_hand(at_rest_m)


def rider_colours(at_rest_m: FloatArray) -> FloatArray:
    """(n, 3) colours of points of the rider, given where they lie at rest, (n, 3)."""
    x, y, z = at_rest_m.T
    side = np.abs(x)
    front = y < -0.07
    areas = [
        (is_boot(z), BOOTS),
        (is_trousers(x, z), TROUSERS),
        (is_hand(at_rest_m), SKIN),
        ((z < COLLAR_M) & (z > 0.42), YOKE),
        (z < COLLAR_M, JACKET),
        (is_hat(y, z), HAT),
        (front & _ellipse(side - 0.032, z - 0.737, 0.006, 0.006), IRIS),
        (front & _ellipse(side - 0.032, z - 0.737, 0.013, 0.006), EYE_WHITE),
        (front & _ellipse(side - 0.033, z - 0.757, 0.020, 0.0045), BROWS),
        (front & _ellipse(x, z - 0.664, 0.024, 0.008), LIPS),
        ((y > -0.055) & (z > 0.66), HAIR),
    ]
    masks, colours = zip(*areas, strict=True)
    return np.select([mask[:, None] for mask in masks], [np.array(c) for c in colours], SKIN)


def board() -> Model:
    """The board along x, its tips turned up; closed rings around its length."""
    along = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 81))
    half_width = BOARD_WIDTH_M / 2 * (0.9 + 0.1 * along**2) * (1 - along**8) ** 0.5 + 1e-4
    lift = 0.12 * np.clip((np.abs(along) - 0.78) / 0.22, 0, 1) ** 2
    ring = np.array([(-1, 0), (1, 0), (1, 1), (-1, 1)])
    at_rest = np.stack(
        [
            np.repeat(along * BOARD_LENGTH_M / 2, 4).reshape(-1, 4),
            half_width[:, None] * ring[:, 0],
            lift[:, None] + BOARD_THICK_M * ring[:, 1],
        ],
        axis=-1,
    ).reshape(-1, 3)
    place = np.arange(len(at_rest)).reshape(-1, 4)
    a, d = place[:-1], place[1:]
    b, c = np.roll(a, -1, axis=1), np.roll(d, -1, axis=1)
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    return Model(at_rest, faces, at_rest)


def board_colours(at_rest_m: FloatArray) -> FloatArray:
    """(n, 3) colours of points of the board."""
    x, y, _ = at_rest_m.T
    stripe = np.abs(np.abs(x + 0.4 * y) - 0.5) < 0.06
    return np.where(stripe[:, None], DECK_STRIPE, DECK)


def is_boot(z: FloatArray) -> Mask:
    return z < -0.76


def is_trousers(x: FloatArray, z: FloatArray) -> Mask:
    return (z < 0.01) & (np.abs(x) < 0.36)


def is_hand(at_rest_m: FloatArray) -> Mask:
    """Beyond the wrist, along the forearm."""
    outwards = at_rest_m * np.where(at_rest_m[:, :1] < 0, [-1, 1, 1], 1)
    return (outwards - WRIST_M) @ (WRIST_M - ELBOW_M) > 0


def is_hat(y: FloatArray, z: FloatArray) -> Mask:
    return z > 0.775 - 0.25 * np.clip(y + 0.12, 0, 0.2)


def _ellipse(x: FloatArray, z: FloatArray, width: float, height: float) -> Mask:
    return (x / width) ** 2 + (z / height) ** 2 < 1
