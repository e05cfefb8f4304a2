"""What commands on files of this machine share: the nets, and paths that fail early."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_service.commands.arguments import Arguments
from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError
from pose_service.engines.registry import choose
from pose_service.rendering.style import OverlayStyle
from pose_service.runtime.hub import ModelHub

LOAD_WAIT_S = 600.0


@contextmanager
def nets(settings: Settings) -> Iterator[ModelHub]:
    """The hub with its engine loaded; `EngineError` with the remedy if there is none."""
    choose(settings)
    hub = ModelHub(settings)
    hub.start()
    try:
        hub.wait(LOAD_WAIT_S)
        yield hub
    finally:
        hub.stop()


def check_input(path: Path) -> Path:
    """`path` if it is a file that can be read."""
    path = path.expanduser()
    if not path.exists():
        raise BadPathError(f"{path} does not exist", hint="Give the path of a file.")
    if path.is_dir():
        raise BadPathError(f"{path} is a folder", hint="Give one file in it.")
    if not os.access(path, os.R_OK):
        raise BadPathError(f"{path} may not be read", hint="Change its permissions.")
    return path


def check_output(path: Path) -> Path:
    """`path` if a file can be written there: known before the work, not after."""
    path = path.expanduser()
    folder = path.absolute().parent
    if path.is_dir():
        raise BadPathError(f"{path} is a folder", hint="Give the name of the file to write.")
    if not folder.is_dir():
        raise BadPathError(f"{folder} is no folder", hint=f"Make it first: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        raise BadPathError(f"{folder} may not be written", hint="Choose another folder.")
    return path


def overlay_style(arguments: Arguments) -> OverlayStyle:
    """How `--overlay` is drawn."""
    return OverlayStyle(arguments.layers, arguments.side_view, arguments.face_blur)
