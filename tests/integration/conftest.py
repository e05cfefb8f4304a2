"""Fixtures of tests with real networks on real media, and with the tiny 4dhumans engine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import official_files as official
import pytest
from file_server import mirror_of
from fourdhumans_kit import Files, Machine, free_port
from tiny_fourdhumans import PLUG_IN

from pose_service.blazepose.files import DETECTOR_FILE, LANDMARK_FILE
from pose_service.core.config import known_names, read_settings


@pytest.fixture(scope="session")
def network_dir() -> Path:
    """Folder of the BlazePose networks, as `python -m pose_service fetch-weights` leaves it."""
    folder = read_settings().data_dir / "networks"
    missing = [
        file.name for file in (DETECTOR_FILE, LANDMARK_FILE) if not (folder / file.name).is_file()
    ]
    if missing:
        pytest.skip(
            f"{folder} has no {' and '.join(missing)}: run `python -m pose_service fetch-weights`"
        )
    return folder


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Machine]:
    """An empty machine with the tiny engine plugged in, and a mirror that has nothing yet."""
    machine = Machine(tmp_path, capsys)
    machine.mirror.mkdir()
    with mirror_of(machine.mirror) as url:
        for name in (*known_names(), "FVCORE_CACHE"):
            monkeypatch.delenv(name, raising=False)
        environment = {
            "HOME": tmp_path / "home", "POSE_ENGINE": "4dhumans", "POSE_DEVICE": "cpu",
            "POSE_DATA_DIR": machine.data, "POSE_STATE_DIR": tmp_path / "state",
            "POSE_WEIGHTS_MIRROR": url, "PORT": free_port(), "no_proxy": "127.0.0.1",
        }  # fmt: skip
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.syspath_prepend(str(PLUG_IN))
        yield machine


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HMR 2.0's files as its archive has them, and what `fetch-weights` makes of everything."""
    folder = tmp_path_factory.mktemp("originals")
    official.write_tree(folder / "tree")
    official.write_files(folder / "data")
    official.write_body(folder / official.HANDED_OUT_BODY)
    return folder


@pytest.fixture
def installed(machine: Machine, originals: Path) -> Files:
    """All files where they belong, by name; they may be replaced, not written into."""
    shutil.copytree(originals / "data", machine.data, copy_function=os.link)
    return {path.name: path for path in machine.data.rglob("*.*") if path.is_file()}
