"""Sizes of HMR 2.0: what the released weights fix, and a small network of the same build."""

from dataclasses import dataclass
from typing import Final

CROP_PX: Final = 256
"""Side of the square picture of a person."""
MARGIN_PX: Final = 32
"""Columns of the square that the network leaves out on either side."""
PATCH_PX: Final = 16
TOKENS: Final = CROP_PX // PATCH_PX * ((CROP_PX - 2 * MARGIN_PX) // PATCH_PX)
"""Patches of the part that is seen: 16 rows of 12."""

FOCAL_PX: Final = 5000.0
"""Focal length that the crop camera stands for, in pixels of the square picture."""

POSE_NUMBERS: Final = 6 * 24
"""Six for each of SMPL's joints."""
BETAS: Final = 10
CAMERA_NUMBERS: Final = 3

IMAGE_MEAN_RGB: Final = (0.485, 0.456, 0.406)
IMAGE_STD_RGB: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class BackboneConfig:
    """A vision transformer: `blocks` of width `dim`, attention in `heads` equal parts."""

    dim: int
    blocks: int
    heads: int
    mlp_dim: int


@dataclass(frozen=True)
class DecoderConfig:
    """A transformer decoder: attention runs in `heads` of `head_dim`, whatever `dim` is."""

    dim: int
    layers: int
    heads: int
    head_dim: int
    mlp_dim: int

    @property
    def inner_dim(self) -> int:
        """Width of queries, keys and values, all heads together."""
        return self.heads * self.head_dim


@dataclass(frozen=True)
class Hmr2Config:
    """The two halves of the network."""

    backbone: BackboneConfig
    decoder: DecoderConfig


FULL: Final = Hmr2Config(
    BackboneConfig(dim=1280, blocks=32, heads=16, mlp_dim=5120),
    DecoderConfig(dim=1024, layers=6, heads=8, head_dim=64, mlp_dim=1024),
)
"""HMR2.0a and HMR2.0b as released."""

TINY: Final = Hmr2Config(
    BackboneConfig(dim=64, blocks=3, heads=4, mlp_dim=256),
    DecoderConfig(dim=96, layers=2, heads=3, head_dim=16, mlp_dim=80),
)
"""Every code path of `FULL` in a few hundred kilobytes, for tests; no two widths are equal."""
