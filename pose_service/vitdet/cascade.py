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


_ROUNDING = 1e-5


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
        score_over: float = 0.0,
    ) -> list[tuple[Tensor, Tensor]]:
        """Boxes (k, 4) and probabilities (k, classes + 1) per picture, in the proposals' order.

        The boxes are the last stage's, not clipped; the probabilities are the mean of the stages',
        as in the official model. Between the stages only those boxes are dropped of which no class
        can come to a mean above `score_over` any more.
        """
        boxes = list(proposals)
        sums = levels[0].new_zeros(())
        stages = len(STAGE_WEIGHTS)
        for place in range(stages):
            if place > 0:
                least = stages * score_over - (stages - place)
                sums, boxes = _with_hope(sums, boxes, least)
                boxes = [clip(b, *size) for b, size in zip(boxes, sizes_hw, strict=True)]
            of_stage, boxes = self.stage(place, levels, boxes)
            # of the probabilities, not of the logits
            sums = sums + of_stage
        return list(zip(boxes, _per_picture(sums / stages, boxes), strict=True))

    def masks(
        self, levels: Sequence[Tensor], boxes: Sequence[Tensor], classes: Sequence[Tensor]
    ) -> list[Tensor]:
        """Mask logits (k, 28, 28) of each box's own class, per picture.

        `boxes`: (k, 4) per picture, pixels of the canvas, clipped. `classes`: (k,) per picture.
        """
        logits = self.mask_head(self.pool(levels, boxes, MASK_BINS), torch.cat(list(classes)))
        return _per_picture(logits, boxes)


def _with_hope(sums: Tensor, boxes: Sequence[Tensor], least: float) -> tuple[Tensor, list[Tensor]]:
    """The rows in which some class but the background has more than `least` so far.

    `sums`: probabilities added up over the stages so far, rows of all pictures. What is not a
    number has no hope either: it would be no detection in the end.
    """
    if least < 0:
        return sums, list(boxes)
    hope = sums[:, :-1].amax(dim=1) > least - _ROUNDING
    kept = [each[own] for each, own in zip(boxes, _per_picture(hope, boxes), strict=True)]
    return sums[hope], kept


def _per_picture(values: Tensor, boxes: Sequence[Tensor]) -> list[Tensor]:
    return list(torch.split(values, [len(each) for each in boxes]))
