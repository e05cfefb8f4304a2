"""Work in batches that fit into memory, so that a full card costs time and not the process."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pose_service.core.errors import UnavailableError

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], Sequence[Result]]

log = logging.getLogger(__name__)

RETRY_LARGE_AFTER_S = 120.0
"""So long a batch that did not fit is not tried again."""

# what torch says without an exception of its own
_FULL = ("can't allocate memory", "ALLOC_FAILED", "out of memory")


@dataclass(frozen=True)
class _Shortage:
    """Memory was not enough; `code` says whose. Holds words only, never the failed tensors."""

    code: str
    text: str


class MemoryGuard:
    """Runs a net's work over many items, `most` at a time, fewer where memory is short.

    A batch that does not fit is halved, down to one item; the size that did fit is remembered for
    two minutes. With `cpu_fallback` an item that does not fit on a card by itself is done with
    the net moved to the CPU and moved back afterwards: seconds for the way, and minutes for the
    work, but an answer. Without, it is `UnavailableError` (`CUDA_OOM` or `OUT_OF_MEMORY`), and the
    next call starts afresh.
    """

    def __init__(
        self,
        net: "torch.nn.Module",
        device: "torch.device",
        most: int,
        *,
        cpu_fallback: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._net = net
        self.device = device
        self._most = most
        self._cpu_fallback = cpu_fallback and device.type == "cuda"
        self._clock = clock
        self._fits = most
        self._learnt_s = clock()
        self._at_home = True

    @property
    def most(self) -> int:
        """Items of one batch now."""
        if self._clock() - self._learnt_s > RETRY_LARGE_AFTER_S:
            self._fits = self._most
        return self._fits

    def run(self, items: Sequence[Item], work: Work[Item, Result]) -> list[Result]:
        """What `work` makes of all `items`, in their order; it gives one result per item.

        `work` runs the net where its weights are.
        """
        if not self._at_home:
            self._go_home()
        results: list[Result] = []
        while len(results) < len(items):
            part = items[len(results) : len(results) + self.most]
            outcome = _attempt(work, part)
            if isinstance(outcome, _Shortage):
                _give_back(self.device)
                if len(part) > 1:
                    self._learn(len(part) // 2, outcome)
                    continue
                outcome = self._last_resort(work, part, outcome)
            results += outcome
        return results

    def _learn(self, fits: int, shortage: _Shortage) -> None:
        log.warning("[MEMORY] %s; batches of %d for now", shortage.text, fits)
        self._fits, self._learnt_s = fits, self._clock()

    def _last_resort(
        self, work: Work[Item, Result], part: Sequence[Item], shortage: _Shortage
    ) -> Sequence[Result]:
        if self._cpu_fallback:
            log.warning("[MEMORY] %s; this one is done on the CPU", shortage.text)
            self._at_home = False
            self._net.to("cpu")
            _give_back(self.device)
            outcome = _attempt(work, part)
            self._go_home()
            if not isinstance(outcome, _Shortage):
                return outcome
            shortage = outcome
        raise UnavailableError(
            f"memory is not enough even for a batch of one: {shortage.text}",
            hint="End other programs on the card or the machine, send a smaller picture, "
            "or set POSE_CPU_FALLBACK=1 to let the CPU do what does not fit on the card.",
            code=shortage.code,
            retry_after_s=10.0,
        )

    def _go_home(self) -> None:
        """Move the net back to its device; where that has no room either, the CPU goes on."""
        outcome = _attempt(lambda _: [self._net.to(self.device)], ())
        self._at_home = not isinstance(outcome, _Shortage)
        if not self._at_home:
            self._net.to("cpu")
            _give_back(self.device)


def _attempt(work: Work[Item, Result], part: Sequence[Item]) -> Sequence[Result] | _Shortage:
    """The results of `work`, or that memory was not enough; other errors are raised.

    When this returns, the failed call's tensors are free: nothing refers to its stack any more.
    """
    import torch

    try:
        return work(part)
    except torch.OutOfMemoryError as error:
        return _Shortage("CUDA_OOM", _first_line(error))
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(words in str(error) for words in _FULL):
            raise
        on_card = "CUDA" in str(error) or "CUBLAS" in str(error) or "CUDNN" in str(error)
        return _Shortage("CUDA_OOM" if on_card else "OUT_OF_MEMORY", _first_line(error))


def _first_line(error: BaseException) -> str:
    return (str(error) or "out of memory").splitlines()[0]


def _give_back(device: "torch.device") -> None:
    """What torch keeps of the card's memory for later goes back to it."""
    import torch

    if device.type == "cuda":
        torch.cuda.empty_cache()
