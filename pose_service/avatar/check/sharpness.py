"""How far the edges of a person are smeared, from the picture alone.

A step that is blurred by a Gaussian of width s has the steepest slope 1 / s. Blurred once more by
a known width s0 it has 1 / sqrt(s^2 + s0^2), so the ratio R of both slopes tells
s = s0 / sqrt(R^2 - 1), whatever the height of the step (Zhuo and Sim 2011, Defocus map estimation
from a single image).
"""

import cv2
import numpy as np

from pose_service.avatar.check.person_patch import PersonPatch
from pose_service.core.arrays import FloatArray

_FIRST_SHARE, _AGAIN_SHARE = 0.002, 0.004
"""Widths of two blurs by the stature: one that takes most of the noise away, and one more to
compare with, about as wide as the limit, where R is near the root of 2."""

_SLOPE_PX2 = 1 / 3
"""A slope taken between the two neighbours of a pixel is the mean over two pixels."""

_STEEP = 0.5
"""Of the steepest slopes (the 99th percentile): what is less steep is soft by itself, or noise."""

_LEAST_EDGES = 30


def edge_width_share(patch: PersonPatch) -> float:
    """Width (standard deviation) of the edges of the person, by the stature.

    The median over the steepest edges, of upright and of level ones apart, of which the wider
    counts: a camera that moves smears one kind. Infinite where there is hardly an edge of either.
    """
    gray = _blurred(patch.gray, _FIRST_SHARE * patch.stature_px)
    across, down = _slopes(gray)
    slopes = np.hypot(across, down)
    crests = patch.body & (slopes >= cv2.dilate(slopes, np.ones((5, 5), np.uint8))) & (slopes > 0)
    again = np.hypot(*_slopes(_blurred(gray, _AGAIN_SHARE * patch.stature_px)))
    ratios = slopes / np.maximum(again, 1e-6)
    upright = np.abs(across) > np.abs(down)
    kinds = [crests & upright, crests & ~upright]
    found = [_steep_median(ratios[kind], slopes[kind]) for kind in kinds]
    ratio = min((one for one in found if one is not None), default=1.0)
    if ratio <= 1:
        return np.inf
    seen_px2 = (_AGAIN_SHARE * patch.stature_px) ** 2 / (ratio**2 - 1)
    own_px2 = seen_px2 - (_FIRST_SHARE * patch.stature_px) ** 2 - _SLOPE_PX2
    return float(np.sqrt(max(own_px2, 0.0)) / patch.stature_px)


def _steep_median(ratios: FloatArray, slopes: FloatArray) -> float | None:
    if len(slopes) < _LEAST_EDGES:
        return None
    return float(np.median(ratios[slopes >= _STEEP * np.quantile(slopes, 0.99)]))


def _blurred(gray: FloatArray, width_px: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), width_px), np.float32)


def _slopes(gray: FloatArray) -> tuple[FloatArray, FloatArray]:
    across, down = (cv2.Scharr(gray, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    return np.asarray(across), np.asarray(down)
