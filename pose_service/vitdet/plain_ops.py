"""RoIAlign and NMS in plain PyTorch, for where torchvision does not load beside this torch.

They give what torchvision's give (empty boxes, boxes outside of the map and ties included) and run
on any device.
"""

import torch
from torch import Tensor

_TOGETHER = 8
"""Boxes pooled at a time; more of them leave the processor's cache."""

_LIKE_CELLS = 4
"""Boxes whose heights differ by less count as equally high when they are put together."""


def roi_align(
    maps: Tensor,
    rois: Tensor,
    output_size: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
    /,
) -> Tensor:
    """See `ops.RoiAlign`: a weighted mean of rows, then one of columns."""
    _, channels, rows, columns = maps.shape
    pooled = maps.new_zeros(len(rois), output_size, output_size, channels)
    edges = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    least = -torch.inf if aligned else 1.0
    down = _shares(edges[:, 1::2], least, output_size, rows, sampling_ratio)
    across = _shares(edges[:, 0::2], least, output_size, columns, sampling_ratio)
    (top, high), (left, wide) = _spans(down), _spans(across)
    # pixels outermost: the cells of a box are then few long stretches of memory
    pixels, pictures = maps.permute(0, 2, 3, 1).reshape(-1, channels), rois[:, 0].long()
    # boxes of like size together, for all take the space of the largest
    order = (high // _LIKE_CELLS * columns + wide).argsort()
    for start in range(0, len(order), _TOGETHER):
        chunk = order[start : start + _TOGETHER]
        y = _window(top[chunk], high[chunk], rows)
        x = _window(left[chunk], wide[chunk], columns)
        cells = (pictures[chunk, None] * rows + y)[:, :, None] * columns + x[:, None]
        part = pixels.index_select(0, cells.flatten()).reshape(*y.shape, x.shape[1] * channels)
        lines = _of_cells(down[chunk], y) @ part
        lines = lines.reshape(len(chunk), output_size, x.shape[1], channels)
        pooled[chunk] = _of_cells(across[chunk], x)[:, None] @ lines
    return pooled.permute(0, 3, 1, 2)


def _shares(ends: Tensor, least: float, bins: int, cells: int, sampling_ratio: int) -> Tensor:
    """(k, bins, cells): what each cell of one axis counts in each bin.

    `ends`: (k, 2) in cells. Places are computed in single precision and in the order of operations
    of torchvision: exact ones would move class scores.
    """
    start, width = ends[:, :1, None], (ends[:, 1] - ends[:, 0]).clamp(min=least)[:, None, None]
    of_bin = width / bins
    counts = torch.full_like(of_bin, sampling_ratio) if sampling_ratio else of_bin.ceil()
    counts = counts.clamp(min=0)
    most = int(counts.max()) if len(counts) else 0
    steps = torch.arange(most, device=ends.device)
    at = start + torch.arange(bins, device=ends.device)[:, None] * of_bin
    at = at + (steps + 0.5) * of_bin / counts.clamp(min=1)
    share = ((at >= -1) & (at <= cells) & (steps < counts)) / counts.clamp(min=1)
    at = at.clamp(0, cells - 1)
    below = at.floor()
    upper = (at - below) * share
    shares = ends.new_zeros(len(ends), bins, cells)
    shares.scatter_add_(2, below.long(), share - upper)
    shares.scatter_add_(2, (below.long() + 1).clamp(max=cells - 1), upper)
    return shares


def _spans(shares: Tensor) -> tuple[Tensor, Tensor]:
    """(k,) the first cell that counts for each box, and (k,) the number up to the last."""
    counts = shares.amax(dim=1) > 0
    places = torch.arange(shares.shape[2], device=shares.device)
    behind = torch.where(counts, places + 1, 0).amax(dim=1)
    first = torch.minimum(torch.where(counts, places, shares.shape[2]).amin(dim=1), behind)
    return first, behind - first


def _window(first: Tensor, length: Tensor, cells: int) -> Tensor:
    """(k, n) as many cells for each box as the longest needs, all of them on the map."""
    most = int(length.max())
    return first.clamp(max=cells - most)[:, None] + torch.arange(most, device=first.device)


def _of_cells(shares: Tensor, cells: Tensor) -> Tensor:
    """(k, bins, cells) and (k, n) to (k, bins, n)."""
    return shares.gather(2, cells[:, None].expand(-1, shares.shape[1], -1))


def nms(boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float, /) -> Tensor:
    """See `ops.Nms`; of equal scores the earlier box counts as the better one."""
    order = scores.argsort(descending=True, stable=True)
    boxes, groups = boxes[order], groups[order]
    kept = torch.zeros_like(order, dtype=torch.bool)
    for group in torch.unique(groups):
        own = groups == group
        kept[own] = _survivors(boxes[own], iou_threshold)
    return order[kept]


def _survivors(boxes: Tensor, iou_threshold: float) -> Tensor:
    """(n,) which of `boxes`, the best first, overlap no better survivor.

    Guessed for all at once, again and again from the guess before: each round settles at least one
    box more, and what no longer changes is the answer. It takes a few rounds.
    """
    covers = (iou(boxes, boxes) > iou_threshold).triu(1)
    kept = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    while True:
        before, kept = kept, ~(covers & kept[:, None]).any(dim=0)
        if torch.equal(before, kept):
            return kept


def iou(boxes: Tensor, others: Tensor) -> Tensor:
    """(n, m) intersection over union of `boxes` (n, 4) and `others` (m, 4); nan of empty pairs."""
    low = torch.maximum(boxes[:, None, :2], others[:, :2])
    high = torch.minimum(boxes[:, None, 2:], others[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)
    areas, other_areas = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes, others))
    return shared / (areas[:, None] + other_areas - shared)
