"""Attention with decomposed relative positions (Li et al. 2022), over all tokens or in windows."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pose_service.vitdet.config import BackboneConfig
from pose_service.vitdet.layers import Derived, Linear
from pose_service.vitdet.positions import relative


class Attention(Derived):
    """Multi-head self-attention over a grid of tokens: (n, h, w, c) to the same.

    To the scaled product of query and key come the products of the *unscaled* query with one
    learnt vector for their distance in rows and one for that in columns. `window` 0 attends over
    the whole grid, else each token attends within its window of that size.
    """

    by_row: Tensor
    by_column: Tensor
    places: Tensor

    def __init__(self, config: BackboneConfig, window: int) -> None:
        super().__init__()
        width, head_width = config.width, config.head_width
        self.window = window
        self.heads = config.heads
        # the positions' part of all heads over the whole grid would be 1 GB per picture
        self._heads_together = config.heads if window else 1
        self._grid = config.grid
        self._side = window or config.grid
        self.qkv = Linear(width, 3 * width)
        self.proj = Linear(width, width)
        table_rows = 2 * (window or config.table_grid) - 1
        self.rel_pos_h = torch.nn.Parameter(torch.zeros(table_rows, head_width))
        self.rel_pos_w = torch.nn.Parameter(torch.zeros(table_rows, head_width))
        self.register_buffer("by_row", torch.empty(0), persistent=False)
        self.register_buffer("by_column", torch.empty(0), persistent=False)
        self.register_buffer("places", torch.empty(0, dtype=torch.int64), persistent=False)

    def derive(self) -> None:
        self.by_row = relative(self.rel_pos_h, self._side)
        self.by_column = relative(self.rel_pos_w, self._side)
        if self.window:
            places = window_places(self._grid, self._grid, self.window)
            self.places = places.to(self.by_row.device)

    def forward(self, tokens: Tensor) -> Tensor:
        qkv = self.qkv(tokens)
        if self.window:
            # padding tokens are zeros, so their query, key and value are the bias
            windows = split_windows(qkv, self.places, self.window, self.qkv.bias)
            mixed = join_windows(self._mix(windows), self.places, len(tokens))
        else:
            mixed = self._mix(qkv)
        joined: Tensor = self.proj(mixed.reshape(tokens.shape))
        return joined

    def _mix(self, qkv: Tensor) -> Tensor:
        """(n, h, w, 3 * c), query, key and value of all heads, to (n, h, w, c)."""
        count, rows, columns, _ = qkv.shape
        split = qkv.reshape(count, rows * columns, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = [
            F.scaled_dot_product_attention(query, key, value, attn_mask=self._bias(query))
            for query, key, value in torch.split(split, self._heads_together, dim=2)
        ]
        joined = torch.cat([part.transpose(1, 2) for part in mixed], dim=2)
        return joined.reshape(count, rows, columns, -1)

    def _bias(self, query: Tensor) -> Tensor:
        """(n, heads, h * w, c) to (n, heads, h * w, h * w): query place, key place."""
        grid = query.reshape(*query.shape[:2], self._side, self._side, -1)
        # both small, put in order here so that their large sum need not be
        by_row = torch.einsum("nhyxc,ykc->nhyxk", grid, self.by_row).contiguous()
        by_column = torch.einsum("nhyxc,xkc->nhyxk", grid, self.by_column).contiguous()
        bias = by_row[..., :, None] + by_column[..., None, :]
        return bias.flatten(4, 5).flatten(2, 3)


def window_places(rows: int, columns: int, size: int) -> Tensor:
    """(rows * columns,) where each token of a grid goes when windows follow each other."""
    y, x = torch.arange(rows)[:, None], torch.arange(columns)
    window = y // size * -(-columns // size) + x // size
    return (window * size**2 + y % size * size + x % size).flatten()


def split_windows(tokens: Tensor, places: Tensor, size: int, padding: Tensor) -> Tensor:
    """(n, h, w, c) to (n * windows, size, size, c), by the grid's `window_places`.

    Where `size` does not divide the grid, `padding` (c,) is added at the right and at the bottom.
    It is not masked: the model was trained to attend to it.
    """
    count, rows, columns, width = tokens.shape
    windows = -(-rows // size) * -(-columns // size)
    padded = padding.expand(count, windows * size**2, width).clone()
    padded.index_copy_(1, places, tokens.flatten(1, 2))
    return padded.reshape(-1, size, size, width)


def join_windows(windows: Tensor, places: Tensor, count: int) -> Tensor:
    """Inverse of `split_windows`: (n * windows, size, size, c) to (n, h * w, c); `count` is n."""
    return windows.reshape(count, -1, windows.shape[-1]).index_select(1, places)
