"""A service that is killed while it makes an avatar makes exactly that one after its restart."""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers import free_port, wait_for
from toy_engine import picture

from pose_service.media.images import encode_png

ROOT = Path(__file__).resolve().parents[2]
USER = "ann"


@contextmanager
def server(state_dir: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("POSE_")},
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "HOST": "127.0.0.1", "PORT": str(port), "POSE_STATE_DIR": str(state_dir), **settings,
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "tests" / "avatar_server.py")]
    with (state_dir / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        wait_for(lambda: process.poll() is not None or ask(port, "GET", "/health"))
        yield process
    finally:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: object = None) -> Any:
    """The answer; None while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    data = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, data, {"Content-Type": "application/json"})
        return json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("die_at", ["fit", "record"])
def test_an_avatar_whose_process_was_killed_is_made_once_after_the_restart(
    tmp_path: Path, die_at: str
) -> None:
    image = base64.b64encode(encode_png(picture((100, 40, 160, 200)))).decode()
    body = {"user_id": USER, "gender": "male", "image_base64": image}
    port = free_port()
    with server(tmp_path, port, DIE_AT=die_at) as process:
        # it may die before it has answered
        ask(port, "POST", "/avatar", body)
        assert process.wait(20) == -signal.SIGKILL
    with server(tmp_path, port):
        [queued] = ask(port, "GET", "/jobs")["jobs"]
        job_path = f"/avatar/job/{queued['job_id']}"
        wait_for(lambda: ask(port, "GET", job_path)["done"])
        assert ask(port, "GET", job_path)["status"] == "complete"
        listed = ask(port, "GET", f"/avatar/{USER}/versions")["versions"]
        assert [one["version"] for one in listed] == [1]
        assert ask(port, "GET", f"/jobs/{queued['job_id']}")["attempts"] == 2
    # of the first try nothing is left, not even where its files were stored already
    sources = [path for path in tmp_path.rglob("source.*") if path.is_file()]
    assert [path.parent.name for path in sources] == ["2"]
