"""Files on their way into `POSE_DATA_DIR`: unpacked or copied, checked, then given their name."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource, OfficialFile, Packing
from pose_service.runtime.fetch import FetchError, check_space, sha256_of
from pose_service.runtime.unpack import PackedFile, unpack
from pose_service.runtime.weights import inspect, lacking, own_folder

Report = Callable[[str, int, int | None], None]
"""Called with the stage, how much of it is done and how much there is (None: not known)."""

_log = logging.getLogger(__name__)


def _to_nobody(_stage: str, _done: int, _total: int | None) -> None: ...


@dataclass(frozen=True)
class Delivery:
    """One source on its way into the folder of its files."""

    source: FileSource
    settings: Settings
    report: Report = _to_nobody

    @property
    def folder(self) -> Path:
        return own_folder(self.source.files[0], self.settings)

    @property
    def lacking(self) -> tuple[OfficialFile, ...]:
        return lacking(self.source, self.settings)


def deliver(path: Path, delivery: Delivery, folder: Path) -> None:
    """The lacking files out of `path`, which is the source itself, by way of `folder`."""
    source = delivery.source
    if source.packing is Packing.NONE:
        (file,) = source.files
        _accept(path, file, trusted=False)
        path.replace(delivery.folder / file.name)
        return
    trusted = _has_known_hash(path, delivery)
    for each in unpack(path, source, delivery.lacking):
        install(each, delivery, folder, trusted=trusted)


def install(packed: PackedFile, delivery: Delivery, folder: Path, *, trusted: bool) -> None:
    """Write and check in `folder`, then move: a file in its place is always whole."""
    file = packed.file
    check_space(folder, packed.size_bytes)
    part = folder / packed.name
    done = 0
    try:
        with part.open("wb") as out:
            for piece in packed.pieces:
                out.write(piece)
                done += len(piece)
                delivery.report(f"writing {packed.name}", done, packed.size_bytes)
        _accept(part, file, trusted=trusted)
        part.replace(delivery.folder / packed.name)
    finally:
        part.unlink(missing_ok=True)


def _accept(path: Path, file: OfficialFile, *, trusted: bool) -> None:
    """Raise `FetchError` unless `path` is `file`: by a hash, or else by its content.

    `trusted`: the archive that it came in had the hash that is known.
    """
    try:
        inspect(path, file, file.remedy)
        if trusted or file.check is None:
            return
        if file.sha256 is not None:
            found = sha256_of(path)
            if found == file.sha256:
                return
            _warn_of_hash(file.name, found, file.sha256)
        file.check(path)
    except EngineError as error:
        raise FetchError(
            f"{file.name} in the source is not the wanted file: {error}",
            hint="Give the archive itself, or files that were taken out of it unchanged.",
        ) from error


def _has_known_hash(path: Path, delivery: Delivery) -> bool:
    source = delivery.source
    if source.sha256 is None:
        return False
    delivery.report(f"checking {path.name}", 0, None)
    found = sha256_of(path)
    if found != source.sha256 and not source.hash_decides:
        _warn_of_hash(path.name, found, source.sha256)
    return found == source.sha256


def _warn_of_hash(name: str, found: str, known: str) -> None:
    _log.warning(
        "%s has the SHA-256 %s; the one that is known is %s. What is in it decides.",
        name, found, known,
    )  # fmt: skip
