"""The picture half of HMR 2.0: a plain vision transformer, ViT-H/16 at full size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.hmr2.config import PATCH_PX, TOKENS, BackboneConfig

_NORM_EPS = 1e-6
# the official patch embedding pads by two pixels, so patches start at -2, 14, 30...
_PATCH_PADDING_PX = 2


class Attention(nn.Module):
    """Self-attention of a normalised copy of the tokens; (n, tokens, dim) to the same."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        inner = self.norm(tokens).to(self.qkv.weight.dtype)
        heads: Tensor = self.qkv(inner).unflatten(-1, (3, self.heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        branch: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return branch


class FeedForward(nn.Module):
    """Two layers with an exact GELU between, on a normalised copy of the tokens."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)
        self.widen = nn.Linear(config.dim, config.mlp_dim)
        self.narrow = nn.Linear(config.mlp_dim, config.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        inner = self.norm(tokens).to(self.widen.weight.dtype)
        branch: Tensor = self.narrow(F.gelu(self.widen(inner)))
        return branch


class Block(nn.Module):
    """Attention and feed-forward, each added to the tokens."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.mlp = FeedForward(config)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(tokens)
        branch: Tensor = self.mlp(tokens)
        return tokens + branch


class Backbone(nn.Module):
    """Normalised pictures to feature vectors.

    (n, 3, 256, 192) to (n, 192, dim): one token per patch, rows of 12 from the top.
    """

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.patches = nn.Conv2d(
            3, config.dim, kernel_size=PATCH_PX, stride=PATCH_PX, padding=_PATCH_PADDING_PX
        )
        self.positions = nn.Parameter(torch.zeros(1, TOKENS, config.dim))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)

    def forward(self, pictures: Tensor) -> Tensor:
        tokens = self.patches(pictures).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        features: Tensor = self.norm(tokens)
        return features

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Let the blocks' matrix products run in a half type.

        Patches, norms and the sum that runs through the blocks stay float32: the sum is where
        the error of a half type would pile up.
        """
        for block in self.blocks:
            for part in block.modules():
                if isinstance(part, nn.Linear):
                    part.to(dtype)
