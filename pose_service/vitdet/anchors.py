"""The boxes that the proposal network starts from."""

import torch
from torch import Tensor

_RATIOS = (0.5, 1.0, 2.0)
"""Height over width: wide, square, tall."""

ANCHORS_PER_CELL = len(_RATIOS)


def cell_anchors(size_px: float) -> Tensor:
    """(3, 4) boxes xyxy of area `size_px` squared around the origin, wide to tall."""
    ratios = torch.tensor(_RATIOS, dtype=torch.float64)
    half_width = torch.sqrt(size_px**2 / ratios) / 2
    half_height = half_width * ratios
    return torch.stack([-half_width, -half_height, half_width, half_height], dim=1).float()


def level_anchors(rows: int, columns: int, stride_px: int, size_px: float) -> Tensor:
    """(rows * columns * 3, 4) anchors of one level: by row, then column, then ratio.

    They stand at the upper left *corner* of their cell, not at its centre.
    """
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    corners = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4) * stride_px
    return (corners.float() + cell_anchors(size_px)).reshape(-1, 4)
