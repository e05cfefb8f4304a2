"""Time where the work is done: a card works on while the program that asked it goes ahead."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

_MATMUL = 4096, 1280, 5120
_MATMUL_ROUNDS = {"cpu": 3, "cuda": 50}


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Seconds until `work` is finished on `device`."""
    _finish(device)
    started = time.perf_counter()
    work()
    _finish(device)
    return time.perf_counter() - started


def repeated(work: Callable[[], object], device: torch.device, rounds: int) -> list[float]:
    """Seconds of each of `rounds` calls; the first call of all is nobody's warm-up."""
    return [seconds(work, device) for _ in range(rounds)]


def matmul_rate(dtype: torch.dtype, device: torch.device) -> float:
    """FLOP per second of a plain product of the size that both nets do most: 4096 x 1280 x 5120."""
    rows, inner, columns = _MATMUL
    left = torch.rand(rows, inner, device=device).to(dtype)
    right = torch.rand(inner, columns, device=device).to(dtype)
    rounds = _MATMUL_ROUNDS[device.type]
    repeated(lambda: left @ right, device, 1)
    times = sorted(repeated(lambda: left @ right, device, rounds))
    return 2 * rows * inner * columns / times[rounds // 2]


@dataclass
class Laps:
    """Of each forward of a module its seconds; of the last one also what came out."""

    seconds: list[float] = field(default_factory=list)
    last: Tensor | None = None


@contextmanager
def watched(module: nn.Module, device: torch.device) -> Iterator[Laps]:
    """The forwards of `module`, whose answer is one tensor, while the context lasts."""
    laps, starts = Laps(), [0.0]

    def start(_module: nn.Module, _given: object) -> None:
        _finish(device)
        starts[0] = time.perf_counter()

    def stop(_module: nn.Module, _given: object, answer: Tensor) -> None:
        _finish(device)
        laps.seconds.append(time.perf_counter() - starts[0])
        laps.last = answer

    hooks = module.register_forward_pre_hook(start), module.register_forward_hook(stop)
    try:
        yield laps
    finally:
        for hook in hooks:
            hook.remove()


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
