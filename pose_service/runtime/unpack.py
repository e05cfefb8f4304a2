"""Single files out of archives. No path that an archive gives is ever written to."""

import lzma
import posixpath
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pose_service.core.files import FileSource, OfficialFile, Packing
from pose_service.runtime.fetch import CHUNK_BYTES, FetchError

# OSError: gzip's and bzip2's own errors are such
_DAMAGE = (
    OSError, EOFError, NotImplementedError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)


@dataclass(frozen=True)
class PackedFile:
    """One file and the `name` it gets; its content comes in `pieces`, to be used up in turn."""

    file: OfficialFile
    size_bytes: int
    pieces: Iterator[bytes]
    name: str


def is_packed(path: Path, packing: Packing) -> bool:
    """Whether the file `path` is an archive of this kind, whatever its name."""
    if packing is Packing.TAR:
        return tarfile.is_tarfile(path)
    return packing is Packing.ZIP and zipfile.is_zipfile(path)


def unpack(
    packed: Path, source: FileSource, wanted: tuple[OfficialFile, ...]
) -> Iterator[PackedFile]:
    """Each of `wanted` out of the archive `packed`, in the archive's order.

    A tar archive may be compressed or not, whatever its name says. Raises `FetchError` where the
    archive is damaged, lacks a file, or has something else than a plain file in its place.
    """
    members = {member: file for member, file in source.members if file in wanted}
    opened = _of_zip if source.packing is Packing.ZIP else _of_tar
    with _damage_told(packed, source):
        for each in opened(packed, members):
            yield replace(each, pieces=_telling(each.pieces, packed, source))


def _of_zip(packed: Path, wanted: Mapping[str, OfficialFile]) -> Iterator[PackedFile]:
    with zipfile.ZipFile(packed) as archive:
        names = {member: _in_zip(member, archive.namelist()) for member in wanted}
        _expect_all(packed, wanted, {member for member, name in names.items() if name})
        for member, file in wanted.items():
            info = archive.getinfo(names[member])
            with archive.open(info) as stream:
                yield PackedFile(file, info.file_size, _pieces(stream), file.name)


def _in_zip(member: str, names: list[str]) -> str:
    """The name of `member` in the archive; empty where it is missing, or could be several."""
    if not member.startswith("*/"):
        return member if member in names else ""
    fitting = [name for name in names if f"/{name}".endswith(member[1:])]
    return fitting[0] if len(fitting) == 1 else ""


def _of_tar(packed: Path, wanted: Mapping[str, OfficialFile]) -> Iterator[PackedFile]:
    found: set[str] = set()
    with tarfile.open(packed, "r:*") as archive:
        for member in archive:
            name = posixpath.normpath(member.name)
            if name not in wanted or name in found:
                continue
            found.add(name)
            pieces = _pieces(_plain(packed, archive, member))
            yield PackedFile(wanted[name], member.size, pieces, wanted[name].name)
            if found == wanted.keys():
                return
    _expect_all(packed, wanted, found)


def _plain(packed: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    """The content of a member that is a file, and not a link, a device or mostly holes."""
    stream = archive.extractfile(member) if member.type in _PLAIN else None
    if stream is None or member.issparse():
        raise FetchError(
            f"{packed}: {member.name} is no plain file. Nothing of it was written",
            hint="Delete this archive; it is not the one that was meant.",
        )
    return stream


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK_BYTES):
        yield piece


def _telling(pieces: Iterator[bytes], packed: Path, source: FileSource) -> Iterator[bytes]:
    """`pieces`, whose reading happens outside of `unpack`, with damage told as it tells it."""
    with _damage_told(packed, source):
        yield from pieces


def _expect_all(packed: Path, wanted: Mapping[str, OfficialFile], found: set[str]) -> None:
    if missing := [member for member in wanted if member not in found]:
        raise FetchError(
            f"{packed} has no {', '.join(missing)}",
            hint="It ends early, or is another archive than the one that was meant.",
        )


@contextmanager
def _damage_told(packed: Path, source: FileSource) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        # tarfile lists on further lines what else it tried
        detail = str(error).partition("\n")[0].rstrip(":")
        raise FetchError(
            f"{packed} is not {source.packing.value} that is whole ({detail})",
            hint=f"Give {source.name}, the archive meant, or a folder with its files.",
        ) from error
