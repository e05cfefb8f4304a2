"""`bench`: run one of the measurements in `benchmarks/`."""

import subprocess
import sys
from pathlib import Path

import pose_service
from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError

ROOT = Path(pose_service.__file__).resolve().parent.parent


def run(arguments: Arguments, settings: Settings) -> int:
    known = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    if arguments.name is None and known:
        console.print("\n".join(known))
        return 0
    if arguments.name not in known:
        raise BadPathError(
            f"there is no benchmark {arguments.name!r} in {ROOT / 'benchmarks'}",
            hint=f"Benchmarks: {', '.join(known) or 'none; they come with the source tree'}.",
        )
    command = [sys.executable, str(known[arguments.name]), *arguments.rest]
    return subprocess.run(command, check=False).returncode
