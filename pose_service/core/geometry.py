"""Rotations, crop cameras and angles. All arrays are batched over their leading axes."""

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import Camera

_TINY = 1e-12


def rotation_from_vector(vectors_rad: FloatArray) -> FloatArray:
    """Rodrigues' formula: (..., 3) axis times angle to (..., 3, 3) rotation matrices."""
    angle = np.linalg.norm(vectors_rad, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors_rad, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1)
    cross = cross.reshape(*vectors_rad.shape[:-1], 3, 3)
    # sin(a)/a and (1-cos(a))/a^2 by sinc, which is exact at zero
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    rotations: FloatArray = np.eye(3) + first * cross + second * (cross @ cross)
    return rotations


def vector_from_rotation(rotations: FloatArray) -> FloatArray:
    """Inverse of `rotation_from_vector`: (..., 3, 3) to (..., 3), angle in [0, pi]."""
    return vector_from_quaternion(quaternion_from_rotation(rotations))


def quaternion_from_rotation(rotations: FloatArray) -> FloatArray:
    """(..., 3, 3) to (..., 4) unit quaternions w, x, y, z with w >= 0.

    The largest of the four components is found first, which keeps the division well conditioned
    (Shepperd 1978).
    """
    m = rotations
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    squares = np.stack([trace, *(2 * m[..., i, i] - trace for i in range(3))], axis=-1)
    columns = np.stack(
        [
            np.stack([1 + squares[..., 0], m[..., 2, 1] - m[..., 1, 2],
                      m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], -1),
            np.stack([m[..., 2, 1] - m[..., 1, 2], 1 + squares[..., 1],
                      m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0]], -1),
            np.stack([m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] + m[..., 0, 1],
                      1 + squares[..., 2], m[..., 2, 1] + m[..., 1, 2]], -1),
            np.stack([m[..., 1, 0] - m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0],
                      m[..., 2, 1] + m[..., 1, 2], 1 + squares[..., 3]], -1),
        ],
        axis=-2,
    )  # fmt: skip
    best = np.argmax(squares, axis=-1)[..., None, None]
    quaternions = np.take_along_axis(columns, best, axis=-2)[..., 0, :]
    quaternions = quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)
    positive: FloatArray = np.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    return positive


def rotation_from_quaternion(quaternions: FloatArray) -> FloatArray:
    """(..., 4) unit quaternions w, x, y, z to (..., 3, 3)."""
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return np.stack(rows, axis=-1).reshape(*quaternions.shape[:-1], 3, 3)


def vector_from_quaternion(quaternions: FloatArray) -> FloatArray:
    """(..., 4) unit quaternions with w >= 0 to (..., 3) axis times angle."""
    sine = np.linalg.norm(quaternions[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternions[..., :1])
    factor: FloatArray = np.where(sine > _TINY, angle / np.maximum(sine, _TINY), 2.0)
    return quaternions[..., 1:] * factor


def slerp(start: FloatArray, end: FloatArray, fraction: FloatArray) -> FloatArray:
    """Spherical interpolation of rotation matrices (Shoemake 1985).

    `start`, `end`: (..., 3, 3); `fraction`: broadcast against (...), 0 at `start`, 1 at `end`;
    outside 0 to 1 the turn goes on at the same speed. The shorter way round is taken.
    """
    turn = vector_from_rotation(np.swapaxes(start, -1, -2) @ end)
    return start @ rotation_from_vector(np.asarray(fraction)[..., None] * turn)


def weak_perspective(
    translation_m: FloatArray, camera: Camera, box_centre_px: FloatArray, box_side_px: float
) -> tuple[float, float, float]:
    """The crop camera (scale, tx, ty) that shows the body in a square box as `camera` does.

    Inverse of the conversion HMR 2.0 uses: tz = 2 f / (side * scale), and tx, ty shifted by the
    box centre's distance from the picture centre. `translation_m`: (3,), camera axes.
    """
    scale = 2 * camera.focal_px / (box_side_px * translation_m[2])
    shift = 2 * (box_centre_px - camera.centre_px) / (box_side_px * scale)
    x, y = translation_m[:2] - shift
    return float(scale), float(x), float(y)


def angle_deg(first: FloatArray, corner: FloatArray, last: FloatArray) -> FloatArray:
    """Angle at `corner` between the directions to `first` and `last`, 0 to 180 degrees.

    All (..., 3) or (..., 2). Where a direction has no length the angle is 0.
    """
    a, b = first - corner, last - corner
    dot = np.sum(a * b, axis=-1)
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = np.where(lengths > _TINY, dot / np.maximum(lengths, _TINY), 1.0)
    angles: FloatArray = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angles
