"""The half of PHALP's texture autoencoder that is used: a texture to 4096 numbers.

Names and shapes are those of `encoding_head` in `hmar_v2_weights.pth` (Rajasegaran et al. 2022).
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.phalp.texture.sampling import CHANNELS

EMBEDDING: Final = 16 * 16 * 16


class AppearanceEncoder(nn.Module):
    """(n, 4, 256, 256) textures to (n, 4096) float32 embeddings; n may be 0."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1x = _convolution(CHANNELS, 16)
        self.conv2 = _convolution(16, 64)
        self.conv3 = _convolution(64, 128)
        self.conv4 = _convolution(128, 256)
        self.conv5 = _convolution(256, 256)
        self.conv5_1 = _convolution(256, 16)

    def forward(self, textures: Tensor) -> Tensor:
        dtype = self.conv1x.weight.dtype
        # channels side by side: half the time on a CPU, and what tensor cores want
        features = textures.to(dtype, memory_format=torch.channels_last)
        for layer in (self.conv1x, self.conv2, self.conv3, self.conv4):
            # upstream takes the pool of the ReLU, which is the same and four times the work
            features = F.relu(F.max_pool2d(layer(features), 2))
        for layer in (self.conv5, self.conv5_1):
            features = F.relu(layer(features))
        return features.float().flatten(1)

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Let the products run in a half type; what comes out is float32 all the same.

        With `float16` nothing changes: released embeddings are a thousand times what is compared,
        and a range that ends at 65504 is not known to hold them.
        """
        if dtype != torch.float16:
            self.to(dtype)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
