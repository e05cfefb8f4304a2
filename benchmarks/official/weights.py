"""Files in the official formats and sizes with stand-in weights: every number from its name."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import official_files
import standin_hmr2
import standin_vitdet
import torch

from benchmarks.figures import BenchmarkError
from pose_service.bodies.smpl_files import NEUTRAL_BODY
from pose_service.core.files import OfficialFile
from pose_service.hmr2.config import FULL
from pose_service.hmr2.files import CHECKPOINT, EXTRA_JOINTS
from pose_service.vitdet.files import DETECTOR

NEEDED_BYTES = 5_700_000_000
# as the official file: arrays are stored as bytes
_PICKLE_PROTOCOL = 4


def write_stand_ins(data_dir: Path) -> Path:
    """All files of the engine below `data_dir`, as `POSE_DATA_DIR`; those that are there stay.

    Takes a minute and 3 GB of memory.
    """
    missing = {
        file: write for file, write in _WRITERS.items() if not _place(data_dir, file).exists()
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(data_dir).free
    if missing and free < NEEDED_BYTES:
        raise BenchmarkError(
            f"{data_dir} has {free / 1e9:.1f} GB left, stand-in weights take "
            f"{NEEDED_BYTES / 1e9:.1f}: give a folder with more by --weights"
        )
    for file, write in missing.items():
        path = _place(data_dir, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        # a broken-off file would be taken for a whole one the next time
        part = path.with_name(f"{path.name}.part")
        write(part)
        part.rename(path)
    return data_dir


def _place(data_dir: Path, file: OfficialFile) -> Path:
    return data_dir / file.folder / file.name


def _write_detector(path: Path) -> None:
    with path.open("wb") as target:
        content = {"model": standin_vitdet.weights("full"), "__author__": "stand-in"}
        pickle.dump(content, target, _PICKLE_PROTOCOL)


def _write_checkpoint(path: Path) -> None:
    torch.save({"epoch": 0, "state_dict": standin_hmr2.official_state(FULL)}, path)


_WRITERS: dict[OfficialFile, Callable[[Path], object]] = {
    DETECTOR: _write_detector,
    CHECKPOINT: _write_checkpoint,
    EXTRA_JOINTS: official_files.write_extra_joints,
    NEUTRAL_BODY: official_files.write_body,
}
