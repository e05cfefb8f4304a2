"""All of a clip's numbers as one `.npz` archive: a row for each person of each frame.

Arrays are filled on disk and packed from there, so that memory does not grow with the clip.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pose_service.core.records import Provenance
from pose_service.core.skeletons import SMPL24
from pose_service.export.posed import PosedFrame, PosedPerson

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PROVENANCES = tuple(word.value for word in Provenance)
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class ClipSize:
    """What must be known before the first row is written. `rotation_names` are the body's."""

    rows: int
    frames: int
    shape_numbers: int
    rotation_names: tuple[str, ...]


def arrays_file(frames: Iterable[PosedFrame], size: ClipSize) -> Iterator[bytes]:
    """The bytes of the archive, read by `np.load(file, allow_pickle=False)`."""
    with TemporaryDirectory(prefix="pose-service-") as scratch:
        folder = Path(scratch)
        arrays = {name: open_memmap(folder / f"{name}.npy", "w+", dtype, shape)
                  for name, (dtype, shape) in _columns(size).items()}  # fmt: skip
        _fill(arrays, frames)
        _constants(folder, size)
        for array in arrays.values():
            array.flush()
        yield from _packed(folder)


def _columns(size: ClipSize) -> dict[str, tuple[type, tuple[int, ...]]]:
    joints, rotations = len(SMPL24), len(size.rotation_names)
    of_row = {
        "frame_index": (np.int64, ()),
        "track_id": (np.int64, ()),
        "provenance": (np.uint8, ()),
        "confidence": (np.float32, ()),
        "tracking_confidence": (np.float32, ()),
        "box_xyxy_px": (np.float32, (4,)),
        "joints_cam_m": (np.float32, (joints, 3)),
        "joints_px": (np.float32, (joints, 2)),
        "joint_confidence": (np.float32, (joints,)),
        "rotations": (np.float32, (rotations, 3, 3)),
        "translation_m": (np.float32, (3,)),
        "shape": (np.float32, (size.shape_numbers,)),
    }
    columns = {name: (dtype, (size.rows, *shape)) for name, (dtype, shape) in of_row.items()}
    return {**columns, "frame_time_s": (np.float64, (size.frames,)), "camera": (np.float64, (3,))}


def _fill(arrays: Mapping[str, NDArray[Any]], frames: Iterable[PosedFrame]) -> None:
    row = 0
    for posed in frames:
        camera = posed.frame.camera
        arrays["camera"][:] = camera.focal_px, camera.width_px, camera.height_px
        arrays["frame_time_s"][posed.frame.index] = posed.frame.time_s
        for one in posed.people():
            for name, value in _row(posed, one).items():
                arrays[name][row] = value
            row += 1


def _row(posed: PosedFrame, one: PosedPerson) -> dict[str, Any]:
    person = one.person
    return {
        "frame_index": posed.frame.index,
        "track_id": person.track_id,
        "provenance": PROVENANCES.index(person.provenance.value),
        "confidence": person.confidence,
        "tracking_confidence": person.tracking_confidence,
        "box_xyxy_px": person.box_xyxy_px,
        "joints_cam_m": one.joints_cam_m,
        "joints_px": posed.frame.camera.project(one.joints_cam_m),
        "joint_confidence": person.joint_confidence,
        "rotations": person.pose.rotations[0],
        "translation_m": one.translation_m,
        "shape": person.pose.shapes[0],
    }


def _constants(folder: Path, size: ClipSize) -> None:
    """Names, so that the file explains itself."""
    names = {
        "joint_names": SMPL24.joints,
        "rotation_names": size.rotation_names,
        "provenance_names": PROVENANCES,
    }
    for name, words in names.items():
        np.save(folder / f"{name}.npy", np.array(words))


def _packed(folder: Path) -> Iterator[bytes]:
    """A zip archive of the files, as it comes about."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            # more than 2 GB can come; the size is not told before the content in a stream
            with path.open("rb") as file, archive.open(path.name, "w", force_zip64=True) as member:
                while piece := file.read(_PIECE_BYTES):
                    member.write(piece)
                    yield sink.taken()
    yield sink.taken()


class _Sink(RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self._held += memoryview(data)
        return memoryview(data).nbytes

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken
