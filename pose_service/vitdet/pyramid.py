"""The simple feature pyramid (Li et al. 2022): every level made from the same last map."""

from torch import Tensor, nn

from pose_service.vitdet.backbone import VisionTransformer
from pose_service.vitdet.config import BackboneConfig
from pose_service.vitdet.layers import ChannelNorm, Doubling, NormedConv


class Backbone(nn.Module):
    """Transformer and pyramid: (n, 3, h, w) to the maps p2 to p6, (n, c, h / stride, w / stride).

    Strides are a quarter, a half, one, two and four patches. The places in each sequence are the
    checkpoint's, which is why p3 has no norm after its first layer and no layer is joined.
    """

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        wide, out = config.width, config.pyramid_width
        self.net = VisionTransformer(config)
        self.simfp_2 = nn.Sequential(
            Doubling(wide, wide // 2), ChannelNorm(wide // 2), nn.GELU(),
            Doubling(wide // 2, wide // 4), *_to_pyramid(wide // 4, out),
        )  # fmt: skip
        self.simfp_3 = nn.Sequential(Doubling(wide, wide // 2), *_to_pyramid(wide // 2, out))
        self.simfp_4 = nn.Sequential(*_to_pyramid(wide, out))
        self.simfp_5 = nn.Sequential(nn.MaxPool2d(2), *_to_pyramid(wide, out))

    def forward(self, canvas: Tensor) -> tuple[Tensor, ...]:
        last = self.net(canvas)
        levels = [self.simfp_2(last), self.simfp_3(last), self.simfp_4(last), self.simfp_5(last)]
        # p6 is every second cell of p5, not the largest of four
        return (*levels, levels[-1][:, :, ::2, ::2])


def _to_pyramid(channels_in: int, channels: int) -> tuple[NormedConv, NormedConv]:
    return NormedConv(channels_in, channels, 1), NormedConv(channels, channels, 3)
