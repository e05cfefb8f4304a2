"""Detections back in the picture as it came: boxes rescaled, masks painted."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pose_service.vitdet.boxes import clip


def place_boxes(boxes: Tensor, from_hw: tuple[int, int], to_hw: tuple[int, int]) -> Tensor:
    """(n, 4) boxes from a picture of size `from_hw` to one of `to_hw`, clipped to it.

    Both axes have their own factor: the sizes were rounded. A box may come out empty.
    """
    down, across = to_hw[0] / from_hw[0], to_hw[1] / from_hw[1]
    return clip(boxes * boxes.new_tensor([across, down, across, down]), *to_hw)


def paint_masks(probabilities: Tensor, boxes: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """(n, height, width) bool: where a mask's probability is at least one half.

    `probabilities`: (n, 28, 28), each stretched over its box. `boxes`: (n, 4), not empty.
    """
    masks = torch.zeros(len(boxes), *size_hw, dtype=torch.bool, device=boxes.device)
    for mask, probability, box in zip(masks, probabilities, boxes, strict=True):
        rows, columns = _span(box[1::2], size_hw[0]), _span(box[0::2], size_hw[1])
        y, x = _fractions(rows, box[1::2]), _fractions(columns, box[0::2])
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        painted = F.grid_sample(probability[None, None], grid[None], align_corners=False)
        mask[rows.start : rows.stop, columns.start : columns.stop] = painted[0, 0] >= 0.5
    return masks


def _span(ends: Tensor, length: int) -> range:
    """The pixels from one before the box to one behind it; further out nothing reaches one half."""
    first, last = ends.tolist()
    return range(max(math.floor(first) - 1, 0), min(math.ceil(last) + 1, length))


def _fractions(pixels: range, ends: Tensor) -> Tensor:
    """Centres of `pixels` along one axis of a box, -1 at its start and 1 at its end."""
    centres = torch.arange(pixels.start, pixels.stop, device=ends.device) + 0.5
    return (centres - ends[0]) / (ends[1] - ends[0]) * 2 - 1
