"""Where and with what the figures were measured."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.service import ROOT

SERVICE_PACKAGES = {
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "litert": "ai-edge-litert",
    "av": "av",
    "orjson": "orjson",
    "pillow": "pillow",
    "flask": "flask",
    "gunicorn": "gunicorn",
}
NET_PACKAGES = {
    "torch": "torch",
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "av": "av",
    "orjson": "orjson",
    "pillow": "pillow",
}


def describe(
    model_version: str, packages: Mapping[str, str] = SERVICE_PACKAGES, card: str = ""
) -> dict[str, Any]:
    """Machine, versions, date and commit, ready for JSON. `packages`: by the name shown."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "card": card,
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {name: version(package) for name, package in packages.items()},
        "model_version": model_version,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": _commit(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _commit() -> str:
    """The commit measured, marked where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty= with changes", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"
