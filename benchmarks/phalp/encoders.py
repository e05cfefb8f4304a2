"""The appearance encoder with stand-in weights, counting what goes through it."""

import standin
import torch
import torch.nn.functional as F
from torch import Tensor

from pose_service.phalp.appearance.encoder import EMBEDDING, AppearanceEncoder
from pose_service.phalp.checkpoint import ready

_SHOWN, _UNIT, _WEIGHT = 0.5, 1000.0, 100.0


class CountedEncoder(AppearanceEncoder):
    """Until it is `awake` it answers zeros at once: all look alike. `encoded` counts textures."""

    def __init__(self) -> None:
        super().__init__()
        self.awake = False
        self.encoded = 0

    def wake(self, texture: Tensor) -> None:
        """From now on; `texture` (4, 256, 256) goes through once before."""
        self.awake = True
        with torch.inference_mode():
            super().forward(texture[None])

    def forward(self, textures: Tensor) -> Tensor:
        if not self.awake:
            return textures.new_zeros(len(textures), EMBEDDING)
        self.encoded += len(textures)
        return super().forward(textures)


class SinglePasses:
    """Costs of looks as upstream has them: two passes for each pair, one texture at a time."""

    def __init__(self, encoder: CountedEncoder) -> None:
        self._encoder = encoder

    def __call__(self, track: Tensor, detection: Tensor) -> float:
        """How far the looks of two textures (4, 256, 256) differ."""
        if not self._encoder.awake:
            return 0.0
        shared = (track[3] > _SHOWN) & (detection[3] > _SHOWN)
        one, other = (self._encoded(each * shared) for each in (track.float(), detection))
        return float(_WEIGHT * (one - other).double().square().sum())

    def _encoded(self, texture: Tensor) -> Tensor:
        """(1, 16, 16, 16), channel after channel, and every ReLU before its pool."""
        layers, features = self._encoder, texture[None].contiguous()
        layers.encoded += 1
        with torch.inference_mode():
            for layer in (layers.conv1x, layers.conv2, layers.conv3, layers.conv4):
                features = F.max_pool2d(F.relu(layer(features)), 2)
            for layer in (layers.conv5, layers.conv5_1):
                features = F.relu(layer(features))
        return features / _UNIT


def stand_in_encoder(device: torch.device) -> CountedEncoder:
    """Of the official size; it tells textures apart, though not as people do."""
    encoder = CountedEncoder()
    weights = {
        name: torch.from_numpy(standin.plain_weight(f"encoding_head.{name}", (*own.shape,)))
        for name, own in encoder.state_dict().items()
    }
    encoder.load_state_dict(weights)
    ready(encoder, device)
    return encoder
