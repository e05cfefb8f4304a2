"""`serve`: the HTTP service, until Ctrl-C or SIGTERM."""

import os
import sys
from pathlib import Path

import pose_service
from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.core.config import Settings
from pose_service.runtime.listening import check_port, in_wsl, urls

ROOT = Path(pose_service.__file__).resolve().parent.parent
APP = "pose_service.app:create_app()"


def run(arguments: Arguments, settings: Settings) -> int:
    check_port(settings)
    _announce(settings)
    if os.name == "posix":
        _become_gunicorn()
    return _serve_on_windows(settings)


def _announce(settings: Settings) -> None:
    console.print(f"pose-service {pose_service.__version__} answers at")
    for url in urls(settings):
        console.print(f"  {url}")
    if in_wsl():
        console.print("  (programs on Windows: localhost, or the second address if that fails)")
    console.print("Stop with Ctrl-C.")


def _become_gunicorn() -> None:
    """This process becomes gunicorn, so that signals reach it directly."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), APP]
    sys.stdout.flush()
    os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": path})


def _serve_on_windows(settings: Settings) -> int:
    from pose_service.app import create_app

    console.print("gunicorn does not run on Windows: Flask's own server is used; WSL is better.")
    app = create_app(settings)
    try:
        app.run(settings.host, settings.port, threaded=True)
    finally:
        app.extensions["pose_service"].stop()
    return 0
