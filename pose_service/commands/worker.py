"""`worker`: processes clips that a service elsewhere takes in, until Ctrl-C or SIGTERM."""

import logging
import signal
import threading
from types import FrameType

from pose_service.app import job_service, start_log
from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.core.config import Settings
from pose_service.engines.registry import choose
from pose_service.runtime.hub import ModelHub

LOOK_EVERY_S = 0.5

log = logging.getLogger(__name__)


def run(arguments: Arguments, settings: Settings) -> int:
    start_log(settings)
    # a worker that will never have nets would only hold clips up
    recipe, reason = choose(settings)
    stopping = _stop_signals()
    hub = ModelHub(settings)
    jobs = job_service(settings, hub)
    hub.start()
    console.print(f"pose-service worker, engine {recipe.name} ({reason}). Stop with Ctrl-C.")
    jobs.start()
    try:
        while not stopping.wait(LOOK_EVERY_S) and hub.state.status != "not_ready":
            pass
    finally:
        log.info("[WORKER] stopping: a clip in hand goes back into the queue")
        jobs.stop()
        hub.stop()
        jobs.close()
    return 0 if stopping.is_set() else 2


def _stop_signals() -> threading.Event:
    """Set by the first SIGTERM or Ctrl-C; the second ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping
