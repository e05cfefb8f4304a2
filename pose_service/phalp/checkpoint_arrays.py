"""PHALP's official arrays, opened without running anything of them, and checked."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.records import POSE_NUMBERS, TEXTURE_PX
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.npy import open_npy

_SQUARE: Final = (TEXTURE_PX, TEXTURE_PX)


def open_texel_weights(path: Path, remedy: str) -> FloatArray:
    """`bmap_256.npy`: (256, 256, 3) how much each corner of its face counts for a texel.

    `EngineError` with `remedy` if the file is missing, damaged or another; so of all of these.
    """
    wanted = WantedFile("the weights of PHALP's texels", remedy)
    weights = open_npy(path, wanted)
    if weights.dtype.kind != "f":
        raise wanted.error(path, f"real numbers were expected, got {weights.dtype}")
    _expect(weights.shape == (*_SQUARE, 3), path, wanted, weights, f"{(*_SQUARE, 3)}")
    return weights


def open_texel_faces(path: Path, remedy: str) -> IntArray:
    """`fmap_256.npy`: (256, 256) int64, the face of the body that a texel lies on, or negative."""
    wanted = WantedFile("the faces of PHALP's texels", remedy)
    faces = open_npy(path, wanted)
    _expect(faces.shape == _SQUARE, path, wanted, faces, f"{_SQUARE}")
    # NaN is no whole number, and what no int64 holds is no face
    if not ((np.floor(faces) == faces) & (np.abs(faces) < 2**31)).all():
        raise wanted.error(path, "whole numbers were expected")
    return faces.astype(np.int64)


def open_normalisation(path: Path, remedy: str) -> tuple[FloatArray, FloatArray]:
    """`mean_std.npy`: (229,) float32 mean and (229,) deviation of the pose predictor's input.

    The file may hold fewer: what they do not reach is not normalised.
    """
    wanted = WantedFile("the mean and spread of PHALP's poses", remedy)
    both = open_npy(path, wanted)
    known = both.shape[-1] if both.ndim else 0
    fits = both.shape in ((2, known), (2, 1, known)) and 0 < known <= POSE_NUMBERS
    _expect(fits, path, wanted, both, f"(2, 1, at most {POSE_NUMBERS})")
    mean, std = np.tile(np.array([[0.0], [1.0]], np.float32), POSE_NUMBERS)
    mean[:known], std[:known] = both.reshape(2, known)
    if not (np.isfinite([mean, std]).all() and (std >= 0).all()):
        raise wanted.error(path, "it has NaN, infinity or a negative spread")
    return mean, std


def _expect(fits: bool, path: Path, wanted: WantedFile, array: NDArray[Any], shape: str) -> None:
    if not fits:
        raise wanted.error(path, f"an array {shape} was expected, got {array.shape}")
