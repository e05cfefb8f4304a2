"""Load both nets in a process of their own, as the engine does, and print as JSON what it took.

`python -m benchmarks.official.load_nets DATA_DIR fp32|bf16|fp16 cpu|cuda`
"""

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.official.bench import DTYPES
from benchmarks.official.clock import seconds
from pose_service.core.files import OfficialFile
from pose_service.fourdhumans.sizes import OFFICIAL
from pose_service.hmr2 import checkpoint as hmr2_checkpoint
from pose_service.hmr2.files import CHECKPOINT
from pose_service.vitdet import checkpoint as vitdet_checkpoint
from pose_service.vitdet.files import DETECTOR
from pose_service.vitdet.ops import available_ops

_CHUNK_BYTES = 2**24


@dataclass(frozen=True)
class Place:
    """Where a net goes, and in which numbers."""

    device: torch.device
    half: torch.dtype | None


def _load_vitdet(path: Path, to: Place) -> torch.nn.Module:
    ops, _ = available_ops()
    return vitdet_checkpoint.load_file(
        path, OFFICIAL.detector, ops, device=to.device, half=to.half, remedy=""
    )


def _load_hmr2(path: Path, to: Place) -> torch.nn.Module:
    return hmr2_checkpoint.load_file(
        path, OFFICIAL.regressor, device=to.device, half=to.half, remedy=""
    )


NETS: Mapping[str, tuple[OfficialFile, Callable[[Path, Place], torch.nn.Module]]] = {
    "ViTDet-H": (DETECTOR, _load_vitdet),
    "HMR 2.0": (CHECKPOINT, _load_hmr2),
}


def main(data_dir: str, precision: str, kind: str) -> None:
    to = Place(torch.device(kind), None if precision == "fp32" else DTYPES[precision])
    torch.zeros(1, device=to.device)
    paths = {name: Path(data_dir) / file.folder / file.name for name, (file, _) in NETS.items()}
    read_s = {name: _read_s(path) for name, path in paths.items()}
    before_kb, own_before_kb, disk_before = most_kb(), own_kb(), bytes_from_disk()
    nets: list[torch.nn.Module] = []
    first_s = {name: _load_s(name, path, to, nets) for name, path in paths.items()}
    took = {
        "file_bytes": sum(path.stat().st_size for path in paths.values()),
        "disk_bytes": bytes_from_disk() - disk_before,
        "peak_bytes": 1024 * (most_kb() - before_kb),
        "own_bytes": 1024 * (own_kb() - own_before_kb),
    }
    nets.clear()
    gc.collect()
    again_s = {name: _load_s(name, path, to, nets) for name, path in paths.items()}
    print(json.dumps({**took, "read_s": read_s, "first_s": first_s, "again_s": again_s}))


def _load_s(name: str, path: Path, to: Place, nets: list[torch.nn.Module]) -> float:
    """Loads into `nets`, so that both are held at the end."""
    _, load = NETS[name]
    return seconds(lambda: nets.append(load(path, to)), to.device)


def _read_s(path: Path) -> float:
    """Seconds to read the file from the disk; afterwards the kernel does not hold it, either."""
    _forget(path)
    taken_s = seconds(lambda: _read(path), torch.device("cpu"))
    _forget(path)
    return taken_s


def _forget(path: Path) -> None:
    """Have the kernel drop what it keeps of the file."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(_CHUNK_BYTES):
            pass


def most_kb() -> int:
    """The most memory that this process ever held, pages of mapped files included.

    Not `ru_maxrss`, which begins with what the process held that started this one.
    """
    return _counts("status")["VmHWM"]


def own_kb() -> int:
    """What it holds now without pages of files, which the kernel may drop."""
    return _counts("status")["RssAnon"]


def bytes_from_disk() -> int:
    return _counts("io")["read_bytes"]


def _counts(name: str) -> dict[str, int]:
    """The numbers in one of the process's files in `/proc`."""
    lines = (line.split() for line in Path("/proc/self", name).read_text().splitlines())
    return {
        words[0].rstrip(":"): int(words[1]) for words in lines if words[1:2] and words[1].isdigit()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
