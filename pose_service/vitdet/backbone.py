"""The plain vision transformer (Li et al. 2022): most blocks attend within windows."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.vitdet.attention import Attention
from pose_service.vitdet.config import BackboneConfig
from pose_service.vitdet.layers import NORM_EPS, Derived, Linear
from pose_service.vitdet.positions import absolute


class PatchEmbedding(nn.Module):
    """One token per patch: (n, 3, h, w) to (n, h / patch, w / patch, c)."""

    def __init__(self, patch_px: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch_px, stride=patch_px)

    def forward(self, canvas: Tensor) -> Tensor:
        patches: Tensor = self.proj(canvas)
        return patches.permute(0, 2, 3, 1)


class Mlp(nn.Module):
    """Two layers with an exact GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        mixed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return mixed


class Block(nn.Module):
    """Attention, then the MLP, each on normed tokens and added to them: (n, h, w, c) to the same.

    `window` 0 attends over the whole grid.
    """

    def __init__(self, config: BackboneConfig, window: int) -> None:
        super().__init__()
        width = config.width
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = Attention(config, window)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, width * config.mlp_ratio)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        mixed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return mixed


class VisionTransformer(Derived):
    """(n, 3, h, w) to (n, c, h / patch, w / patch); no class token, no norm at the end.

    The sum that runs through the blocks is float32: there the error of a half type would pile up.
    """

    positions: Tensor

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.patch_embed = PatchEmbedding(config.patch_px, config.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.pretrained_grid**2, config.width))
        self.register_buffer("positions", torch.empty(0), persistent=False)
        self._grid = config.grid
        self.blocks = nn.ModuleList(
            Block(config, 0 if place in config.global_blocks else config.window)
            for place in range(config.depth)
        )

    def derive(self) -> None:
        self.positions = absolute(self.pos_embed, self._grid, self._grid)

    def forward(self, canvas: Tensor) -> Tensor:
        tokens: Tensor = self.patch_embed(canvas) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        return tokens.permute(0, 3, 1, 2)
