"""Sizes of the pose predictor, read from the shapes of its tensors.

What shapes do not tell is in the file of settings that is handed out with it, if that is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pose_service.core.errors import EngineError

Shapes = Mapping[str, tuple[int, ...]]

_HEAD_DIM: Final = 64
_BLOCKS: Final = "transformer1.layers."
_HINT: Final = "Use the official pose_predictor.pth as it was published, and its own settings."


@dataclass(frozen=True)
class PredictorSettings:
    """What only the settings can tell; None where they are not here."""

    heads: int | None = None
    stride: int | None = None
    padding: int | None = None


@dataclass(frozen=True)
class PredictorSizes:
    """`frames`: slots of the time axis. `width`: of a token. `pose_width`: inside of `read_in`.

    `inner_dim`: of queries, keys and values, all `heads` together. `kernel`, `stride`, `padding`:
    of the two convolutions over time. `body_width`: inside of the body head.
    """

    frames: int
    width: int
    pose_width: int
    blocks: int
    heads: int
    inner_dim: int
    mlp_dim: int
    kernel: int
    stride: int
    padding: int
    body_width: int

    @property
    def head_dim(self) -> int:
        return self.inner_dim // self.heads


def sizes_of(shapes: Shapes, settings: PredictorSettings) -> PredictorSizes:
    """The sizes of a predictor with tensors of `shapes`, official names without `encoder.`.

    `EngineError` where a tensor that tells a size is missing, or shapes and `settings` disagree.
    """
    block = _BLOCKS + "0."
    inner_dim = _length(shapes, block + "0.fn.to_qkv.weight", 0) // 3
    frames = _length(shapes, "pos_embedding_learned1", 1)
    kernel = _length(shapes, "conv_en.weight", 2)
    stride, padding = _steps(frames, kernel, settings)
    return PredictorSizes(
        frames=frames,
        width=_length(shapes, "mask_token", 0),
        pose_width=_length(shapes, "pose_shape_encoder.0.weight", 0),
        blocks=len({name.split(".")[2] for name in shapes if name.startswith(_BLOCKS)}),
        heads=_heads(inner_dim, settings),
        inner_dim=inner_dim,
        mlp_dim=_length(shapes, block + "1.fn.net.0.weight", 0),
        kernel=kernel,
        stride=stride,
        padding=padding,
        body_width=_length(shapes, "smpl_head.0.fc1.weight", 0),
    )


def _length(shapes: Shapes, name: str, axis: int) -> int:
    shape = shapes.get(name, ())
    if axis >= len(shape) or shape[axis] < 1:
        raise EngineError(f"The pose predictor has no usable {name} (shape {shape})", hint=_HINT)
    return shape[axis]


def _heads(inner_dim: int, settings: PredictorSettings) -> int:
    heads = settings.heads or max(inner_dim // _HEAD_DIM, 1)
    if not inner_dim or inner_dim % heads:
        raise EngineError(
            f"The pose predictor's {inner_dim} columns cannot be {heads} equal heads", hint=_HINT
        )
    return heads


def _steps(frames: int, kernel: int, settings: PredictorSettings) -> tuple[int, int]:
    """Stride and padding with which the two convolutions lead from `frames` back to `frames`."""
    # the longest stride first: with the shortest there would be nothing to undo
    candidates = [(kernel - 2 * padding, padding) for padding in range((kernel + 1) // 2)]
    if settings.stride and settings.padding is not None:
        candidates = [(settings.stride, settings.padding)]
    for stride, padding in candidates:
        inner = frames + 2 * padding - kernel
        if inner >= 0 and inner % stride == 0:
            return stride, padding
    raise EngineError(
        f"No stride and padding lead {frames} frames through a kernel of {kernel} and back "
        f"(tried {candidates})",
        hint=_HINT,
    )
