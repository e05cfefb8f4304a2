"""`python -m pose_service jobs`: of this machine, of a service, once and watched."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pose_service.commands import job_list, jobs, main
from pose_service.commands.job_list import JobLine, in_order
from pose_service.commands.job_table import plain_lines, table_of
from pose_service.core.config import Settings
from pose_service.jobs.database import open_database
from pose_service.jobs.records import Failure, Job, Progress
from pose_service.jobs.roster import Roster, WorkerRecord
from pose_service.jobs.store import JobStore

RUNS = JobLine("1" * 36, "processing", "/clips/run.mp4", 0, "tracking", 40, 140, 20.0, 5.0)
WAITS = JobLine("2" * 36, "queued", "C:\\clips\\wait.mp4", 1)
FAILED = JobLine("3" * 36, "error", "bad.mp4", error="BAD_VIDEO: no video stream")


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def three_jobs(state_dir: Path) -> None:
    """One that runs, one that waits, one that failed."""
    state_dir.mkdir()
    database = open_database(Settings(state_dir=state_dir))
    store = JobStore(database)
    Roster(database).beat(WorkerRecord("worker", "here:1"))
    for at in range(3):
        job_id = f"{at:08}-0000-4000-8000-000000000000"
        store.add(Job(job_id, "/clips/a.mp4", f"/clips/{at}.mp4", 1000.0 + at))
    first, second = (store.claim_next("worker") for _ in range(2))
    assert first is not None and second is not None
    store.fail(first, Failure("no video stream", "BAD_VIDEO", 400))
    store.progress(second, Progress("tracking", 40, 140))
    store.close()


@pytest.mark.usefixtures("three_jobs")
def test_the_jobs_of_this_machine_are_listed_with_their_state_and_progress(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["jobs"]) == 0
    heading, runs, waits, failed, counts = capsys.readouterr().out.splitlines()
    assert heading.split() == [
        "state", "place", "stage", "progress", "rate", "left", "job", "clip", "error",
    ]  # fmt: skip
    assert "processing" in runs and "tracking" in runs and "40/140 28%" in runs
    assert "00000001-0000-4000-8000-000000000000  1.mp4" in runs
    assert waits.split()[:2] == ["queued", "1"]
    assert failed.endswith("0.mp4  BAD_VIDEO: no video stream")
    assert counts == "1 processing, 1 queued, 1 error"


@pytest.mark.usefixtures("three_jobs")
def test_only_the_last_jobs_are_listed_where_so_many_are_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["jobs", "--limit", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 queued"


def test_where_nothing_ever_ran_nothing_is_made(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no jobs"
    assert not state_dir.exists()


def listed(*records: dict[str, Any]) -> bytes:
    return json.dumps({"jobs": records, "next": None, "counts": {}}).encode()


RECORD = {
    "job_id": "1" * 36, "state": "processing", "video_path": "/clips/a\x1b[2J.mp4",
    "queue_position": 0, "error": None, "error_type": None,
    "progress": {"stage": "tracking", "frames_done": 40, "frames_total": 140, "rate_fps": 20.0,
                 "seconds_left": 5.0},
}  # fmt: skip


@contextmanager
def service(body: Callable[[str], bytes], status: int = 200) -> Iterator[str]:
    """A server that answers each path with `body(path)`; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = body(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_jobs_of_a_service_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def body(path: str) -> bytes:
        asked.append(path)
        return listed(RECORD, {"job_id": "2" * 36, "state": "queued", "queue_position": 1})

    with service(body) as url:
        assert main(["jobs", "--url", f"{url}/", "--limit", "7"]) == 0
    said = capsys.readouterr().out
    assert asked == ["/jobs?limit=7"]
    assert "40/140 28%  20.0/s  0:00:05" in said
    assert said.endswith("1 processing, 1 queued\n")
    assert "\x1b" not in said, "a clip's name could steer the terminal"


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"<html>", 200, "does not answer with a list of jobs"),
        (b"[]", 200, "does not answer with a list of jobs"),
        (b'{"jobs": [{"state": "queued"}]}', 200, "does not answer with a list of jobs"),
        (b'{"jobs": [1]}', 200, "does not answer with a list of jobs"),
        (b"{}", 404, "cannot be read: HTTP Error 404"),
    ],
)
def test_an_answer_that_is_no_list_is_one_line_and_exit_code_2(
    body: bytes, status: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with service(lambda path: body, status) as url:
        assert main(["jobs", "--url", url]) == 2
    said = capsys.readouterr().err
    assert complaint in said and said.count("\n") == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "localhost:5000", "ftp://me:hush@host"])
