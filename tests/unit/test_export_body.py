"""The committed body file is what the export script makes."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from pose_service.bodies.anny import DATA_FILE

SCRIPT = Path(__file__).parents[2] / "scripts" / "export_body.py"
NEEDED = ("anny", "torch", "pymeshlab")


@pytest.mark.slow
def test_committed_body_is_made_again_by_the_script() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs requirements-dev.txt: {', '.join(missing)} not installed")
    made = subprocess.run(
        [sys.executable, str(SCRIPT), "--check", str(DATA_FILE)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
