"""The service behind a real gunicorn: what a test client cannot show."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract_kit import ROOT, as_base64, check, person_png, strictly_parsed

PATIENCE_S = 30.0
"""Far longer than a start takes."""

MEGABYTE = 1024 * 1024


class Server:
    """A gunicorn process on a free port."""

    def __init__(self, folder: Path, **settings: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        here = Path(__file__).resolve().parent
        paths = [ROOT, here, here.parent]
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("POSE_")},
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "POSE_STATE_DIR": str(folder / "state"),
            "POSE_MAX_BODY_MB": "1",
            **settings,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py")]
        self.log = folder / "log.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "toy_server:serve()"], cwd=folder, env=environ, stdout=log, stderr=log
            )

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers)  # type: ignore[arg-type]
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                self.ask("GET", "/health")
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def _frame_body() -> bytes:
    return b'{"image_base64": "' + as_base64(person_png()).encode() + b'"}'


def test_a_frame_is_answered(server: Server) -> None:
    status, data = server.ask(
        "POST", "/pose/hybrid", _frame_body(), **{"Content-Type": "application/json"}
    )
    assert status == 200
    check("PoseHybridResponse", strictly_parsed(data))


@pytest.mark.parametrize("size", [2 * MEGABYTE, 40 * MEGABYTE])
def test_a_body_over_the_limit_gets_its_answer_although_it_is_not_read(
    server: Server, size: int
) -> None:
    """A connection that is cut while the client still sends would hide the reason."""
    status, data = server.ask(
        "POST", "/pose/hybrid", bytes(size), **{"Content-Type": "application/json"}
    )
    assert status == 413
    check("Error", strictly_parsed(data))


def test_a_chunked_body_is_read_and_a_chunked_body_over_the_limit_is_413(server: Server) -> None:
    headers = {"Content-Type": "application/json"}
    good = _frame_body()
    pieces = (good[i : i + 1000] for i in range(0, len(good), 1000))
    status, data = server.ask("POST", "/pose/hybrid", pieces, **headers)
    assert (status, strictly_parsed(data)["keypoint_count"]) == (200, 24)
    large = (bytes(64 * 1024) for _ in range(32))
    status, data = server.ask("POST", "/pose/hybrid", large, **headers)
    assert status == 413
    check("Error", strictly_parsed(data))
    assert server.ask("GET", "/health")[0] == 200


def test_the_server_stops_cleanly(server: Server) -> None:
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_server_asked_for_json_logs_nothing_else(tmp_path: Path) -> None:
    server = Server(tmp_path, POSE_LOG_FORMAT="json")
    server.wait()
    server.ask("POST", "/pose/hybrid", _frame_body(), **{"Content-Type": "application/json"})
    assert server.stop() == 0
    lines = [strictly_parsed(line) for line in server.log.read_bytes().splitlines()]
    assert {"gunicorn.error", "pose_service.app"} <= {line["logger"] for line in lines}
    (picture,) = (line for line in lines if line.get("route") == "/pose/hybrid")
    assert picture["status"] == 200 and picture["request_id"]
