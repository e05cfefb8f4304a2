"""Position embeddings, absolute and relative, for a grid of patches of any size."""

import torch
import torch.nn.functional as F
from torch import Tensor


def absolute(embedding: Tensor, rows: int, columns: int) -> Tensor:
    """The stored embedding on a grid of `rows` x `columns`.

    `embedding`: (1, 1 + side * side, c); the first place was the class token's and is left out.
    Returns (1, rows, columns, c).
    """
    side = int((embedding.shape[1] - 1) ** 0.5)
    grid = embedding[:, 1:].reshape(1, side, side, -1)
    if (side, side) == (rows, columns):
        return grid
    resized = F.interpolate(
        grid.permute(0, 3, 1, 2), size=(rows, columns), mode="bicubic", align_corners=False
    )
    return resized.permute(0, 2, 3, 1)


def relative(table: Tensor, size: int) -> Tensor:
    """Vectors of every query and key place along one axis of `size` places.

    `table`: (n, c), row i belongs to the distance query - key = i - (n - 1) / 2; it is resized
    when n is not 2 * size - 1. Returns (size, size, c): query place, key place, channel.
    """
    wanted = 2 * size - 1
    if len(table) != wanted:
        table = F.interpolate(table.T[None], size=wanted, mode="linear", align_corners=False)[0].T
    places = torch.arange(size, device=table.device)
    return table[places[:, None] - places[None, :] + size - 1]
