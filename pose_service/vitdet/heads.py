"""The heads as nets: pooled features in; scores, box deltas and masks out."""

import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.layers import FourConvs, doubling

BOX_BINS = 7
MASK_BINS = 14


class BoxHead(FourConvs):
    """(n, c, 7, 7) pooled features to (n, box_head_width)."""

    def __init__(self, config: VitDetConfig) -> None:
        channels = config.backbone.pyramid_width
        super().__init__(channels, "conv")
        self.fc1 = nn.Linear(channels * BOX_BINS**2, config.box_head_width)

    def forward(self, pooled: Tensor) -> Tensor:
        return F.relu(self.fc1(self.trunk(pooled).flatten(1)))


class BoxPredictor(nn.Module):
    """(n, box_head_width) to class logits (n, classes + 1), background last, and deltas (n, 4)."""

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__()
        self.cls_score = nn.Linear(config.box_head_width, config.classes + 1)
        self.bbox_pred = nn.Linear(config.box_head_width, 4)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.cls_score(features), self.bbox_pred(features)


class MaskHead(FourConvs):
    """(n, c, 14, 14) pooled features to mask logits (n, classes, 28, 28)."""

    def __init__(self, config: VitDetConfig) -> None:
        channels = config.backbone.pyramid_width
        super().__init__(channels, "mask_fcn")
        self.deconv = doubling(channels, channels)
        self.predictor = nn.Conv2d(channels, config.classes, 1)

    def forward(self, pooled: Tensor) -> Tensor:
        logits: Tensor = self.predictor(F.relu(self.deconv(self.trunk(pooled))))
        return logits
