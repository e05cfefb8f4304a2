"""Callers that hang up in the middle: nothing is left behind, and the service goes on."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from faults_kit import Cluster, cluster, multipart
from makers import clip_file
from servers import wait_for
from toy_engine import picture

pytestmark = pytest.mark.faults


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    """A single machine."""
    with cluster(tmp_path, TOY_FRAME_S="0.005") as it:
        it.add("service", "serve")
        it.ready()
        yield it


def _descriptors(it: Cluster) -> int:
    """Of gunicorn's worker process, but for its pool of database connections.

    The pool keeps what was once needed at the same time: on a busy machine a keeper thread and a
    request meet, and the pool has one connection (three files) more from then on. That is no leak.
    """
    [worker] = psutil.Process(it.processes["service"].pid).children()
    pooled = [file for file in worker.open_files() if ".sqlite" in Path(file.path).name]
    return worker.num_fds() - len(pooled)


def test_uploads_that_break_off_leave_nothing_behind(one: Cluster, tmp_path: Path) -> None:
    uploads = tmp_path / "service" / "uploads"
    body = multipart(bytes(1_000_000))
    head = (
        f"POST /pose/video HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
    ).encode()
    one.patiently("GET", "/health")
    before = _descriptors(one)
    for part in (0, 1, 100, 500_000, len(body) - 10):
        with socket.create_connection(("127.0.0.1", one.port)) as line:
            line.sendall(head + body[:part])
            if part > 1000:
                wait_for(lambda: os.listdir(uploads))
    wait_for(lambda: not os.listdir(uploads))
    assert one.jobs() == []
    assert one.patiently("GET", "/health")["ready"] is True
    wait_for(lambda: _descriptors(one) <= before + 2)


def test_answers_that_nobody_reads_to_their_end_are_put_away(
    one: Cluster, clips: list[Path]
) -> None:
    job_id = one.submit(clips[0], mesh=True, precision=9)
    one.finished(job_id)
    before = _descriptors(one)
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", one.port)) as line:
            line.sendall(f"GET /pose/video/status/{job_id} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            line.recv(100)
    wait_for(lambda: _descriptors(one) <= before + 2)
    assert len(one.result(job_id)) == 20


def test_followers_that_hang_up_free_their_threads(one: Cluster, tmp_path: Path) -> None:
    long = clip_file(tmp_path / "long.mp4", [picture((40, 40, 90, 200))] * 3000)
    job_id = one.submit(long)
    # more than may follow at once, one after the other
    for _ in range(12):
        with socket.create_connection(("127.0.0.1", one.port)) as line:
            line.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(0.4)
    one.patiently("DELETE", f"/jobs/{job_id}")


def test_a_followers_events_arrive_as_they_happen(one: Cluster, tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "clip.mp4", [picture((40, 40, 90, 200))] * 300)
    job_id = one.submit(clip)
    arrived: list[tuple[float, int]] = []
    with socket.create_connection(("127.0.0.1", one.port)) as line, line.makefile("rb") as file:
        line.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        for text in file:
            if text.startswith(b"data: "):
                job = json.loads(text[6:])
                arrived.append((time.monotonic(), job["progress"]["frames_done"]))
                if job["done"]:
                    break
    assert arrived[-1][1] == 300
    assert arrived[-1][0] - arrived[0][0] > 0.8, "they did not come all at once"
    assert len({done for _, done in arrived}) > 3
