"""The whole detector as one net: canvas in, detections on the canvas out."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from pose_service.vitdet.cascade import RoiHeads
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.ops import Ops
from pose_service.vitdet.proposals import ProposalNetwork, select_proposals
from pose_service.vitdet.pyramid import Backbone
from pose_service.vitdet.selection import Selected, select_detections


@dataclass(frozen=True)
class Findings:
    """Detections per picture, and the levels p2 to p6 that their masks are made from."""

    pictures: list[Selected]
    levels: tuple[Tensor, ...]


class VitDet(nn.Module):
    """Backbone, proposals and heads; modules are named as in the official checkpoint."""

    def __init__(self, config: VitDetConfig, ops: Ops) -> None:
        super().__init__()
        self.config = config
        self._nms = ops.nms
        self.backbone = Backbone(config.backbone)
        self.proposal_generator = ProposalNetwork(config)
        self.roi_heads = RoiHeads(config, ops.roi_align)

    def forward(self, canvas: Tensor, sizes_hw: Sequence[tuple[int, int]]) -> Findings:
        """`canvas`: (n, 3, side, side) normalised pixels. `sizes_hw`: n sizes without padding.

        The net sees the padding like the rest; only the boxes are clipped to the sizes.
        """
        rules = self.config
        levels = self.backbone(canvas)
        proposals = [
            select_proposals(candidates, size, rules.proposals, self._nms).boxes
            for candidates, size in zip(self.proposal_generator(levels), sizes_hw, strict=True)
        ]
        found = self.roi_heads(levels, proposals, sizes_hw)
        pictures = [
            select_detections(boxes, scores, size, rules.detections, self._nms)
            for (boxes, scores), size in zip(found, sizes_hw, strict=True)
        ]
        return Findings(pictures, levels)
