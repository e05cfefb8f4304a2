"""Nets compiled by torch, for a few fixed sizes of batch."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from pose_service.core.errors import EngineError

Answer = TypeVar("Answer")

_MODES = {"compile": "default", "graphs": "reduce-overhead"}


def fixed_sizes(most: int) -> Iterator[int]:
    """The sizes of batch that are compiled.

    >>> list(fixed_sizes(12))
    [1, 2, 4, 8, 12]
    """
    size = 1
    while size < most:
        yield size
        size *= 2
    yield most


def expect_possible(how: str, device: torch.device) -> None:
    """`EngineError` where what the setting `POSE_COMPILE` asks for cannot be had on `device`."""
    if how == "graphs" and device.type != "cuda":
        raise EngineError(
            f"POSE_COMPILE=graphs: CUDA graphs need a card, the device is {device}",
            hint="Set POSE_COMPILE=compile or off, or POSE_DEVICE=cuda.",
        )


def compiled(
    forward: Callable[[Tensor], Answer], how: str, most: int, device: torch.device
) -> Callable[[Tensor], Answer]:
    """`forward` as the setting `POSE_COMPILE` says: as it is (`off`), compiled, or as CUDA graphs.

    Batches on `device` are filled up with zeros to one of `fixed_sizes(most)`, and the answer has
    the filling's rows, too. Elsewhere the net, moved for want of memory, runs as it is.
    """
    if how == "off":
        return forward
    fast = torch.compile(forward, mode=_MODES[how], dynamic=False)

    def run(batch: Tensor) -> Answer:
        return fast(_filled(batch, most)) if batch.device == device else forward(batch)

    return run


def _filled(batch: Tensor, most: int) -> Tensor:
    """`batch` (n, ...), n at most `most`, with zeros up to the next fixed size."""
    size = next(size for size in fixed_sizes(most) if size >= len(batch))
    filling = batch.new_zeros(size - len(batch), *batch.shape[1:])
    return torch.cat([batch, filling]) if len(filling) else batch
