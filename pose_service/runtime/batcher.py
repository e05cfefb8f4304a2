"""Work of several callers, done together on the nets' own thread."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pose_service.core.errors import UnavailableError
from pose_service.runtime.owner import NetOwner

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class _Group(Generic[Item, Result]):
    """What one caller hands in at once."""

    items: Sequence[Item]
    done: "Future[list[Result]]" = field(default_factory=Future)


class Batcher(Generic[Item, Result]):
    """Whoever comes while the nets are busy waits; the next turn is for all who wait by then.

    Each caller asks the owner for one turn, ahead of clips, and a turn serves who waits longest,
    as many as `most` items allow (one caller at least). So nobody waits for a batch to fill.
    """

    def __init__(
        self,
        owner: NetOwner,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        most: Callable[[], int],
    ) -> None:
        self._owner = owner
        self._work = work
        self._most = most
        self._waiting: deque[_Group[Item, Result]] = deque()
        self._lock = threading.Lock()

    def run(self, items: Sequence[Item], wait_s: float | None = None) -> list[Result]:
        """The results for `items`, in their order.

        `UnavailableError` (`BUSY`) if their turn has not come after `wait_s`. An error of the work
        is raised to the caller whose items cause it, and to nobody else.
        """
        group: _Group[Item, Result] = _Group(items)
        with self._lock:
            self._waiting.append(group)
        try:
            self._owner.run(self._serve, urgent=True, wait_s=wait_s)
        except UnavailableError:
            if self._withdraw(group):
                raise
        return group.done.result()

    def _withdraw(self, group: _Group[Item, Result]) -> bool:
        """Whether `group` was still waiting; it no longer is."""
        with self._lock:
            if group not in self._waiting:
                return False
            self._waiting.remove(group)
            return True

    def _serve(self) -> None:
        groups = self._next()
        if len(groups) > 1 and self._serve_together(groups):
            return
        for group in groups:
            try:
                group.done.set_result(list(self._work(group.items)))
            except BaseException as error:  # noqa: BLE001 - handed on to the caller, whatever it is
                group.done.set_exception(error)

    def _serve_together(self, groups: Sequence[_Group[Item, Result]]) -> bool:
        """Whether it went well; if not, each is tried alone, since one may have spoilt it."""
        try:
            results = iter(self._work([item for group in groups for item in group.items]))
        except Exception:  # noqa: BLE001 - raised again to the one who caused it
            return False
        for group in groups:
            group.done.set_result([next(results) for _ in group.items])
        return True

    def _next(self) -> list[_Group[Item, Result]]:
        with self._lock:
            taken: list[_Group[Item, Result]] = []
            room = self._most()
            while self._waiting and (not taken or len(self._waiting[0].items) <= room):
                taken.append(self._waiting.popleft())
                room -= len(taken[-1].items)
            return taken
