"""A user's machine with the tiny 4dhumans engine, and files that are not what they should be."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import official_files as official
import pytest
import standin_hmr2
import standin_vitdet
from flask.testing import FlaskClient

from pose_service.app import create_app
from pose_service.commands import main
from pose_service.hmr2.config import TINY
from pose_service.phalp.files import PHALP_EXTRA_SOURCES, PHALP_SOURCES

PATIENCE_S = 30.0
FETCH = ("fetch-weights", "4dhumans")
REMEDY = "Run `python -m pose_service fetch-weights 4dhumans`."
PHALP_NAMES = {
    file.name for source in (*PHALP_SOURCES, *PHALP_EXTRA_SOURCES) for file in source.files
}
OTHER_HMR2 = replace(TINY, backbone=replace(TINY.backbone, blocks=4))

Files = dict[str, Path]


class Touch:
    """Pickles as a command that leaves a file behind when it is run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (f"touch {self.path}",)


@dataclass(frozen=True)
class Machine:
    """A user's machine: what the mirror has, and where the service keeps its files."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def mirror(self) -> Path:
        return self.folder / "mirror"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def trace(self) -> Path:
        """What a hostile file leaves behind where it is run."""
        return self.folder / "trace"

    def run(self, *command: str | Path) -> tuple[int, str]:
        """Exit code, and all that was said."""
        self.capsys.readouterr()
        code = main([str(word) for word in command])
        return code, "".join(self.capsys.readouterr())

    def health(self) -> Any:
        with served() as client:
            return client.get("/health").get_json()


@contextmanager
def served() -> Iterator[FlaskClient]:
    """The service as the environment sets it, when it knows whether it can serve."""
    app = create_app()
    client = app.test_client()
    deadline = time.monotonic() + PATIENCE_S
    try:
        while client.get("/health").get_json()["status"] == "warming_up":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield client
    finally:
        app.extensions["pose_service"].stop()


def free_port() -> int:
    """One that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
    return port


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Another file in place of `path`, which may be a link to an original."""
    path.unlink(missing_ok=True)
    write(path)


def cut(path: Path, part: float) -> None:
    """Only the first `part`, 0 to 1, of `path`."""
    content = path.read_bytes()
    put(path, lambda path: path.write_bytes(content[: int(len(content) * part)]))


def flip(path: Path) -> None:
    """One bit in the middle, which is in the numbers."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    put(path, lambda path: path.write_bytes(content))


def page(path: Path) -> None:
    """What a network that wants a login answers, as long as any file."""
    path.write_bytes(b"<!DOCTYPE html><title>Log in</title>" + b" " * 9_000_000)


def another_detector(path: Path) -> None:
    """A checkpoint with a tensor of another name."""
    weights = standin_vitdet.weights("tiny")
    weights["backbone.net.of.another"] = weights.pop("backbone.net.pos_embed")
    official.write_detector(path, model=weights)


def another_checkpoint(path: Path) -> None:
    """A checkpoint with a layer more."""
    official.write_checkpoint(path, state_dict=standin_hmr2.official_state(OTHER_HMR2))
