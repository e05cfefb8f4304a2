"""Real servers for tests: Redis, PostgreSQL and an S3-compatible store, on loopback.

Each has a folder of its own and is gone at the end. Where a program is missing the test is skipped,
or fails if REQUIRE_SERVERS is set, as `.ci/run` does.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE_S = 30.0
PASSWORD = "geheim-und-lang"
_HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port: int = free.getsockname()[1]
        return port


def program(name: str, package: str, *places: str) -> str:
    """The path of a program; without it the test that asks is skipped."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))
    if found is None:
        reason = f"{name} is not here: apt-get install {package}"
        if os.environ.get("REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Server:
    """A process that can be stopped and started again on the same port with the same data."""

    def __init__(self, command: Sequence[str], port: int, user: str | None = None) -> None:
        self.port = port
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        wait_for(self._answers)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self._command
        try:
            socket.create_connection((_HOST, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def wait_for(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, "this never came true"
        time.sleep(0.02)


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        # PostgreSQL would wait for its clients to leave
        server.stop(signal.SIGINT)


class Redis(Server):
    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@{_HOST}:{self.port}/0"


@contextmanager
def redis(folder: Path) -> Iterator[Redis]:
    """Keeps nothing on disk: after a restart every message is lost, which is the worst case."""
    port = free_port()
    command = [
        program("redis-server", "redis-server"), "--port", str(port), "--bind", _HOST,
        "--dir", str(folder), "--save", "", "--appendonly", "no", "--requirepass", PASSWORD,
    ]  # fmt: skip
    server = Redis(command, port)
    with _running(server):
        yield server


class Postgres(Server):
    @property
    def url(self) -> str:
        return f"postgresql://pose:{PASSWORD}@{_HOST}:{self.port}/postgres"

    def empty(self) -> None:
        """Drop all tables, as a new database has none."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """With the user `pose`; run as the user `postgres` where the tests are root's."""
    places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    initdb = program("initdb", "postgresql", *places)
    user = "postgres" if os.geteuid() == 0 else None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pose-postgres-") as home:
        folder = Path(home)
        (folder / "password").write_text(PASSWORD)
        if user is not None:
            owner = pwd.getpwnam(user)
            for path in (folder, folder / "password"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        subprocess.run(
            [initdb, "-D", home + "/data", "-U", "pose", "--auth=scram-sha-256", "--no-sync",
             f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C"],
            check=True, capture_output=True, user=user, cwd="/",
        )  # fmt: skip
        command = [
            str(Path(initdb).with_name("postgres")), "-D", home + "/data", "-p", str(port),
            "-c", f"listen_addresses={_HOST}", "-c", f"unix_socket_directories={home}",
        ]  # fmt: skip
        server = Postgres(command, port, user)
        with _running(server):
            wait_for(lambda: _takes_logins(server.url))
            yield server


def _takes_logins(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


class ObjectStore(Server):
    @property
    def endpoint(self) -> str:
        return f"http://{_HOST}:{self.port}"

    @property
    def url(self) -> str:
        """With a bucket `pose`, and credentials in the address."""
        return f"s3://pose-user:{PASSWORD}@pose/clips?endpoint_url={self.endpoint}"


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """moto: S3 in memory. It takes any credentials."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", _HOST, "-p", str(port)]
    store = ObjectStore(command, port)
    with _running(store):
        make_bucket(store, "pose")
        yield store


def make_bucket(store: ObjectStore, name: str) -> None:
    import s3fs

    files = s3fs.S3FileSystem(
        key="k", secret="s", client_kwargs={"endpoint_url": store.endpoint},
        skip_instance_cache=True,
    )  # fmt: skip
    files.mkdir(name)
