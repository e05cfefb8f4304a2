"""Joints out of SimCC's two curves each, as RTMPose gives them.

Li et al., "SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation",
ECCV 2022.
"""

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.pose2d.layouts import SPLIT_RATIO


def decode_simcc(simcc_x: FloatArray, simcc_y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points (n, joints, 2) in pixels of the crop and their confidence (n, joints), 0 to 1.

    `simcc_x`: (n, joints, 2 width), `simcc_y`: (n, joints, 2 height). The point is where the curves
    are highest; the confidence is the lower one of the two heights, as in MMPose (rtmlib takes
    their mean). A joint of a height of 0 or below was not seen; a height may exceed 1.
    """
    expect_shape("simcc_x", simcc_x, ("n", "joints", "places"))
    expect_shape("simcc_y", simcc_y, (*simcc_x.shape[:2], "places"))
    places = np.stack([simcc_x.argmax(axis=-1), simcc_y.argmax(axis=-1)], axis=-1)
    heights = np.minimum(simcc_x.max(axis=-1), simcc_y.max(axis=-1))
    return places / SPLIT_RATIO, np.clip(np.nan_to_num(heights), 0.0, 1.0)
