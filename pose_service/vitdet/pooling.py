"""Features of boxes, each from the pyramid level that suits its size."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pose_service.vitdet.boxes import pyramid_level
from pose_service.vitdet.ops import RoiAlign


@dataclass(frozen=True)
class RoiPooler:
    """`strides_px`: of p2 to p5. `canonical_px`: side of the square that is pooled from p4."""

    roi_align: RoiAlign
    strides_px: tuple[int, ...]
    canonical_px: float

    def __call__(self, levels: Sequence[Tensor], boxes: Sequence[Tensor], size: int) -> Tensor:
        """(boxes of all pictures, c, size, size), picture by picture, in the boxes' order.

        `levels`: at least p2 to p5, (n, c, h, w) each, of which those four are used. `boxes`: one
        (k, 4) per picture, xyxy, pixels of the canvas.
        """
        rois = torch.cat(
            [
                torch.cat([each.new_full((len(each), 1), picture), each], dim=1)
                for picture, each in enumerate(boxes)
            ]
        )
        of_level = pyramid_level(rois[:, 1:], self.canonical_px)
        maps = levels[: len(self.strides_px)]
        pooled = maps[0].new_zeros(len(rois), maps[0].shape[1], size, size)
        for level, (level_maps, stride) in enumerate(zip(maps, self.strides_px, strict=True)):
            here = (of_level == level).nonzero()[:, 0]
            # a half type would round the boxes by pixels
            bins = self.roi_align(level_maps.float(), rois[here], size, 1 / stride, 0, True)
            pooled[here] = bins.to(pooled.dtype)
        return pooled
