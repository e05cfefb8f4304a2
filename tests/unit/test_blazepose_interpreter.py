"""A network file that is missing or damaged is told so, with what to do."""

import hashlib
from pathlib import Path

import pytest

from pose_service.blazepose.files import DETECTOR_FILE
from pose_service.blazepose.interpreter import Network
from pose_service.core.errors import EngineError


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"pose_detection\.tflite.*No such file") as caught:
        Network(tmp_path, DETECTOR_FILE)
    assert "fetch-weights" in caught.value.hint


def test_a_damaged_file_is_told_by_its_hash_before_it_is_run(tmp_path: Path) -> None:
    content = b"half a network"
    (tmp_path / DETECTOR_FILE.name).write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(EngineError, match=rf"expected 2959046 bytes.*got 14 bytes with {found}"):
        Network(tmp_path, DETECTOR_FILE)


def test_a_folder_in_place_of_the_file_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / DETECTOR_FILE.name).mkdir()
    with pytest.raises(EngineError, match="cannot be read"):
        Network(tmp_path, DETECTOR_FILE)
