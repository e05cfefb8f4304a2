"""The scripts as a user runs them: environment, start and stop, smoke and coverage tests."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from makers import clip_file

from pose_service.commands.selftest import drawn_person

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_S = 60
CLIP_FRAMES = 6

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts are for bash")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=10 * WAIT_S,
        env={**os.environ, **environment},
        check=False,
    )


def in_bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `script` with the functions of scripts/environment.sh."""
    return run("bash", "-euc", f'. "{ROOT}/scripts/environment.sh"; {script}', **environment)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project under a path with spaces, with this very environment as its `.venv`."""
    folder = tmp_path_factory.mktemp("my projects") / "pose service"
    folder.mkdir()
    for path in (ROOT / "start-pose-service.sh", *ROOT.glob("requirements*.txt")):
        shutil.copy(path, folder)
    for name in ("pose_service", "scripts", "gunicorn.conf.py"):
        (folder / name).symlink_to(ROOT / name)
    venv = folder / ".venv"
    venv.mkdir()
    for path in Path(sys.prefix).iterdir():
        (venv / path.name).symlink_to(path)
    (venv / ".stamp").unlink(missing_ok=True)
    stamp = in_bash(f'stamp_of "{folder}/requirements.txt"').stdout
    (venv / ".stamp").write_text(stamp)
    return folder


class Service:
    """A service that was started by the script."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = log

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=WAIT_S) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def wait_until(self, status: str, path: str = "/health") -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            # a connection made while the port opens was reset once in some hundred starts
            with suppress(urllib.error.URLError, ConnectionResetError):
                answer = self.ask(path)
                if answer["status"] == status:
                    return answer
            time.sleep(0.05)
        raise AssertionError(f"{path} never said {status}: {self.log.read_text()}")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(WAIT_S)

    def signal_group(self, number: int) -> None:
        """As a terminal does on Ctrl-C: to the master and its worker."""
        os.killpg(self.process.pid, number)


