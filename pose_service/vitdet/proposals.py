"""The proposal network (Ren et al. 2015): where anything at all may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose_service.vitdet.anchors import ANCHORS_PER_CELL, level_anchors
from pose_service.vitdet.boxes import clip, decode, has_area
from pose_service.vitdet.config import ProposalRules, VitDetConfig
from pose_service.vitdet.layers import Conv, Derived
from pose_service.vitdet.ops import Nms

_CODER_WEIGHTS = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Proposals:
    """Boxes of one picture or of each in a batch, the likeliest first.

    `boxes`: (n, 4) or (pictures, n, 4) pixels. `logits`: (n,) or (pictures, n).
    """

    boxes: Tensor
    logits: Tensor

    def of(self, picture: int) -> "Proposals":
        """Those of one picture of a batch."""
        return Proposals(self.boxes[picture], self.logits[picture])


class ProposalHead(nn.Module):
    """One head for every level: is there something at an anchor, and how does its box differ?"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        for place in range(2):
            self.conv.add_module(f"conv{place}", Conv(channels, channels, 3))
            self.conv.add_module(f"relu{place}", nn.ReLU())
        self.objectness_logits = nn.Conv2d(channels, ANCHORS_PER_CELL, 1)
        self.anchor_deltas = nn.Conv2d(channels, ANCHORS_PER_CELL * 4, 1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(n, c, h, w) to logits (n, 3, h, w) and deltas (n, 12, h, w), both always float32."""
        hidden = self.conv(maps).float()
        return self.objectness_logits(hidden), self.anchor_deltas(hidden)


class ProposalNetwork(Derived):
    """Head and anchors: the levels p2 to p6 to each picture's candidates."""

    anchors: Tensor

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__()
        self.rpn_head = ProposalHead(config.backbone.pyramid_width)
        self.register_buffer("anchors", torch.empty(0), persistent=False)
        self._config = config

    def derive(self) -> None:
        side = self._config.canvas_px
        levels = zip(self._config.strides_px, self._config.anchor_sizes_px, strict=True)
        anchors = [level_anchors(side // px, side // px, px, size) for px, size in levels]
        self.anchors = torch.cat(anchors).to(self.rpn_head.objectness_logits.weight.device)

    def forward(self, levels: Sequence[Tensor]) -> tuple[Proposals, ...]:
        """Per level the best decoded boxes of each picture, neither clipped nor suppressed yet.

        `levels`: p2 to p6, (n, c, h, w) each. Anchors in the padding take part like any other.
        """
        counts = [maps.shape[2] * maps.shape[3] * ANCHORS_PER_CELL for maps in levels]
        anchors = torch.split(self.anchors, counts)
        return tuple(self._best(*pair) for pair in zip(levels, anchors, strict=True))

    def _best(self, maps: Tensor, anchors: Tensor) -> Proposals:
        logits, deltas = self.rpn_head(maps)
        best, places = flat_logits(logits).topk(min(self._config.proposals.per_level, len(anchors)))
        chosen = flat_deltas(deltas).gather(1, places[..., None].expand(-1, -1, 4))
        return Proposals(decode(chosen, anchors[places], _CODER_WEIGHTS), best)


def flat_logits(logits: Tensor) -> Tensor:
    """(n, 3, h, w) to (n, h * w * 3), in the order of the anchors."""
    return logits.permute(0, 2, 3, 1).flatten(1)


def flat_deltas(deltas: Tensor) -> Tensor:
    """(n, 12, h, w), four channels per ratio, to (n, h * w * 3, 4), in the order of the anchors."""
    return deltas.permute(0, 2, 3, 1).reshape(len(deltas), -1, 4)


def select_proposals(
    levels: Sequence[Proposals], size_hw: tuple[int, int], rules: ProposalRules, nms: Nms
) -> Proposals:
    """One picture's candidates to what the cascade shall look at.

    `size_hw`: the resized picture without its padding, in pixels. Boxes and logits that are not
    finite are dropped, boxes clipped, empty ones dropped. Levels do not suppress each other.
    """
    boxes = torch.cat([level.boxes for level in levels])
    logits = torch.cat([level.logits for level in levels])
    of_level = torch.cat([torch.full_like(each.logits, i) for i, each in enumerate(levels)])
    # before the clip, which would make an infinite corner a finite one
    finite = boxes.isfinite().all(dim=1) & logits.isfinite()
    boxes = clip(boxes, *size_hw)
    usable = finite & has_area(boxes)
    boxes, logits, of_level = boxes[usable], logits[usable], of_level[usable]
    kept = nms(boxes, logits, of_level, rules.nms_iou)[: rules.keep]
    return Proposals(boxes[kept], logits[kept])
