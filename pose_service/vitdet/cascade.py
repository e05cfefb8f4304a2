"""Three box heads in a row (Cai and Vasconcelos 2018), and the mask head."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pose_service.vitdet.boxes import CoderWeights, clip, decode
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.heads import BOX_BINS, MASK_BINS, BoxHead, BoxPredictor, MaskHead
from pose_service.vitdet.ops import RoiAlign
from pose_service.vitdet.pooling import RoiPooler

STAGE_WEIGHTS: tuple[CoderWeights, ...] = (
    (10.0, 10.0, 5.0, 5.0),
    (20.0, 20.0, 10.0, 10.0),
    (30.0, 30.0, 15.0, 15.0),
)
"""Box coder weights per stage: each stage corrects less than the one before."""


class RoiHeads(nn.Module):
    """What is in each proposed box, and where exactly."""

    def __init__(self, config: VitDetConfig, roi_align: RoiAlign) -> None:
        super().__init__()
        self.box_head = nn.ModuleList(BoxHead(config) for _ in STAGE_WEIGHTS)
        self.box_predictor = nn.ModuleList(BoxPredictor(config) for _ in STAGE_WEIGHTS)
        self.mask_head = MaskHead(config)
        self.pool = RoiPooler(roi_align, config.strides_px[:4], config.canonical_box_px)

    def stage(
        self, place: int, levels: Sequence[Tensor], boxes: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Stage `place` on `boxes` (k, 4), one per picture.

        Returns class probabilities (all k, classes + 1), and the corrected boxes per picture, not
        clipped.
        """
        features = self.box_head[place](self.pool(levels, boxes, BOX_BINS))
        logits, deltas = self.box_predictor[place](features)
        moved = decode(deltas, torch.cat(list(boxes)), STAGE_WEIGHTS[place])
        return logits.float().softmax(dim=1), _per_picture(moved, boxes)

    def forward(
        self,
        levels: Sequence[Tensor],
        proposals: Sequence[Tensor],
        sizes_hw: Sequence[tuple[int, int]],
    ) -> list[tuple[Tensor, Tensor]]:
        """Boxes (k, 4) and probabilities (k, classes + 1) per picture, in the proposals' order.

        The boxes are the last stage's, not clipped; the probabilities are the mean of the stages',
        as in the official model. No box is dropped between the stages, not even an empty one.
        """
        boxes = list(proposals)
        scores: list[Tensor] = []
        for place in range(len(STAGE_WEIGHTS)):
            if place > 0:
                boxes = [clip(b, *size) for b, size in zip(boxes, sizes_hw, strict=True)]
            of_stage, boxes = self.stage(place, levels, boxes)
            scores.append(of_stage)
        # of the probabilities, not of the logits
        mean = torch.stack(scores).mean(dim=0)
        return list(zip(boxes, _per_picture(mean, boxes), strict=True))

    def masks(
        self, levels: Sequence[Tensor], boxes: Sequence[Tensor], classes: Sequence[Tensor]
    ) -> list[Tensor]:
        """Mask logits (k, 28, 28) of each box's own class, per picture.

        `boxes`: (k, 4) per picture, pixels of the canvas, clipped. `classes`: (k,) per picture.
        """
        logits = self.mask_head(self.pool(levels, boxes, MASK_BINS))
        own = logits[torch.arange(len(logits), device=logits.device), torch.cat(list(classes))]
        return _per_picture(own.float(), boxes)


def _per_picture(values: Tensor, boxes: Sequence[Tensor]) -> list[Tensor]:
    return list(torch.split(values, [len(each) for each in boxes]))