@contextmanager
def started(project: Path, folder: Path, **environment: str) -> Iterator[Service]:
    """The service, started in `folder`/cwd without networks; it is ended whatever happens."""
    (folder / "cwd").mkdir(exist_ok=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    settings = {
        "HOME": str(folder / "cwd"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "POSE_ENGINE": "embedded",
        "POSE_DATA_DIR": str(folder / "data"),
        "POSE_STATE_DIR": str(folder / "state"),
        "POSE_WEIGHTS_MIRROR": "http://127.0.0.1:9",
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", str(project / "start-pose-service.sh")],
            cwd=folder / "cwd",
            env={**os.environ, **settings, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service = Service(process, port, log)
    try:
        yield service
    finally:
        if process.poll() is None:
            service.signal_group(signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def serving(
    project: Path, network_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service that is ready, with the networks of this machine."""
    folder = tmp_path_factory.mktemp("serving")
    with started(project, folder, POSE_DATA_DIR=str(network_dir.parent)) as service:
        service.wait_until("ready")
        yield service


def test_the_smoke_test_passes_on_a_running_service(serving: Service) -> None:
    smoke = run("bash", ROOT / "scripts/test-flask-wrapper.sh", serving.url)
    assert "FAIL" not in smoke.stdout
    assert (smoke.returncode, smoke.stdout.count("OK ")) == (0, 9)


def test_the_smoke_test_fails_where_nobody_answers() -> None:
    smoke = run("bash", ROOT / "scripts/test-flask-wrapper.sh", "http://127.0.0.1:9")
    assert smoke.returncode == 1
    assert "OK " not in smoke.stdout


@pytest.fixture
def coverage() -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here")
    return [node, str(ROOT / "scripts/test-frame-coverage.js")]


@pytest.fixture
def standing(tmp_path: Path) -> Path:
    """A short clip of the drawn person."""
    return clip_file(tmp_path / "standing still.mp4", CLIP_FRAMES * [drawn_person()])


def test_the_coverage_test_counts_every_frame(
    serving: Service, coverage: list[str], standing: Path
) -> None:
    counted = run(*coverage, standing, "--url", serving.url, "--expect", str(CLIP_FRAMES))
    assert (counted.returncode, counted.stderr) == (0, "")
    assert f"OK    {CLIP_FRAMES} of {CLIP_FRAMES} frames" in counted.stdout


def test_the_coverage_test_fails_when_frames_are_missing(
    serving: Service, coverage: list[str], standing: Path
) -> None:
    counted = run(*coverage, standing, "--url", serving.url, "--expect", "140")
    assert counted.returncode == 1
    assert f"expected 140 frames, got {CLIP_FRAMES}" in counted.stdout


@pytest.mark.parametrize("arguments", [[], ["nowhere.mp4"], ["a", "b"], ["--nonsense"]])
def test_the_coverage_test_says_what_it_cannot_try(
    coverage: list[str], arguments: list[str]
) -> None:
    refused = run(*coverage, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1


def test_a_second_start_names_the_port_in_use_and_ends(serving: Service, project: Path) -> None:
    second = run(
        "bash",
        project / "start-pose-service.sh",
        HOST="127.0.0.1",
        PORT=str(serving.port),
        POSE_ENGINE="embedded",
    )
    assert second.returncode == 2
    assert f"port {serving.port} is in use by this service itself" in second.stderr
    assert "set PORT" in second.stderr


def test_without_networks_it_serves_and_says_what_to_do(project: Path, tmp_path: Path) -> None:
    with started(project, tmp_path) as service:
        health = service.wait_until("not_ready")
        assert "fetch-weights" in health["error"]
        assert service.stop() == 0
    assert "Serving all the same" in service.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_in_flight_is_answered_before_the_service_stops(
    project: Path, tmp_path: Path, number: int
) -> None:
    body = b'{"image_base64": ""}'
    head = (
        f"POST /pose/hybrid HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
    )
    with started(project, tmp_path) as service:
        service.wait_until("not_ready")
        with socket.create_connection(("127.0.0.1", service.port), timeout=WAIT_S) as client:
            client.sendall(head.encode())
            assert b"100 Continue" in client.recv(100)
            service.signal_group(number)
            _wait_for(lambda: "Handling signal" in service.log.read_text())
            client.sendall(body)
            assert client.recv(100).startswith(b"HTTP/1.1 400")
        assert service.process.wait(WAIT_S) == 0
    assert "Traceback" not in service.log.read_text()


def test_a_clip_in_hand_goes_on_after_a_restart(
    project: Path, network_dir: Path, tmp_path: Path
) -> None:
    clip = clip_file(tmp_path / "long.mp4", 150 * [drawn_person()])
    data = {"POSE_DATA_DIR": str(network_dir.parent), "POSE_MEDIA_ROOTS": str(tmp_path)}
    with started(project, tmp_path, **data) as service:
        service.wait_until("ready")
        job = service.ask("/pose/video", {"video_path": str(clip), "async": True, "mesh": False})
        status = f"/pose/video/status/{job['job_id']}"
        service.wait_until("processing", status)
        assert service.stop() == 0
    with started(project, tmp_path, **data) as service:
        assert service.wait_until("complete", status)["result"]["total_frames"] == 150


def test_nothing_is_left_in_the_folder_it_was_started_from(project: Path, tmp_path: Path) -> None:
    with started(project, tmp_path) as service:
        service.wait_until("not_ready")
        service.stop()
    assert list((tmp_path / "cwd").iterdir()) == []


def test_an_environment_is_made_once_and_again_only_when_it_must_be(tmp_path: Path) -> None:
    venv, listed = tmp_path / "my venv", tmp_path / "requirements.txt"
    listed.write_text("# nothing\n")
    ensure = f'ensure_environment "{venv}" "{listed}"'
    here = {"PYTHON": sys.executable}

    assert "Preparing" in in_bash(ensure, **here).stdout
    assert (venv / "bin/python").exists()
    assert in_bash(ensure, **here).stdout == ""

    listed.write_text("# nothing else\n")
    assert "Preparing" in in_bash(ensure, **here).stdout

    (venv / "bin/python").unlink()
    assert "Preparing" in in_bash(ensure, **here).stdout
    assert (venv / "bin/python").exists()


def test_an_installation_that_failed_is_not_taken_for_done(tmp_path: Path) -> None:
    listed = tmp_path / "requirements.txt"
    listed.write_text(f"{tmp_path}/no-such-package.whl\n")
    ensure = f'ensure_environment "{tmp_path}/venv" "{listed}"'
    for _ in range(2):
        failed = in_bash(ensure, PYTHON=sys.executable)
        assert failed.returncode == 1
        assert "could not be installed" in failed.stderr


def test_what_is_listed_alone_is_installed_last_and_without_what_it_asks_for(
    tmp_path: Path,
) -> None:
    python, log, listed = tmp_path / "python", tmp_path / "log", tmp_path / "requirements.txt"
    python.write_text(f'#!/bin/sh\necho "$@" >>"{log}"\n')
    python.chmod(0o755)
    install = f'install_packages "{python}" "{listed}" ""'
    listed.write_text("# nothing\n")
    assert in_bash(install).returncode == 0
    assert len(log.read_text().splitlines()) == 1

    alone = tmp_path / "requirements-alone.txt"
    alone.write_text("# nothing\n")
    assert in_bash(install).returncode == 0
    _, with_all, without = log.read_text().splitlines()
    assert with_all.endswith(f"-r {listed}")
    assert without.endswith(f"--no-deps -r {alone}")


def test_a_python_that_is_too_old_or_does_not_run_is_passed_over(tmp_path: Path) -> None:
    for name, body in {"python3.13": "exit 127", "python3.12": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python3.11").symlink_to(sys.executable)
    found = in_bash("find_python", PATH=f"{tmp_path}:/usr/bin:/bin", PYTHON="")
    assert found.stdout == "python3.11\n"


def test_without_python_it_says_how_to_get_one(tmp_path: Path) -> None:
    nothing = in_bash(f'PATH="{tmp_path}"; find_python', PYTHON="")
    assert nothing.returncode == 1
    assert "sudo apt-get install python3.12 python3.12-venv" in nothing.stderr
    assert "brew install" in nothing.stderr


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
