"""Whole processes of the service, as a user starts them, to be killed, paused and cut off."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from servers import free_port, wait_for
from toy_engine import build_toy
from toy_plug_in import PLUG_IN, SlowAndMortalDetector
from werkzeug.test import TestResponse

from pose_service.app import create_app
from pose_service.core.config import Settings
from pose_service.engines.seam import Engine
from pose_service.runtime.hub import ModelHub

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
TIMEOUT_S = 3.0
"""How long a worker may be silent in these tests."""

FRONT = {"POSE_FRONT_ONLY": "true", "POSE_BODY": "toy_engine:body"}

Body = dict[str, Any]


def multipart(file: bytes, **fields: str) -> bytes:
    """A form with the file part `video`, of the boundary `limit`."""
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = '--limit\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    return "".join([*parts, head]).encode() + file + b"\r\n--limit--\r\n"


class Process:
    """`python -m pose_service COMMAND` in a session of its own."""

    def __init__(self, command: str, log: Path, environ: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", "pose_service", command]
        self._log = log
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def signal(self, number: int) -> None:
        """To all of it: gunicorn is two processes."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait(PATIENCE_S)
            self._process = None

    def stop(self) -> int:
        """As whoever runs it asks; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""


@dataclass
class Cluster:
    """A front and workers on one database, queue and storage, each machine with its own folder."""

    folder: Path
    settings: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def add(self, name: str, command: str, **settings: str) -> Process:
        environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("POSE_")},
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(PLUG_IN)]),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "POSE_ENGINE": "toy",
            "POSE_STATE_DIR": str(self.folder / name),
            "POSE_MEDIA_ROOTS": str(self.folder),
            "POSE_WORKER_TIMEOUT_S": str(TIMEOUT_S),
            **self.settings,
            **settings,
        }
        process = Process(command, self.folder / f"{name}.log", environ)
        self.processes[name] = process
        process.start()
        return process

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Body]:
        """One request; whatever goes wrong on the way is an `OSError`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        data = None if body is None else json.dumps(body).encode()
        try:
            named = {"Content-Type": "application/json", **headers}
            connection.request(method, path, data, named)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (http.client.HTTPException, json.JSONDecodeError) as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def patiently(self, method: str, path: str, body: object = None, **headers: str) -> Body:
        """The answer of a front that may be dead for the moment, as a good client gets it."""
        found: list[Body] = []

        def answered() -> bool:
            try:
                status, answer = self.ask(method, path, body, **headers)
            except OSError:
                time.sleep(0.1)
                return False
            if status in (429, 503):
                time.sleep(0.1)
                return False
            assert status < 400, (status, answer, self.logs())
            found.append(answer)
            return True

        wait_for(answered, PATIENCE_S)
        return found[0]

    def ready(self) -> None:
        """Until the front lives and so many workers as were added tell that they are ready."""
        workers = sum(name.startswith("worker") for name in self.processes)

        def all_there() -> bool:
            health = self.patiently("GET", "/health")
            states = [worker["status"] for worker in health["workers"]]
            return health["ready"] and states.count("ready") >= max(1, workers)

        wait_for(all_there, PATIENCE_S)

    def submit(self, clip: Path, key: str | None = None, **fields: object) -> str:
        """A clip's job id; sent again with the same key until it is taken."""
        body = {"video_path": str(clip), "async": True, "mesh": False, **fields}
        key = key or str(uuid.uuid4())
        answer = self.patiently("POST", "/pose/video", body, **{"Idempotency-Key": key})
        job_id: str = answer["job_id"]
        return job_id

    def upload(self, clip: Path) -> str:
        """The job id of a clip that is sent as a file."""
        data = multipart(clip.read_bytes(), **{"async": "true", "mesh": "false"})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        connection.request("POST", "/pose/video", data, kind)
        job_id: str = json.loads(connection.getresponse().read())["job_id"]
        connection.close()
        return job_id

    def jobs(self) -> list[Body]:
        listed: list[Body] = self.patiently("GET", "/jobs?limit=500")["jobs"]
        return listed

    def job(self, job_id: str) -> Body:
        return self.patiently("GET", f"/jobs/{job_id}")

    def finished(self, job_id: str) -> Body:
        wait_for(lambda: self.job(job_id)["done"], PATIENCE_S)
        return self.job(job_id)

    def all_done(self, patience_s: float = PATIENCE_S) -> list[Body]:
        wait_for(lambda: all(job["done"] for job in self.jobs()), patience_s)
        return self.jobs()

    def result(self, job_id: str) -> list[Body]:
        """The frames, without what differs from run to run."""
        frames = self.patiently("GET", f"/pose/video/status/{job_id}")["result"]["frames"]
        for frame in frames:
            del frame["processing_time_ms"]
        kept: list[Body] = frames
        return kept

    def log_of(self, job_id: str) -> list[str]:
        logs: str = self.patiently("GET", f"/logs/{job_id}")["logs"]
        return [line.partition(" ")[2] for line in logs.splitlines()]

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{it.log[-3000:]}" for name, it in self.processes.items())


@contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Everything is killed at the end."""
    it = Cluster(folder, settings)
    try:
        yield it
    finally:
        for process in it.processes.values():
            process.kill()


@dataclass(frozen=True)
class Answer:
    status: int
    body: Body
    headers: dict[str, str]


class Inside:
    """The service within this process, so that a test can reach its clock and its waits."""

    def __init__(self, folder: Path, frame_s: float = 0.02, **values: object) -> None:
        self.settings = Settings.model_validate(
            {
                "state_dir": folder / "state",
                "media_roots": (folder,),
                "worker_timeout_s": 2,
                **values,
            }
        )

        def build(settings: Settings) -> tuple[Engine, str]:
            engine, reason = build_toy(settings)
            return replace(engine, detector=SlowAndMortalDetector(frame_s)), reason

        self._app = create_app(self.settings, hub=ModelHub(self.settings, build))
        self.service = self._app.extensions["pose_service"]

    def __enter__(self) -> "Inside":
        self.service.hub.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()

    def get(self, path: str) -> "Answer":
        return self._answer(self._app.test_client().get(path))

    def post(self, path: str, **request: Any) -> "Answer":
        return self._answer(self._app.test_client().post(path, **request))

    def _answer(self, response: TestResponse) -> "Answer":
        return Answer(response.status_code, response.get_json(), dict(response.headers))

    def submit(self, clip: Path) -> str:
        answer = self.post("/pose/video", json={"video_path": str(clip), "async": True})
        assert answer.status == 202, answer.body
        job_id: str = answer.body["job_id"]
        return job_id

    def frames_done(self, job_id: str) -> int:
        done: int = self.service.jobs.get(job_id).progress.frames_done
        return done

    def state(self, job_id: str) -> str:
        state: str = self.service.jobs.get(job_id).state.value
        return state


@dataclass(frozen=True)
class Count:
    """The figures of a fault test."""

    submitted: int
    completed: int
    failed: int
    lost: int
    duplicated: int
    interrupted: int
    seconds: float

    @classmethod
    def of(cls, it: Cluster, ids: list[str], began_s: float) -> "Count":
        jobs = {job["job_id"]: job for job in it.jobs()}
        states = [jobs[job_id]["state"] if job_id in jobs else "lost" for job_id in ids]
        twice = [
            job_id
            for job_id in ids
            if sum(line.startswith("complete") for line in it.log_of(job_id)) > 1
        ]
        return cls(
            submitted=len(ids),
            completed=states.count("complete"),
            failed=states.count("error"),
            lost=states.count("lost"),
            duplicated=len(jobs) - len(set(ids)) + len(twice),
            interrupted=sum(job["attempts"] > 1 for job in jobs.values()),
            seconds=round(time.monotonic() - began_s, 1),
        )


def told(disabled: Callable[[], AbstractContextManager[None]], what: str, count: Count) -> None:
    """Figures belong into the log of the tests, passed or not."""
    with disabled():
        sys.stdout.write(f"\n{what}: {count}\n")
