"""Arithmetic of boxes as tensors: xyxy, pixels of the resized picture unless said otherwise."""

import math

import torch
from torch import Tensor

CoderWeights = tuple[float, float, float, float]
"""What the deltas of centre x, centre y, width and height are divided by."""

_MOST_GROWTH = math.log(1000 / 16)


def decode(deltas: Tensor, boxes: Tensor, weights: CoderWeights) -> Tensor:
    """Boxes moved and scaled by what a net said of them (Girshick et al. 2014).

    `deltas`: (..., 4) of centre x, y as fractions of the box and of width, height as logarithms,
    times `weights`. `boxes`: (..., 4). Returns (..., 4), float32 whatever the net's type.
    """
    deltas, boxes = deltas.float(), boxes.float()
    # number by number: a tensor of the weights would have to be sent to the device
    dx, dy, dw, dh = (one / weight for one, weight in zip(deltas.unbind(-1), weights, strict=True))
    left, top, right, bottom = boxes.unbind(-1)
    width, height = right - left, bottom - top
    x = dx * width + left + 0.5 * width
    y = dy * height + top + 0.5 * height
    half_width = 0.5 * torch.exp(dw.clamp(max=_MOST_GROWTH)) * width
    half_height = 0.5 * torch.exp(dh.clamp(max=_MOST_GROWTH)) * height
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], dim=-1)


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """(n, 4) boxes cut to x in [0, width] and y in [0, height]."""
    x = boxes[:, 0::2].clamp(0, width)
    y = boxes[:, 1::2].clamp(0, height)
    return torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1)


def has_area(boxes: Tensor) -> Tensor:
    """(n,) whether width and height are above zero."""
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def pyramid_level(boxes: Tensor, canonical_px: float) -> Tensor:
    """(n,) the level that each box is pooled from, 0 for p2 to 3 for p5 (Lin et al. 2017).

    A square of `canonical_px` belongs to p4, one twice as large to p5; without area p2.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    level = torch.floor(4 + torch.log2(area.sqrt() / canonical_px + 1e-8))
    return level.clamp(2, 5).long() - 2
