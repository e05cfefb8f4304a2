"""The body half of HMR 2.0: one token asks the picture's features for a body.

There is a single token, so its attention to itself is certain: of queries, keys and values only
the values matter. And as one token asks, its question is turned into the features' own space
once, in place of projecting all 192 features to keys and values: the same real numbers from a
twentieth of the products.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.hmr2.config import BETAS, CAMERA_NUMBERS, POSE_NUMBERS, DecoderConfig

_NORM_EPS = 1e-5


class SelfAttention(nn.Module):
    """What a token that is alone says to itself; (n, dim) to (n, dim)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)
        self.value = nn.Linear(config.dim, config.inner_dim, bias=False)
        self.out = nn.Linear(config.inner_dim, config.dim)

    def forward(self, token: Tensor) -> Tensor:
        branch: Tensor = self.out(self.value(self.norm(token)))
        return branch


class CrossAttention(nn.Module):
    """What the token learns from the features; (n, dim) and (n, 192, context) to (n, dim)."""

    def __init__(self, config: DecoderConfig, context_dim: int) -> None:
        super().__init__()
        self.heads = config.heads, config.head_dim
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)
        self.query = nn.Linear(config.dim, config.inner_dim, bias=False)
        self.key = nn.Linear(context_dim, config.inner_dim, bias=False)
        self.value = nn.Linear(context_dim, config.inner_dim, bias=False)
        self.out = nn.Linear(config.inner_dim, config.dim)
        self.scale = config.head_dim**-0.5

    def forward(self, token: Tensor, features: Tensor) -> Tensor:
        query = self.query(self.norm(token)).view(-1, *self.heads)
        key_maps = self.key.weight.view(*self.heads, -1)
        value_maps = self.value.weight.view(*self.heads, -1)
        questions = torch.einsum("nhd,hdc->nhc", query, key_maps)
        answers = F.scaled_dot_product_attention(questions, features, features, scale=self.scale)
        mixed = torch.einsum("nhc,hdc->nhd", answers, value_maps)
        branch: Tensor = self.out(mixed.flatten(1))
        return branch


class FeedForward(nn.Module):
    """Two layers with an exact GELU between; (n, dim) to (n, dim)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.dim, eps=_NORM_EPS)
        self.widen = nn.Linear(config.dim, config.mlp_dim)
        self.narrow = nn.Linear(config.mlp_dim, config.dim)

    def forward(self, token: Tensor) -> Tensor:
        branch: Tensor = self.narrow(F.gelu(self.widen(self.norm(token))))
        return branch


class DecoderLayer(nn.Module):
    """Three branches, each added to the token."""

    def __init__(self, config: DecoderConfig, context_dim: int) -> None:
        super().__init__()
        self.own = SelfAttention(config)
        self.cross = CrossAttention(config, context_dim)
        self.feed = FeedForward(config)

    def forward(self, token: Tensor, features: Tensor) -> Tensor:
        token = token + self.own(token)
        token = token + self.cross(token, features)
        branch: Tensor = self.feed(token)
        return token + branch


class RawBodies(NamedTuple):
    """`pose_6d`: (n, 144), `betas`: (n, 10), `crop_cameras`: (n, 3) scale, tx, ty."""

    pose_6d: Tensor
    betas: Tensor
    crop_cameras: Tensor


class Decoder(nn.Module):
    """(n, 192, context) features to bodies: the mean body plus what is read from the token.

    One pass, as in the released model: the estimate is not fed back.
    """

    mean_pose: Tensor
    mean_betas: Tensor
    mean_camera: Tensor

    def __init__(self, config: DecoderConfig, context_dim: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(1, config.dim))
        self.layers = nn.ModuleList(DecoderLayer(config, context_dim) for _ in range(config.layers))
        self.pose = nn.Linear(config.dim, POSE_NUMBERS)
        self.betas = nn.Linear(config.dim, BETAS)
        self.camera = nn.Linear(config.dim, CAMERA_NUMBERS)
        self.register_buffer("mean_pose", torch.zeros(1, POSE_NUMBERS))
        self.register_buffer("mean_betas", torch.zeros(1, BETAS))
        self.register_buffer("mean_camera", torch.zeros(1, CAMERA_NUMBERS))

    def forward(self, features: Tensor) -> RawBodies:
        token = self.start.expand(len(features), -1)
        for layer in self.layers:
            token = layer(token, features)
        return RawBodies(
            self.pose(token) + self.mean_pose,
            self.betas(token) + self.mean_betas,
            self.camera(token) + self.mean_camera,
        )
