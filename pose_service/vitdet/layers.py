"""The norms and convolutions that the pyramid and the heads share."""

import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6
"""Of every norm in this model; PyTorch's own default is 1e-5."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of every pixel: (n, c, h, w) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=NORM_EPS)

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class NormedConv(nn.Conv2d):
    """Convolution without bias that keeps the map's size, then `ChannelNorm`."""

    def __init__(self, channels_in: int, channels: int, kernel: int) -> None:
        super().__init__(channels_in, channels, kernel, padding=kernel // 2, bias=False)
        self.norm = ChannelNorm(channels)

    def forward(self, maps: Tensor) -> Tensor:
        normed: Tensor = self.norm(super().forward(maps))
        return normed


class FourConvs(nn.Module):
    """Four 3x3 `NormedConv`, a ReLU after each; the trunk of the box heads and the mask head."""

    def __init__(self, channels: int, name: str) -> None:
        """`name` is what the four are called in the checkpoint, followed by 1 to 4."""
        super().__init__()
        self._names = tuple(f"{name}{place}" for place in range(1, 5))
        for child in self._names:
            self.add_module(child, NormedConv(channels, channels, 3))

    def trunk(self, pooled: Tensor) -> Tensor:
        """(n, c, s, s) to the same."""
        for child in self._names:
            pooled = F.relu(self.get_submodule(child)(pooled))
        return pooled


def doubling(channels_in: int, channels: int) -> nn.ConvTranspose2d:
    """Transposed 2x2 convolution: twice the size along both axes."""
    return nn.ConvTranspose2d(channels_in, channels, 2, stride=2)
