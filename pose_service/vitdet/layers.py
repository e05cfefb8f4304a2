"""The norms, products and convolutions that the backbone, the pyramid and the heads share."""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6
"""Of every norm in this model; PyTorch's own default is 1e-5."""


class Derived(nn.Module, ABC):
    """Has buffers that follow from its weights: computed once, whenever weights are loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.register_load_state_dict_post_hook(_derive)  # type: ignore[no-untyped-call]

    @abstractmethod
    def derive(self) -> None:
        """Compute them from the weights as they are now."""


@torch.no_grad()
def _derive(module: Derived, _keys: Any) -> None:
    module.derive()


class Linear(nn.Linear):
    """A matrix product in the type of its weights, whatever comes in."""

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values.to(self.weight.dtype))


class Conv(nn.Conv2d):
    """Convolution, in the type of its weights, that keeps the map's size."""

    def __init__(self, channels_in: int, channels: int, kernel: int, bias: bool = True) -> None:
        super().__init__(channels_in, channels, kernel, padding=kernel // 2, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.to(self.weight.dtype))


class Doubling(nn.ConvTranspose2d):
    """Transposed 2x2 convolution in the type of its weights: twice the size along both axes."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__(channels_in, channels, 2, stride=2)

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(maps.to(self.weight.dtype), output_size)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of every pixel, (n, c, h, w) to the same, float32."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=NORM_EPS)

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1).float()).permute(0, 3, 1, 2)


class NormedConv(Conv):
    """Convolution without bias, then `ChannelNorm`."""

    def __init__(self, channels_in: int, channels: int, kernel: int) -> None:
        super().__init__(channels_in, channels, kernel, bias=False)
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
