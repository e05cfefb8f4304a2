"""Sizes and rules of the detector; the defaults are the official model's."""

from dataclasses import dataclass, field

PERSON = 0
"""COCO's contiguous class id of a person."""


@dataclass(frozen=True)
class BackboneConfig:
    """The plain vision transformer and its pyramid.

    `grid` is the number of patches along each side of the canvas; `pretrained_grid` that of the
    stored position embedding, `table_grid` that which the global blocks' tables were made for.
    """

    patch_px: int = 16
    grid: int = 64
    pretrained_grid: int = 14
    table_grid: int = 64
    width: int = 1280
    depth: int = 32
    heads: int = 16
    mlp_ratio: int = 4
    window: int = 14
    global_blocks: tuple[int, ...] = (7, 15, 23, 31)
    pyramid_width: int = 256

    @property
    def head_width(self) -> int:
        return self.width // self.heads


@dataclass(frozen=True)
class ProposalRules:
    """Which boxes of the proposal network go on, per picture."""

    per_level: int = 1000
    nms_iou: float = 0.7
    keep: int = 1000


@dataclass(frozen=True)
class DetectionRules:
    """Which boxes of the cascade are detections: score above `score_over`, strictly."""

    score_over: float = 0.25
    nms_iou: float = 0.5
    keep: int = 100


@dataclass(frozen=True)
class VitDetConfig:
    """The whole detector; `VitDetConfig()` is the official ViTDet-H, 75 epochs, COCO.

    `anchor_sizes_px`: one per level, p2 to p6. `canonical_box_px`: side of the box that is pooled
    from p4.
    """

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    anchor_sizes_px: tuple[int, ...] = (32, 64, 128, 256, 512)
    canonical_box_px: float = 224.0
    box_head_width: int = 1024
    classes: int = 80
    proposals: ProposalRules = field(default_factory=ProposalRules)
    detections: DetectionRules = field(default_factory=DetectionRules)

    @property
    def canvas_px(self) -> int:
        """Side of the square that every picture is fitted in."""
        return self.backbone.grid * self.backbone.patch_px

    @property
    def strides_px(self) -> tuple[int, ...]:
        """Pixels per cell of each level, p2 to p6.

        >>> VitDetConfig().strides_px
        (4, 8, 16, 32, 64)
        """
        patch = self.backbone.patch_px
        return (patch // 4, patch // 2, patch, patch * 2, patch * 4)
