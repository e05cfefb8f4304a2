"""MediaPipe's own Pose beside ours, run by a Python of its own."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import BenchmarkError
from pose_service.core.arrays import FloatArray

SCRIPT = Path(__file__).with_name("mediapipe_pose.py")
LIMIT_S = 120.0


def people_in(python: Path, paths: Sequence[Path]) -> dict[Path, list[FloatArray]]:
    """For each picture the people that MediaPipe sees, (33, 2) pixels each: one at most."""
    found = _run(python, "pictures", paths)
    return {path: [np.array(body) for body in found[str(path)]] for path in paths}


def clip_ms_per_frame(python: Path, path: Path) -> float:
    """What a frame of the clip costs MediaPipe: decoding, both nets, its smoothing; no body."""
    took = _run(python, "clip", [path])
    return float(took["ms"] / took["frames"])


def version(python: Path) -> str:
    """Of mediapipe."""
    code = "from importlib.metadata import version; print(version('mediapipe'))"
    done = subprocess.run([python, "-c", code], capture_output=True, check=False, text=True)
    if done.returncode:
        raise BenchmarkError(f"{python} has no mediapipe: give one that has by --mediapipe-python")
    return done.stdout.strip()


def _run(python: Path, what: str, paths: Sequence[Path]) -> dict[str, Any]:
    done = subprocess.run(
        [python, SCRIPT, what, *paths], capture_output=True, check=False, text=True, timeout=LIMIT_S
    )
    if done.returncode:
        raise BenchmarkError(f"{python} cannot run {SCRIPT.name}: {done.stderr[-500:]}")
    # mediapipe writes lines of its own
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
