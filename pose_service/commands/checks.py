"""What the service needs, looked at one thing at a time, each with what to do about it."""

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pose_service.bodies.anny import DATA_FILE
from pose_service.commands.engine_checks import ROOT, cuda, files, nets_packages, packages
from pose_service.commands.findings import Finding, State
from pose_service.commands.pose2d_checks import nets_2d
from pose_service.core.config import Settings, known_names, unknown_names
from pose_service.core.errors import EngineError, PoseError
from pose_service.engines.registry import choose
from pose_service.runtime.listening import check_port, health_at, urls

REQUIREMENTS = ROOT / "requirements.txt"
PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 14)
# Packages with compiled parts, which can be installed and still not load.
COMPILED = ("numpy", "cv2", "av", "PIL.Image", "orjson", "ai_edge_litert.interpreter")
LITTLE_SPACE_BYTES = 2_000_000_000


def examine(settings: Settings, *, full: bool = False) -> Iterator[Finding]:
    """Everything but the engine at work, which `selftest` tries; `full` reads large files, too."""
    yield python()
    yield from packages(REQUIREMENTS)
    yield from compiled_parts()
    yield engine(settings)
    yield from files(settings, full=full)
    yield from nets_packages(settings)
    yield from nets_2d(settings, full=full)
    yield free_body()
    yield folder("POSE_DATA_DIR", settings.data_dir)
    yield folder("POSE_STATE_DIR", settings.state_dir)
    yield port(settings)
    yield from given_settings()
    yield cuda()
    yield Finding("ffmpeg", State.OK, "not needed: the package av brings what is used")


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    detail = f"{version}, {sys.executable}"
    if PYTHON_FROM <= sys.version_info[:2] < PYTHON_BELOW:
        return Finding("Python", State.OK, detail)
    return Finding("Python", State.PROBLEM, detail, "Install Python 3.11, 3.12 or 3.13.")


def compiled_parts() -> Iterator[Finding]:
    """A problem for every compiled package that does not load here."""
    for name in COMPILED:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            remedy = "Install it again, or the system library that it names."
            yield Finding(f"import {name}", State.PROBLEM, str(error), remedy)


def engine(settings: Settings) -> Finding:
    try:
        recipe, reason = choose(settings)
    except EngineError as error:
        return Finding("engine", State.PROBLEM, str(error), error.hint or "See the files below.")
    return Finding("engine", State.OK, f"{recipe.name} ({reason})")


def free_body() -> Finding:
    """The body of the embedded engine, which comes with the source."""
    if DATA_FILE.is_file():
        return Finding("free body", State.OK, str(DATA_FILE))
    return Finding("free body", State.PROBLEM, f"{DATA_FILE} is missing", "Clone the source again.")


def folder(name: str, path: Path) -> Finding:
    """Whether files can be written into `path`, or into where it would be made."""
    existing = next(
        parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists()
    )
    remedy = f"Set {name} to a folder that you may write in."
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(name, State.PROBLEM, f"{existing} cannot be written", remedy)
    free = shutil.disk_usage(existing).free
    detail = f"{path}, {free / 1e9:.1f} GB free"
    if free < LITTLE_SPACE_BYTES:
        return Finding(name, State.NOTE, detail, f"Free some space, or set {name} elsewhere.")
    return Finding(name, State.OK, detail)


def port(settings: Settings) -> Finding:
    health = health_at(settings.port)
    if health is not None:
        detail = f"this service answers on {settings.port}: {health.get('status')}"
        return Finding("port", State.OK, f"{detail}, engine {health.get('engine')}")
    try:
        check_port(settings)
    except PoseError as error:
        return Finding("port", State.PROBLEM, str(error), error.hint)
    return Finding("port", State.OK, f"{settings.port} is free; {', '.join(urls(settings))}")


def given_settings() -> Iterator[Finding]:
    """What the environment sets, and what it tries to set."""
    given = [f"{name}={os.environ[name]}" for name in known_names() if os.environ.get(name)]
    yield Finding("settings", State.OK, ", ".join(given) or "all at their defaults")
    for name in unknown_names():
        yield Finding(
            name, State.NOTE, "is no setting of this version", "Look it up in the README's table."
        )
