"""Masks of boxes, for people whose pixels are not known."""

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.masks import Mask


def box_mask(box_xyxy_px: FloatArray, width_px: int, height_px: int) -> Mask:
    """The pixels of the picture that lie in the box (4,), edges rounded; none where it is outside.

    >>> box_mask(np.array([1, 0, 3, 1]), width_px=4, height_px=2).runs.tolist()
    [2, 1, 1, 1, 3]
    >>> box_mask(np.array([9, 0, 12, 1]), width_px=4, height_px=2).runs.tolist()
    [8]
    """
    limits = np.array([width_px, height_px] * 2)
    left, top, right, bottom = np.clip(np.round(box_xyxy_px), 0, limits).astype(int).tolist()
    total = width_px * height_px
    if right <= left or bottom <= top:
        return Mask(height_px, width_px, np.array([total]))
    inside = bottom - top
    if inside == height_px:
        columns = [inside * (right - left)]
    else:
        # down each column, then on to the top of the next
        columns = [inside, height_px - inside] * (right - left)
        columns.pop()
    runs = [left * height_px + top, *columns]
    rest = total - sum(runs)
    return Mask(height_px, width_px, np.array([*runs, rest] if rest else runs))
