"""Of boxes that show one person, the best."""

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape


def keep_best(boxes_xyxy_px: FloatArray, scores: FloatArray, most_overlap: float) -> IntArray:
    """Indices of the boxes (n, 4) that stay, best first (greedy non-maximum suppression).

    A box goes when it overlaps a better one by more than `most_overlap`, intersection over union.
    """
    expect_shape("boxes_xyxy_px", boxes_xyxy_px, ("n", 4))
    expect_shape("scores", scores, (len(boxes_xyxy_px),))
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        left = left[_overlaps(boxes_xyxy_px[best], boxes_xyxy_px[left]) <= most_overlap]
    return np.array(kept, np.int64)


def _overlaps(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of one box with each of the others; 0 where both have no area."""
    least = np.maximum(box[:2], others[:, :2])
    most = np.minimum(box[2:], others[:, 2:])
    common = np.clip(most - least, 0, None).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - common
    overlaps: FloatArray = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return overlaps
