"""What a file is by its content; its name says nothing."""

import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pose_service.core.errors import EngineError

_BEGINNINGS = {
    b"<": "a web page: the download wanted a login",
    b"version https://git-lfs": "a Git LFS pointer: the file itself was not downloaded",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"BZh": "a bzip2 archive: unpack it first",
    b"\xfd7zXZ": "an xz archive: unpack it first",
}
_PICKLED = b"\x80(c]}"
"""First bytes of a pickle: the protocol mark from protocol 2 on, else a container or a name."""


class Content(StrEnum):
    """Kinds of content that are told apart, in the words of an error."""

    PICKLE = "a pickle"
    NPZ = "an .npz archive of arrays"
    CHECKPOINT = "a PyTorch checkpoint"
    PROGRAM = "a TorchScript program"


@dataclass(frozen=True)
class WantedFile:
    """What a caller wants to find in a file (`what`), and what to do where it is not so."""

    what: str
    remedy: str

    def error(self, path: Path, problem: str) -> EngineError:
        return EngineError(f"{path} cannot be used as {self.what}: {problem}", hint=self.remedy)


def content_of(path: Path, wanted: WantedFile) -> Content:
    """What `path` holds, whatever its name; `EngineError` if that is none of `Content`."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
        members = _zip_members(path) if start.startswith(b"PK") else None
    except FileNotFoundError as error:
        raise wanted.error(path, "there is no such file") from error
    except OSError as error:
        raise wanted.error(path, f"it cannot be read ({error.strerror})") from error
    except zipfile.BadZipFile as error:
        raise wanted.error(path, "it ends early or is damaged: download it again") from error
    if members is not None:
        return _content_of_zip(path, members, wanted)
    if start[:1] and start[:1] in _PICKLED:
        return Content.PICKLE
    raise wanted.error(path, f"it is {_other(start)}")


def require(path: Path, wanted: WantedFile, content: Content) -> None:
    """`EngineError` unless `path` holds `content`."""
    came = content_of(path, wanted)
    if came is not content:
        raise wanted.error(path, f"it is {came}, {content} was expected")


def _zip_members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _content_of_zip(path: Path, members: list[str], wanted: WantedFile) -> Content:
    names = {name.rpartition("/")[2] for name in members}
    if "constants.pkl" in names:
        return Content.PROGRAM
    if "data.pkl" in names:
        return Content.CHECKPOINT
    if names and all(name.endswith(".npy") for name in names):
        return Content.NPZ
    raise wanted.error(path, "it is a zip archive: unpack it first")


def _other(start: bytes) -> str:
    if not start:
        return "empty: download it again"
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    for beginning, what in _BEGINNINGS.items():
        if start.lstrip().startswith(beginning):
            return what
    return f"of no known kind (first bytes {start[:8].hex(' ')})"
