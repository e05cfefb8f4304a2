"""When two looks show one and the same body."""

import numpy as np

from pose_service.blazepose.boxes import iou
from pose_service.blazepose.landmarks import LandmarkResult
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray

_TWINS = (1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10)
_MAX_CENTRE_DISTANCE = 0.1
_SIZE_RATIOS = (0.75, 1.33)
_MAX_MEAN_DISTANCE = 0.1
_SHARED_JOINT_DISTANCE = 0.05
_MAX_IOU = 0.8


def same_square(known: Roi, roi: Roi) -> bool:
    """Whether `roi` would show the person that `known` shows."""
    smallest, largest = _SIZE_RATIOS
    close = known.distance(roi) < _MAX_CENTRE_DISTANCE
    return close and smallest < known.size_ratio(roi) < largest


def same_body(known: LandmarkResult, look: LandmarkResult) -> bool:
    """Whether both looks show one body.

    They do when their limbs are close on the whole, when half of the limb joints coincide (left
    taken for right counts), or when the same pixels were taken for a person.
    """
    if limb_distance(known.limbs_px, look.limbs_px, known.roi.side) < _MAX_MEAN_DISTANCE:
        return True
    straight = np.linalg.norm(known.limbs_px - look.limbs_px, axis=1)
    crossed = np.linalg.norm(known.limbs_px[list(_TWINS)] - look.limbs_px, axis=1)
    shared = np.minimum(straight, crossed) < _SHARED_JOINT_DISTANCE * known.roi.side
    if 2 * int(shared.sum()) >= len(shared):
        return True
    return bool(iou(known.box_xyxy_px, look.box_xyxy_px[None])[0] > _MAX_IOU)


def limb_distance(known_px: FloatArray, limbs_px: FloatArray, side: float) -> float:
    """Mean distance of the limb joints, (12, 2) each, as a share of `side`."""
    return float(np.mean(np.linalg.norm(known_px - limbs_px, axis=1))) / max(side, 1.0)
