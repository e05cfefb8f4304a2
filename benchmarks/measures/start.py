"""How long a start takes once everything is installed."""

import subprocess
import sys
from dataclasses import dataclass

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.service import ROOT, serving
from benchmarks.stopwatch import SECONDS_TO_MS, time_ms

GOAL_S = 3.0
ROUNDS = 5
LIMIT_S = 60.0
TIMED_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


@dataclass(frozen=True)
class Start:
    """Seconds of `fetch-weights`, and from `serve` until the port, `/health`, the engine."""

    fetch: float
    port: float
    health: float
    ready: float


def run(setup: Setup) -> list[Figure]:
    _start(setup)
    starts = [_start(setup) for _ in range(ROUNDS)]
    return [
        Figure("`fetch-weights` finds everything there", "s", [one.fetch for one in starts]),
        Figure(
            "the port is open, counted from `fetch-weights`",
            "s",
            [one.fetch + one.port for one in starts],
            Goal(GOAL_S),
            "starting Python twice; gunicorn opens the port before the worker imports anything",
        ),
        Figure(
            "`/health` is answered, counted from `serve`",
            "s",
            [one.health for one in starts],
            bound="importing numpy, OpenCV, PyAV, SQLAlchemy, Flask in the worker",
        ),
        Figure(
            "the engine is ready, counted from `serve`",
            "s",
            [one.ready for one in starts],
            bound="the same, then checking and loading the networks",
        ),
        *(_import(module) for module in ("pose_service", "pose_service.app")),
    ]


def _start(setup: Setup) -> Start:
    fetch_ms = time_ms(lambda: _python("-m", "pose_service", "fetch-weights", "embedded"))
    with serving(setup) as service:
        return Start(
            fetch_ms / SECONDS_TO_MS,
            service.wait_open(),
            service.wait_answer(),
            service.wait_ready(),
        )


def _import(module: str) -> Figure:
    """Timed in a fresh Python by itself."""
    seconds = [float(_python("-c", TIMED_IMPORT.format(module))) for _ in range(ROUNDS + 1)]
    return Figure(f"`import {module}`", "ms", [SECONDS_TO_MS * one for one in seconds[1:]])


def _python(*arguments: str) -> str:
    """What a Python with `arguments` prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S
    )
    return done.stdout


MEASURE = Measure(
    "Starting",
    "What `start-pose-service.sh` does once its environment is there, `fetch-weights` and `serve`, "
    "from the second start on: files are in the system's cache and Python's are compiled. The port "
    "is open before the worker and the networks are loaded; requests wait for them.",
    run,
)
