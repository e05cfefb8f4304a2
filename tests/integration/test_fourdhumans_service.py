"""The scripts and the service of the 4dhumans engine as a user runs them: only the nets are tiny.

Set up from files that the user has, or fetched by the start script; a real server answers.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import official_files as official
import pytest
from file_server import mirror_of
from fourdhumans_kit import PHALP_NAMES
from official_answer import assert_official, request
from test_scripts import WAIT_S, Service, in_bash, run, started
from tiny_fourdhumans import PLUG_IN

from pose_service.hmr2.files import ARCHIVE, CHECKPOINT, EXTRA_JOINTS
from pose_service.vitdet.files import DETECTOR

ROOT = Path(__file__).resolve().parents[2]
PLUGGED_IN = {
    "PYTHONPATH": os.pathsep.join(map(str, (PLUG_IN, PLUG_IN.parent))),
    "POSE_DEVICE": "cpu",
    "OMP_NUM_THREADS": "1",
    "no_proxy": "127.0.0.1",
}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts are for bash")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project under a path with spaces, with this very environment as its `.venv`."""
    folder = tmp_path_factory.mktemp("my projects") / "pose service"
    folder.mkdir()
    scripts = (ROOT / "start-pose-service.sh", ROOT / "setup-4d-humans-wsl.sh")
    for path in (*scripts, *ROOT.glob("requirements*.txt")):
        shutil.copy(path, folder)
    for name in ("pose_service", "scripts", "gunicorn.conf.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        (folder / ".venv" / path.name).symlink_to(path)
    stamp = folder / ".venv" / ".stamp"
    stamp.unlink(missing_ok=True)
    stamp.write_text(in_bash(f'stamp_of "{folder}/requirements-4dhumans.txt"').stdout)
    return folder


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a user can have: the detector, HMR 2.0's archive and the licensed body."""
    folder = tmp_path_factory.mktemp("my downloads")
    official.write_mirror(folder, official.write_tree(tmp_path_factory.mktemp("tree")))
    official.write_body(folder / official.HANDED_OUT_BODY)
    return folder


@contextmanager
def fetching(project: Path, folder: Path, mirror: Path, **environment: str) -> Iterator[Service]:
    """The start script with `mirror` to fetch from."""
    with mirror_of(mirror) as url:
        settings = {"POSE_ENGINE": "4dhumans", "POSE_WEIGHTS_MIRROR": url}
        with started(project, folder, **PLUGGED_IN, **settings, **environment) as service:
            yield service


def test_the_start_script_fetches_serves_and_says_when_a_file_is_gone(
    project: Path, handed_out: Path, tmp_path: Path
) -> None:
    body = str(handed_out / official.HANDED_OUT_BODY)
    with fetching(project, tmp_path, handed_out, POSE_SMPL_FILE=body) as service:
        health = service.wait_until("ready")
        assert (health["engine"], health["device"]) == ("4dhumans", "cpu")
        assert_official(service.ask("/pose/hybrid", request()))
        assert service.stop() == 0
    log = service.log.read_text()
    assert f"fetching {ARCHIVE.name} 100%" in log
    assert "Traceback" not in log

    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (tmp_path / "data" / CHECKPOINT.folder / CHECKPOINT.name).unlink()
    with fetching(project, tmp_path, nothing, POSE_SMPL_FILE=body) as service:
        health = service.wait_until("not_ready")
        assert f"{CHECKPOINT.name} is missing" in health["error"]
        assert "Run `python -m pose_service fetch-weights 4dhumans`." in health["error"]
        assert service.stop() == 0
    assert "the server answers 404" in service.log.read_text()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's, without a card, with an environment of one's own."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("POSE_")}
    (tmp_path / "home").mkdir()
    return {
        **outside, **PLUGGED_IN,
        "HOME": str(tmp_path / "home"), "POSE_DATA_DIR": str(tmp_path / "my data"),
        "POSE_STATE_DIR": str(tmp_path / "state"), "POSE_VENV": sys.prefix,
    }  # fmt: skip


def set_up(
    project: Path, environment: dict[str, str], *options: str | Path
) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(project / "setup-4d-humans-wsl.sh"), "--no-gpu", *map(str, options)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_set_up_from_a_folder_the_line_it_prints_starts_the_service(
    project: Path, handed_out: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    done = set_up(project, environment, "--weights-from", handed_out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "It can serve." in done.stdout
    assert "[9/9] Ready" in done.stdout
    data = tmp_path / "my data"
    assert {path.name for path in data.rglob("*") if path.is_file()} == {
        DETECTOR.name, CHECKPOINT.name, EXTRA_JOINTS.name, official.HANDED_OUT_BODY, *PHALP_NAMES,
    }  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if line.endswith("pose_service serve")]
    (tmp_path / "start-pose-service.sh").write_text(line)
    assert shlex.split(line)[:2] == ["cd", str(project)]
    given = {key: environment[key] for key in ("HOME", "POSE_STATE_DIR", "PYTHONPATH")}
    with started(tmp_path, tmp_path, **given, POSE_PICTURE_SCORE="0.2") as service:
        assert service.wait_until("ready")["engine"] == "4dhumans"
        assert_official(service.ask("/pose/hybrid", request()))
        posted = run(sys.executable, ROOT / ".ci" / "post_picture.py", service.url)
        smoke = run("bash", ROOT / "scripts" / "test-flask-wrapper.sh", service.url)
        # to all of the group: bash, which runs the line, passes nothing on
        service.signal_group(signal.SIGTERM)
        service.process.wait(WAIT_S)
    assert posted.returncode == 0, posted.stderr
    assert smoke.returncode == 0, smoke.stdout
