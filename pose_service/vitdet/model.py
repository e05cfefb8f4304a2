"""The whole detector as one net: canvas in, detections on the canvas out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pose_service.vitdet.attention import Attention
from pose_service.vitdet.cascade import RoiHeads
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.layers import Conv, Doubling, Linear
from pose_service.vitdet.ops import Ops
from pose_service.vitdet.proposals import ProposalNetwork, Proposals, select_proposals
from pose_service.vitdet.pyramid import Backbone
from pose_service.vitdet.selection import Selected, select_detections


@dataclass(frozen=True)
class Findings:
    """Detections per picture, and the levels p2 to p6 that their masks are made from."""

    pictures: list[Selected]
    levels: tuple[Tensor, ...]


class Dense(NamedTuple):
    """What can be said of every cell: the levels p2 to p6, and each level's likeliest boxes."""

    levels: tuple[Tensor, ...]
    candidates: tuple[Proposals, ...]


class VitDet(nn.Module):
    """Backbone, proposals and heads; modules are named as in the official checkpoint."""

    def __init__(self, config: VitDetConfig, ops: Ops) -> None:
        super().__init__()
        self.config = config
        self._nms = ops.nms
        self.backbone = Backbone(config.backbone)
        self.proposal_generator = ProposalNetwork(config)
        self.roi_heads = RoiHeads(config, ops.roi_align)

    def dense(self, canvas: Tensor) -> Dense:
        """All that has the same shapes for every picture; nearly all of the work.

        `canvas`: (n, 3, side, side). Waits for nothing on the device, so it can be compiled or
        captured as one graph and put back: `model.dense = torch.compile(model.dense)`.
        """
        levels = self.backbone(canvas)
        return Dense(levels, self.proposal_generator(levels))

    def forward(
        self,
        canvas: Tensor,
        sizes_hw: Sequence[tuple[int, int]],
        score_over: float | None = None,
    ) -> Findings:
        """`canvas`: (n, 3, side, side) normalised pixels. `sizes_hw`: n sizes without padding.

        The net sees the padding like the rest; only the boxes are clipped to the sizes. A higher
        `score_over` than the rules' own gives those of their detections whose score is above it.
        """
        rules = self.config.detections
        if score_over is not None:
            rules = replace(rules, score_over=score_over)
        levels, candidates = self.dense(canvas)
        proposals = [
            self._proposals([level.of(picture) for level in candidates], size)
            for picture, size in enumerate(sizes_hw)
        ]
        found = self.roi_heads(levels, proposals, sizes_hw, rules.score_over)
        pictures = [
            select_detections(boxes, scores, size, rules, self._nms)
            for (boxes, scores), size in zip(found, sizes_hw, strict=True)
        ]
        return Findings(pictures, levels)

    def _proposals(self, levels: Sequence[Proposals], size_hw: tuple[int, int]) -> Tensor:
        return select_proposals(levels, size_hw, self.config.proposals, self._nms).boxes

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Let the matrix products and convolutions run in a half type.

        The patches, norms, the sum that runs through the blocks, the pyramid's levels and all that
        becomes a score or a box stay float32.
        """
        for part in self.modules():
            if isinstance(part, Linear | Conv | Doubling | Attention):
                for own in (*part.parameters(recurse=False), *part.buffers(recurse=False)):
                    if own.is_floating_point():
                        own.data = own.data.to(dtype)
