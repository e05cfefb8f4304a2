"""The real service in a process of its own, and a client that asks it as the back end does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from benchmarks.figures import BenchmarkError, Setup
from benchmarks.stopwatch import SECONDS_TO_MS

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
SERVE = ("-m", "pose_service", "serve")
SERVE_TOYS = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "benchmarks.toy_service:serve()")
START_LIMIT_S = 60.0
ANSWER_LIMIT_S = 400.0
STOP_LIMIT_S = 20.0
_POLL_S = 0.005
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Reply:
    """`ms` from the first byte sent to the last one read; `data` only where it was kept."""

    ms: float
    size_bytes: int
    data: bytes


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """One connection that stays open from request to request."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=ANSWER_LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(
        self, path: str, fields: Mapping[str, Any], *, keep: bool = False, packed: bool = False
    ) -> Reply:
        """Ask, and read the answer piece by piece; `packed` takes it with gzip."""
        encoding = "gzip" if packed else "identity"
        headers = {"Content-Type": "application/json", "Accept-Encoding": encoding}
        return self.ask(Asked("POST", path, json.dumps(fields).encode(), headers), keep=keep)

    def get(self, path: str) -> Any:
        """The JSON at `path`."""
        return json.loads(self.ask(Asked("GET", path), keep=True).data)

    def ask(self, asked: Asked, *, status: int = 200, keep: bool = False) -> Reply:
        """The answer, which is to have `status`."""
        started = time.perf_counter()
        self._connection.request(asked.method, asked.path, asked.body, dict(asked.headers))
        response = self._connection.getresponse()
        if response.status != status:
            raise BenchmarkError(f"{asked.path}: {response.status} {response.read(300)!r}")
        kept, size_bytes = [], 0
        while piece := response.read(_PIECE_BYTES):
            size_bytes += len(piece)
            if keep:
                kept.append(piece)
        ms = SECONDS_TO_MS * (time.perf_counter() - started)
        return Reply(ms, size_bytes, b"".join(kept))


@dataclass(frozen=True)
class RunningService:
    """A service that was started here. `started_s`: when, by `time.perf_counter`."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    started_s: float

    def wait_open(self) -> float:
        """Seconds from the start until the port takes connections."""
        while not _is_open(self.port):
            self._wait_a_little("did not open its port")
        return time.perf_counter() - self.started_s

    def wait_answer(self) -> float:
        """Seconds from the start until `/health` is answered."""
        self.wait_open()
        self._health()
        return time.perf_counter() - self.started_s

    def wait_ready(self) -> float:
        """Seconds from the start until `/health` says that the engine is ready."""
        self.wait_open()
        while not self._health()["ready"]:
            self._wait_a_little("was not ready")
        return time.perf_counter() - self.started_s

    def _health(self) -> dict[str, Any]:
        connection = HTTPConnection(HOST, self.port, timeout=START_LIMIT_S)
        try:
            connection.request("GET", "/health")
            health: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if health["error"]:
            raise BenchmarkError(f"the service cannot serve: {health['error']}")
        return health

    def _wait_a_little(self, complaint: str) -> None:
        too_late = time.perf_counter() - self.started_s > START_LIMIT_S
        if too_late or self.process.poll() is not None:
            raise BenchmarkError(f"the service {complaint}: {self.log.read_text()[-2000:]}")
        time.sleep(_POLL_S)


@contextmanager
def serving(
    setup: Setup, command: Sequence[str] = SERVE, settings: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """A service on a free port with a state folder of its own; ended whatever happens.

    `settings`: variables of its environment beside those that follow from `setup`.
    """
    port = _free_port()
    log = setup.scratch / f"service-{port}.log"
    with log.open("wb") as file:
        started_s = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**_environment(setup, port), **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield RunningService(process, port, log, started_s)
        finally:
            _end(process)


def _environment(setup: Setup, port: int) -> dict[str, str]:
    paths = (ROOT, ROOT / "tests")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("POSE_")},
        "HOST": HOST,
        "PORT": str(port),
        "POSE_ENGINE": setup.settings.engine,
        "POSE_DATA_DIR": str(setup.settings.data_dir),
        "POSE_STATE_DIR": str(setup.scratch / f"state-{port}"),
        "POSE_MEDIA_ROOTS": f"{setup.media}:{setup.scratch}",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        # its workers are in the session that was made for it
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=START_LIMIT_S):
            return True
    except ConnectionRefusedError:
        return False
