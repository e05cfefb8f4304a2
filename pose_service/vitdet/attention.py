"""Attention with decomposed relative positions (Li et al. 2022), over all tokens or in windows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.vitdet.positions import relative


class Attention(nn.Module):
    """Multi-head self-attention over a grid of tokens: (n, h, w, c) to the same.

    To the scaled product of query and key come the products of the *unscaled* query with one
    learnt vector for their distance in rows and one for that in columns.
    """

    def __init__(self, width: int, heads: int, table_grid: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * table_grid - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * table_grid - 1, width // heads))

    def forward(self, tokens: Tensor) -> Tensor:
        count, rows, columns, width = tokens.shape
        qkv = self.qkv(tokens).reshape(count, rows * columns, 3, self.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        bias = self._bias(query.reshape(count, self.heads, rows, columns, -1))
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        joined: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, rows, columns, width))
        return joined

    def _bias(self, query: Tensor) -> Tensor:
        """(n, heads, h, w, c) to (n, heads, h * w, h * w): query place, key place."""
        _, _, rows, columns, _ = query.shape
        by_row = torch.einsum("nhyxc,ykc->nhyxk", query, relative(self.rel_pos_h, rows))
        by_column = torch.einsum("nhyxc,xkc->nhyxk", query, relative(self.rel_pos_w, columns))
        bias = by_row[..., :, None] + by_column[..., None, :]
        return bias.flatten(4, 5).flatten(2, 3)


def split_windows(tokens: Tensor, size: int) -> Tensor:
    """(n, h, w, c) to (n * windows, size, size, c), row by row.

    Where `size` does not divide the grid, zeros are added at the right and at the bottom. They are
    not masked: the model was trained to attend to them.
    """
    count, rows, columns, width = tokens.shape
    padded = F.pad(tokens, (0, 0, 0, -columns % size, 0, -rows % size))
    down, across = padded.shape[1] // size, padded.shape[2] // size
    cells = padded.reshape(count, down, size, across, size, width)
    return cells.transpose(2, 3).reshape(-1, size, size, width)


def join_windows(windows: Tensor, rows: int, columns: int) -> Tensor:
    """Inverse of `split_windows`: (n * windows, size, size, c) to (n, rows, columns, c)."""
    _, size, _, width = windows.shape
    down, across = -(-rows // size), -(-columns // size)
    cells = windows.reshape(-1, down, across, size, size, width).transpose(2, 3)
    return cells.flatten(3, 4).flatten(1, 2)[:, :rows, :columns]
