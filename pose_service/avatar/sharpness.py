"""How far the edges of a person are smeared, from the picture alone.

A step that is blurred by a Gaussian of width s has the steepest slope 1 / s. Blurred once more by
a known width s0 it has 1 / sqrt(s^2 + s0^2), so the ratio R of both slopes tells
s = s0 / sqrt(R^2 - 1), whatever the height of the step (Zhuo and Sim 2011, Defocus map estimation
from a single image).
"""

import cv2
import numpy as np

from pose_service.avatar.person_patch import PersonPatch
from pose_service.core.arrays import FloatArray

_AGAIN_SHARE = 0.004
"""Width of the second blur by the stature: about the width that is the limit, where R is root 2."""

_STEEPEST = 0.2
"""Share of the edge pixels that count: weak edges are soft by themselves, or noise."""

_LEAST_EDGES = 30


def edge_width_share(patch: PersonPatch) -> float:
    """Width (standard deviation) of the edges of the person, by the stature.

    The median over the steepest edges, of upright and of level ones apart, of which the wider
    counts: a camera that moves smears one kind. Infinite where there is hardly an edge of either.
    """
    across, down = _slopes(patch.gray)
    slopes = np.hypot(across, down)
    crests = patch.body & (slopes >= cv2.dilate(slopes, np.ones((5, 5), np.uint8))) & (slopes > 0)
    again_px = _AGAIN_SHARE * patch.stature_px
    blurred = np.asarray(cv2.GaussianBlur(patch.gray, (0, 0), again_px), np.float32)
    again = np.hypot(*_slopes(blurred))
    ratios = slopes / np.maximum(again, 1e-6)
    upright = np.abs(across) > np.abs(down)
    kinds = [crests & upright, crests & ~upright]
    found = [_steep_median(ratios[kind], slopes[kind]) for kind in kinds]
    ratio = min((one for one in found if one is not None), default=1.0)
    return _width_share(ratio)


def _steep_median(ratios: FloatArray, slopes: FloatArray) -> float | None:
    if len(slopes) < _LEAST_EDGES:
        return None
    return float(np.median(ratios[slopes >= np.quantile(slopes, 1 - _STEEPEST)]))


def _width_share(ratio: float) -> float:
    return float(_AGAIN_SHARE / np.sqrt(ratio**2 - 1)) if ratio > 1 else np.inf


def _slopes(gray: FloatArray) -> tuple[FloatArray, FloatArray]:
    across, down = (cv2.Scharr(gray, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    return np.asarray(across), np.asarray(down)
