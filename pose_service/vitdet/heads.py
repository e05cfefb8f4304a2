"""The heads as nets: pooled features in; scores, box deltas and masks out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.layers import Doubling, FourConvs, Linear

BOX_BINS = 7
MASK_BINS = 14


class BoxHead(FourConvs):
    """(n, c, 7, 7) pooled features to (n, box_head_width)."""

    def __init__(self, config: VitDetConfig) -> None:
        channels = config.backbone.pyramid_width
        super().__init__(channels, "conv")
        self.fc1 = Linear(channels * BOX_BINS**2, config.box_head_width)

    def forward(self, pooled: Tensor) -> Tensor:
        return F.relu(self.fc1(self.trunk(pooled).flatten(1)))


class BoxPredictor(nn.Module):
    """(n, box_head_width) to class logits (n, classes + 1), background last, and deltas (n, 4).

    Always in float32, for what decides is rounded here.
    """

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__()
        self.cls_score = nn.Linear(config.box_head_width, config.classes + 1)
        self.bbox_pred = nn.Linear(config.box_head_width, 4)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        single = features.float()
        return self.cls_score(single), self.bbox_pred(single)


class MaskHead(FourConvs):
    """Pooled features (n, c, 14, 14) and classes (n,) to mask logits (n, 28, 28), float32.

    Of the predictor's classes only each box's own is computed.
    """

    def __init__(self, config: VitDetConfig) -> None:
        channels = config.backbone.pyramid_width
        super().__init__(channels, "mask_fcn")
        self.deconv = Doubling(channels, channels)
        self.predictor = nn.Conv2d(channels, config.classes, 1)

    def forward(self, pooled: Tensor, classes: Tensor) -> Tensor:
        features = F.relu(self.deconv(self.trunk(pooled))).float()
        weight, bias = (each[classes] for each in self.predictor.parameters())
        return torch.einsum("nc,nchw->nhw", weight.flatten(1), features) + bias[:, None, None]
