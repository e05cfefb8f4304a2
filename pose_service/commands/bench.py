"""`bench`: run one of the measurements in `benchmarks/`, or all of them."""

import subprocess
import sys
from pathlib import Path

import pose_service
from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError

BENCHMARKS = Path(pose_service.__file__).resolve().parent.parent / "benchmarks"
ALL = "all"


def run(arguments: Arguments, settings: Settings) -> int:
    """`all` writes `docs/performance.md`; a single one prints its table."""
    found = sorted((BENCHMARKS / "measures").glob("[a-z]*.py"))
    known = [ALL, *(path.stem for path in found)] if found else []
    if arguments.name is None and known:
        console.print("\n".join(known))
        return 0
    if arguments.name not in known:
        raise BadPathError(
            f"there is no benchmark {arguments.name!r} in {BENCHMARKS}",
            hint=f"Benchmarks: {', '.join(known) or 'none; they come with the source tree'}.",
        )
    which = [] if arguments.name == ALL else ["--only", arguments.name]
    command = [sys.executable, str(BENCHMARKS / "run.py"), *which, *arguments.rest]
    return subprocess.run(command, check=False).returncode
