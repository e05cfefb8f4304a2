"""The one thread that touches the nets: single frames go ahead of clip work, neither starves."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from pose_service.core.errors import UnavailableError

T = TypeVar("T")

FRAMES_BEFORE_CLIP = 4
"""So many frames may pass a waiting piece of clip work before it gets its turn."""


class NetOwner:
    """Runs pieces of work one after another on its own thread.

    A caller waits for its piece; an exception of the piece is raised in the caller. Clips hand in
    one piece per frame, so a single frame waits for at most one of them.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._clips: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._passed = 0
        self._stopping = False
        self._busy = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="net-owner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Finish what was handed in, refuse what comes, end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def run(self, work: Callable[[], T], *, urgent: bool, wait_s: float | None = None) -> T:
        """The result of `work`, done on the owner's thread; `urgent` for single frames.

        Work that has not begun after `wait_s` is given up: `UnavailableError` (`BUSY`).
        """
        future: Future[T] = Future()
        with self._changed:
            if self._stopping:
                raise UnavailableError(
                    "the service is stopping", hint="Try again in a moment.", code="STOPPING"
                )
            (self._frames if urgent else self._clips).append((work, future))
            self._changed.notify_all()
        try:
            return future.result(wait_s)
        except TimeoutError:
            if not future.cancel():
                return future.result()
            raise UnavailableError(
                f"the nets had no time for this within {wait_s:g} s",
                hint="Send fewer frames at a time, or a clip to /pose/video.",
                code="BUSY",
            ) from None

    @property
    def waiting_frames(self) -> int:
        return len(self._frames)

    @property
    def busy(self) -> bool:
        return self._busy

    def _serve(self) -> None:
        while (piece := self._next()) is not None:
            work, future = piece
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed on to the caller, whatever it is
                future.set_exception(error)
            # else this frame's picture would live on until the next piece of work comes
            del work, future, piece

    def _next(self) -> tuple[Callable[[], Any], Future[Any]] | None:
        with self._changed:
            self._busy = False
            self._changed.wait_for(lambda: self._frames or self._clips or self._stopping)
            if not (self._frames or self._clips):
                return None
            self._busy = True
            clip_is_due = self._clips and self._passed >= FRAMES_BEFORE_CLIP
            if self._frames and not clip_is_due:
                self._passed += 1
                return self._frames.popleft()
            self._passed = 0
            return self._clips.popleft()