def test_nobody_at_the_address_is_one_line_without_the_password(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["jobs", "--url", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    assert "hush" not in said


class Looks:
    """What is there at each look; an error is raised; after the last one comes Ctrl-C."""

    def __init__(self, *given: list[JobLine] | Exception) -> None:
        self.given = [*given]

    def __call__(self, limit: int) -> list[JobLine]:
        if not self.given:
            raise KeyboardInterrupt
        now = self.given.pop(0)
        if isinstance(now, Exception):
            raise now
        return now


def watched(monkeypatch: pytest.MonkeyPatch, *looks: list[JobLine] | Exception) -> None:
    given = Looks(*looks)
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(jobs, "jobs_here", lambda settings, limit: given(limit))


def test_watching_without_a_terminal_prints_what_has_changed_until_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched(monkeypatch, [WAITS], [WAITS], [WAITS], [FAILED])
    assert main(["jobs", "--watch"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith(("1 ", "no"))] == ["1 queued", "1 error"]


def test_watching_on_a_terminal_shows_bars_and_outlives_a_restart_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=160, markup=False)
    monkeypatch.setattr(jobs, "console", terminal)
    gone = job_list.JobListError("http://x/jobs cannot be read")
    watched(monkeypatch, [RUNS], [RUNS], gone, [FAILED])
    assert main(["jobs", "--watch"]) == 0
    shown = screen.getvalue()
    assert "━━" in shown and "20.0/s" in shown
    assert "http://x/jobs cannot be read" in shown
    assert "BAD_VIDEO: no video stream" in shown


def test_once_on_a_terminal_is_a_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=160, highlight=False)
    monkeypatch.setattr(jobs, "console", terminal)
    watched(monkeypatch, [RUNS, WAITS])
    assert main(["jobs"]) == 0
    assert "━━" in screen.getvalue() and "1 processing, 1 queued" in screen.getvalue()


def test_a_bar_is_as_long_as_its_share() -> None:
    screen = io.StringIO()
    half = JobLine("1" * 36, "processing", "a.mp4", 0, "tracking", 70, 140)
    Console(file=screen, force_terminal=True, width=160, color_system="truecolor").print(
        table_of([half], 160)
    )
    done, _, rest = screen.getvalue().partition("╺")
    assert (done.count("━"), rest.count("━")) == (10, 9)


@pytest.mark.parametrize(("width", "shown"), [(80, "1" * 8), (160, "1" * 36)])
def test_ids_are_cut_where_a_terminal_is_narrow(width: int, shown: str) -> None:
    screen = io.StringIO()
    Console(file=screen, width=width).print(table_of([RUNS], width))
    assert shown in screen.getvalue()
    assert ("1" * 9 in screen.getvalue()) == (len(shown) > 8)


def test_columns_stand_below_each_other() -> None:
    heading, *lines = plain_lines([RUNS, WAITS, FAILED])
    assert {line.index("mp4") - len(name) - 1 for line, name in zip(
        lines, ("run", "wait", "bad"), strict=True
    )} == {heading.index("clip")}  # fmt: skip


def test_what_runs_comes_first_and_what_waits_in_its_order() -> None:
    second = JobLine("4" * 36, "queued", "b.mp4", 2)
    given = [FAILED, second, WAITS, RUNS]
    assert in_order(given) == [RUNS, WAITS, second, FAILED]


def test_a_clip_of_unknown_length_and_no_rate_is_listed_too() -> None:
    unknown = JobLine("5" * 36, "processing", "a.mp4", 0, "loading", 3, None, None, None)
    (line,) = plain_lines([unknown])[1:]
    assert "loading  3" in line
    assert table_of([unknown], 160).row_count == 1
