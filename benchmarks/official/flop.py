"""Operations of the two backbones, from their shapes: a multiply-add is two.

Matrix products and the patch convolution only; norms, softmax and GELU are not counted, so that
the rate can be held against that of a plain matrix product.
"""

from pose_service.hmr2.config import PATCH_PX, TOKENS, Hmr2Config
from pose_service.vitdet.config import BackboneConfig


def vitdet_backbone(config: BackboneConfig) -> int:
    """Of one canvas through ViTDet's transformer, without the pyramid.

    >>> f"{vitdet_backbone(BackboneConfig()) / 1e12:.3f} TFLOP"
    '5.658 TFLOP'
    """
    tokens = config.grid**2
    everywhere = len(config.global_blocks)
    in_windows = (config.depth - everywhere) * _windows(config)
    return (
        _patches(tokens, config.patch_px, config.width)
        + config.depth * _linear(tokens, config.width, config.mlp_ratio * config.width)
        + everywhere * (_mixing(tokens, config.width) + _places(config.grid, config.width))
        + in_windows * (_mixing(config.window**2, config.width))
        + in_windows * _places(config.window, config.width)
    )


def hmr2_backbone(config: Hmr2Config) -> int:
    """Of one crop through HMR 2.0's transformer.

    >>> from pose_service.hmr2.config import FULL
    >>> f"{hmr2_backbone(FULL) / 1e12:.3f} TFLOP"
    '0.248 TFLOP'
    """
    backbone = config.backbone
    block = _linear(TOKENS, backbone.dim, backbone.mlp_dim) + _mixing(TOKENS, backbone.dim)
    return _patches(TOKENS, PATCH_PX, backbone.dim) + backbone.blocks * block


def _windows(config: BackboneConfig) -> int:
    return (-(-config.grid // config.window)) ** 2


def _patches(tokens: int, patch_px: int, width: int) -> int:
    return 2 * tokens * width * 3 * patch_px**2


def _linear(tokens: int, width: int, hidden: int) -> int:
    """Query, key, value and output, and both layers of the feed-forward part."""
    return 2 * tokens * width * (4 * width + 2 * hidden)


def _mixing(tokens: int, width: int) -> int:
    """Every token's scores with all, and their mix."""
    return 4 * tokens**2 * width


def _places(side: int, width: int) -> int:
    """Every query of a square of tokens with the vectors for rows and for columns."""
    return 2 * side**2 * 2 * side * width
