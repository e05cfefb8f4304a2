"""The proposal network (Ren et al. 2015): where anything at all may be."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pose_service.vitdet.anchors import ANCHORS_PER_CELL, level_anchors
from pose_service.vitdet.boxes import clip, decode, has_area
from pose_service.vitdet.config import ProposalRules, VitDetConfig
from pose_service.vitdet.ops import Nms

_CODER_WEIGHTS = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Proposals:
    """Boxes of one picture, the likeliest first. `boxes`: (n, 4) pixels; `logits`: (n,)."""

    boxes: Tensor
    logits: Tensor


class ProposalHead(nn.Module):
    """One head for every level: is there something at an anchor, and how does its box differ?"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        for place in range(2):
            self.conv.add_module(f"conv{place}", nn.Conv2d(channels, channels, 3, padding=1))
            self.conv.add_module(f"relu{place}", nn.ReLU())
        self.objectness_logits = nn.Conv2d(channels, ANCHORS_PER_CELL, 1)
        self.anchor_deltas = nn.Conv2d(channels, ANCHORS_PER_CELL * 4, 1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(n, c, h, w) to logits (n, 3, h, w) and deltas (n, 12, h, w)."""
        hidden = self.conv(maps)
        return self.objectness_logits(hidden), self.anchor_deltas(hidden)


class ProposalNetwork(nn.Module):
    """Head and anchors: the levels p2 to p6 to each picture's candidates."""

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__()
        self.rpn_head = ProposalHead(config.backbone.pyramid_width)
        self._strides_px = config.strides_px
        self._sizes_px = config.anchor_sizes_px
        self._rules = config.proposals

    def forward(self, levels: Sequence[Tensor]) -> list[list[Proposals]]:
        """Per picture and level the best decoded boxes, neither clipped nor suppressed yet.

        `levels`: p2 to p6, (n, c, h, w) each. Anchors in the padding take part like any other.
        """
        by_level = [
            self._candidates(maps, stride, size)
            for maps, stride, size in zip(levels, self._strides_px, self._sizes_px, strict=True)
        ]
        return [list(picture) for picture in zip(*by_level, strict=True)]

    def _candidates(self, maps: Tensor, stride_px: int, size_px: float) -> list[Proposals]:
        logits, deltas = self.rpn_head(maps)
        rows, columns = maps.shape[2:]
        with maps.device:
            anchors = level_anchors(rows, columns, stride_px, size_px)
        return [
            _best(flat_logits(one_logits), flat_deltas(one_deltas), anchors, self._rules.per_level)
            for one_logits, one_deltas in zip(logits, deltas, strict=True)
        ]


def flat_logits(logits: Tensor) -> Tensor:
    """(3, h, w) to (h * w * 3,), in the order of the anchors."""
    return logits.permute(1, 2, 0).flatten().float()


def flat_deltas(deltas: Tensor) -> Tensor:
    """(12, h, w), four channels per ratio, to (h * w * 3, 4), in the order of the anchors."""
    rows, columns = deltas.shape[1:]
    return deltas.reshape(-1, 4, rows, columns).permute(2, 3, 0, 1).reshape(-1, 4)


def _best(logits: Tensor, deltas: Tensor, anchors: Tensor, count: int) -> Proposals:
    best, places = logits.topk(min(count, len(logits)))
    return Proposals(decode(deltas[places], anchors[places], _CODER_WEIGHTS), best)


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
