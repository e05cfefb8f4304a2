"""Fixtures of tests that run real networks on real media."""

from pathlib import Path

import pytest

from pose_service.blazepose.files import DETECTOR_FILE, LANDMARK_FILE
from pose_service.core.config import read_settings


@pytest.fixture(scope="session")
def network_dir() -> Path:
    """Folder of the BlazePose networks, as `python -m pose_service fetch-weights` leaves it."""
    folder = read_settings().data_dir / "networks"
    missing = [
        file.name for file in (DETECTOR_FILE, LANDMARK_FILE) if not (folder / file.name).is_file()
    ]
    if missing:
        pytest.skip(
            f"{folder} has no {' and '.join(missing)}: run `python -m pose_service fetch-weights`"
        )
    return folder
