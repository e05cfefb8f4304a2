"""Bring the files of an engine without a net: from a folder, an archive or a single file."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pose_service.core.errors import BadPathError
from pose_service.core.files import FileSource, OfficialFile, Packing
from pose_service.runtime.delivery import Delivery, deliver, install
from pose_service.runtime.fetch import CHUNK_BYTES
from pose_service.runtime.incoming import incoming
from pose_service.runtime.unpack import PackedFile, is_packed


def take_from(given: Path, deliveries: tuple[Delivery, ...]) -> None:
    """Copy or unpack what is lacking from `given`: a file, an archive, or a folder with such.

    The folder is searched with all below it. A file is known by its name, an archive by its name
    or, given by itself, by its content. What is not in `given` stays lacking; `BadPathError` if
    it has nothing that is wanted.
    """
    wanted = [delivery for delivery in deliveries if delivery.lacking]
    if not wanted:
        return
    names = [name for delivery in wanted for name in _names(delivery.source)]
    listed = " or ".join(dict.fromkeys(names))
    if not given.exists():
        raise BadPathError(f"{given} does not exist", hint=f"Give {listed}.")
    found = _by_name(given, frozenset(names))
    if given.is_file():
        found |= {each.source.name: given for each in wanted if _is_source(given, each.source)}
    if not found:
        what = "has none of the files" if given.is_dir() else "is none of the files"
        raise BadPathError(
            f"{given} {what} that are wanted", hint=f"Give {listed}, or a folder with any of them."
        )
    for delivery in wanted:
        _take(found, delivery)


def _take(found: Mapping[str, Path], delivery: Delivery) -> None:
    source = delivery.source
    with incoming(delivery.folder) as folder:
        for file in delivery.lacking:
            path = next((found[name] for name in file.names if name in found), None)
            if path is not None:
                install(_copied(path, file), delivery, folder, trusted=False)
        if source.packing is not Packing.NONE and source.name in found and delivery.lacking:
            deliver(found[source.name], delivery, folder)


def _copied(path: Path, file: OfficialFile) -> PackedFile:
    return PackedFile(file, path.stat().st_size, _pieces_of(path), path.name)


def _pieces_of(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while piece := stream.read(CHUNK_BYTES):
                yield piece
    except OSError as error:
        raise BadPathError(f"{path} cannot be read: {error.strerror}") from error


def _by_name(given: Path, wanted: frozenset[str]) -> dict[str, Path]:
    """The files of `wanted` names in the folder `given` and below, or `given` itself."""
    if given.is_file():
        return {given.name: given} if given.name in wanted else {}
    found: dict[str, Path] = {}
    for folder, _, names in os.walk(given):
        for name in sorted(wanted.intersection(names)):
            if os.path.isfile(os.path.join(folder, name)):
                found.setdefault(name, Path(folder, name))
    return found


def _is_source(given: Path, source: FileSource) -> bool:
    """Whether `given` is this archive under another name; what is in it will tell."""
    own_names = [name for file in source.files for name in file.names]
    return given.name not in own_names and is_packed(given, source.packing)


def _names(source: FileSource) -> list[str]:
    """What a user may hand over: the archive, or its files."""
    archive = [source.name] if source.packing is not Packing.NONE else []
    return [*archive, *(name for file in source.files for name in file.names)]
