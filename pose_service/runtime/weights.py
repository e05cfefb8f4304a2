"""Files that engines need: find, verify and fetch them. Nothing in them is ever run."""

import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError, EngineError
from pose_service.core.files import WeightArchive, WeightFile
from pose_service.runtime.fetch import (
    FetchError,
    Progress,
    RemoteFile,
    check_space,
    fetch,
    sha256_of,
)

DEFAULT_HOST = "https://files.pythonhosted.org"
REMEDY = "Run `python -m pose_service fetch-weights embedded`."


def networks_dir(settings: Settings) -> Path:
    """The folder that the files of all engines lie in."""
    return settings.data_dir / "networks"


def verified(file: WeightFile, folder: Path, *, remedy: str = REMEDY) -> Path:
    """The path of `file` in `folder`, its size and SHA-256 checked; else `EngineError`."""
    path = folder / file.name
    if not path.is_file():
        raise EngineError(f"{path} is missing: {file.purpose}", hint=remedy)
    size = path.stat().st_size
    if size != file.size_bytes:
        raise EngineError(
            f"{path} is damaged: expected {file.size_bytes} bytes, got {size}", hint=remedy
        )
    if sha256_of(path) != file.sha256:
        raise EngineError(f"{path} is damaged: its SHA-256 is not {file.sha256}", hint=remedy)
    return path


def lacking(archive: WeightArchive, folder: Path) -> tuple[WeightFile, ...]:
    """The files of `archive` that are not in `folder`, or not as they should be."""
    return tuple(file for _, file in archive.members if not _is_there(file, folder))


def fetch_archive(
    archive: WeightArchive,
    folder: Path,
    *,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Bring every file of `archive` into `folder`; files that are there and whole stay.

    The archive itself is fetched into `folder` and removed afterwards. `mirror` replaces
    `https://files.pythonhosted.org` at the beginning of its address.
    """
    wanted = lacking(archive, folder)
    if not wanted:
        return
    url = archive.url.replace(DEFAULT_HOST, mirror.rstrip("/")) if mirror else archive.url
    with _writing_into(folder):
        check_space(folder, archive.size_bytes + sum(file.size_bytes for file in wanted))
        remote = RemoteFile(url, archive.size_bytes, archive.sha256)
        path = fetch(remote, folder / archive.name, progress)
        try:
            _unpack(path, archive, folder)
        finally:
            path.unlink()


def take_from(source: Path, archive: WeightArchive, folder: Path) -> None:
    """The same without a net: from the archive itself, or a folder with it or with its files.

    The files' own sizes and hashes are checked, so that any build of the archive will do.
    """
    if not lacking(archive, folder):
        return
    if not source.exists():
        raise BadPathError(f"{source} does not exist", hint=f"Give {archive.name} or its folder.")
    packed = source / archive.name if source.is_dir() else source
    with _writing_into(folder):
        check_space(folder, sum(file.size_bytes for _, file in archive.members))
        if packed.is_file():
            _unpack(packed, archive, folder)
            return
        for _, file in archive.members:
            _copy_from_folder(source, file, folder)


def _is_there(file: WeightFile, folder: Path) -> bool:
    try:
        verified(file, folder)
    except EngineError:
        return False
    return True


def _unpack(packed: Path, archive: WeightArchive, folder: Path) -> None:
    try:
        with zipfile.ZipFile(packed) as members:
            for member, file in archive.members:
                with members.open(member) as stream:
                    _install(stream, file, folder)
    except zipfile.BadZipFile as error:
        raise BadPathError(
            f"{packed} is not a zip archive",
            hint=f"Give {archive.name} or a folder with its files.",
        ) from error
    except KeyError as error:
        raise FetchError(
            f"{packed} has no {error.args[0]}", hint=f"Give {archive.name}, the archive meant."
        ) from error


def _copy_from_folder(source: Path, file: WeightFile, folder: Path) -> None:
    path = source / file.name
    if not path.is_file():
        raise BadPathError(
            f"{source} has no {file.name}",
            hint="Give the folder that has all files by their names.",
        )
    with path.open("rb") as stream:
        _install(stream, file, folder)


def _install(stream: IO[bytes], file: WeightFile, folder: Path) -> None:
    """Write and check beside the place, then rename: a file in place is always whole."""
    part = folder / f"{file.name}.{os.getpid()}.part"
    try:
        with part.open("wb") as out:
            shutil.copyfileobj(stream, out)
        if part.stat().st_size != file.size_bytes or sha256_of(part) != file.sha256:
            raise FetchError(
                f"{file.name} in the source is not the wanted file: its SHA-256 differs",
                hint="Give the archive itself, or files that were taken out of it unchanged.",
            )
        part.replace(folder / file.name)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _writing_into(folder: Path) -> Iterator[None]:
    """Make `folder`; say in words when it, or a file in it, cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise FetchError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint="Set POSE_DATA_DIR to a folder that you may write in.",
        ) from error
