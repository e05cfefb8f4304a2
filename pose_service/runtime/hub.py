"""ModelHub: builds the engine once, in the background, and lends it to one caller at a time."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from pose_service.core.config import Settings
from pose_service.core.errors import PoseError, UnavailableError
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import Engine
from pose_service.runtime.batcher import Batcher
from pose_service.runtime.keypoint_nets import KeypointNets
from pose_service.runtime.owner import NetOwner

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

ALWAYS_REPORTED = {"hmr2": "not_loaded", "phalp": "not_loaded", "vitdet": "not_loaded"}


@dataclass(frozen=True)
class HubState:
    """What `/health` says of the engine."""

    status: str = "warming_up"
    engine: str | None = None
    engine_reason: str = "loading"
    device: str | None = None
    models: Mapping[str, str] = field(default_factory=lambda: dict(ALWAYS_REPORTED))
    error: str | None = None
    load_seconds: float | None = None

    @property
    def ready(self) -> bool:
        return self.status == "ready"


STATE_NAMES = tuple(one.name for one in fields(HubState))


class ModelHub:
    """Owner of the nets. `start` returns at once; `wait` gives the engine when it can serve.

    `keypoints` are the 2D nets, which are loaded after the engine.
    """

    def __init__(
        self,
        settings: Settings,
        build: Callable[[Settings], tuple[Engine, str]] = build_engine,
    ) -> None:
        self.keypoints = KeypointNets(settings)
        self._settings = settings
        self._build = build
        self._owner = NetOwner()
        self._settled = threading.Event()
        self._engine: Engine | None = None
        self._state = HubState()

    def start(self) -> None:
        """Load in the background; the state tells how far it is."""
        self._owner.start()
        threading.Thread(target=self._load_all, name="engine-loader", daemon=True).start()

    def stop(self) -> None:
        """Finish the work in hand and end the owner's thread."""
        self._owner.stop()

    @property
    def state(self) -> HubState:
        return self._state

    @property
    def queue_length(self) -> int:
        """Single frames waiting for the nets."""
        return self._owner.waiting_frames

    @property
    def busy(self) -> bool:
        return self._owner.busy

    def wait(self, timeout_s: float) -> Engine:
        """The engine; `UnavailableError` if it is not ready by then or cannot be built."""
        settled = self._settled.wait(timeout_s)
        if self._engine is not None:
            return self._engine
        if settled:
            raise UnavailableError(
                f"the engine could not be loaded: {self._state.error}",
                hint="GET /health and `python -m pose_service doctor` say what to do.",
                code="ENGINE_UNAVAILABLE",
                retry_after_s=30.0,
            )
        raise UnavailableError(
            f"the engine is still loading after {timeout_s:.0f} s",
            hint="Wait until GET /health says ready, then send this again.",
        )

    def run_frame(self, work: Callable[[Engine], T]) -> T:
        """`work` with the engine on the owner's thread, ahead of clips.

        `UnavailableError` if its turn does not come in time: callers wait two minutes at most.
        """
        limit_s = self._settings.ready_wait_s
        engine = self.wait(limit_s)
        return self._owner.run(lambda: work(engine), urgent=True, wait_s=limit_s)

    def together(
        self, work: Callable[[Engine, Sequence[Item]], Sequence[Result]]
    ) -> Callable[[Sequence[Item]], list[Result]]:
        """`work` for many callers: items handed in at the same time go through it together.

        What is returned is called by each caller with its own items, gives their results, and
        otherwise does as `run_frame`.
        """
        limit_s = self._settings.ready_wait_s
        batcher: Batcher[Item, Result] = Batcher(
            self._owner,
            lambda items: work(self.wait(limit_s), items),
            most=lambda: self.wait(limit_s).frames_together,
        )

        def run(items: Sequence[Item]) -> list[Result]:
            self.wait(limit_s)
            return batcher.run(items, limit_s)

        return run

    def run_clip(self, work: Callable[[Engine], T]) -> T:
        """`work` with the engine on the owner's thread, behind single frames."""
        engine = self.wait(self._settings.ready_wait_s)
        return self._owner.run(lambda: work(engine), urgent=False)

    def _load_all(self) -> None:
        self._load()
        if not self._settings.front_only:
            self.keypoints.get()

    def _load(self) -> None:
        started = time.perf_counter()
        try:
            engine, reason = self._owner.run(lambda: self._build(self._settings), urgent=True)
        except Exception as error:  # noqa: BLE001 - whatever a plugged-in part raises, /health says it
            hint = f" {error.hint}" if isinstance(error, PoseError) and error.hint else ""
            log.error("[INIT] the engine could not be loaded: %s%s", error, hint)
            self._state = replace(
                self._state, status="not_ready", engine_reason="not loaded", error=f"{error}{hint}"
            )
        else:
            seconds = time.perf_counter() - started
            self._engine = engine
            self._state = HubState(
                status="ready",
                engine=engine.name,
                engine_reason=reason,
                device=engine.device,
                models={**ALWAYS_REPORTED, **engine.models},
                load_seconds=round(seconds, 3),
            )
            log.info("[INIT] engine %s ready in %.1f s (%s)", engine.name, seconds, reason)
        finally:
            self._settled.set()
