"""Files that engines need and that are not in the package: what, where from, how known."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

Check = Callable[[Path], object]
"""Looks into a file; raises `EngineError` if it is not the one that was wanted."""


@dataclass(frozen=True)
class UpstreamFolder:
    """A folder in which the programs that a file was made for keep it.

    It is `below` the folder `root`, which those programs let the environment `variable` move.
    """

    root: str
    below: str = ""
    variable: str = ""


@dataclass(frozen=True)
class OfficialFile:
    """One file, as its makers hand it out.

    It lies in the folder `folder` of `POSE_DATA_DIR`, in one of `elsewhere`, or where the setting
    `setting` (a field of `Settings`) says; under `name` or one of `other_names`. `remedy` says
    what to do where it is missing; `{folder}` in it becomes the full path of its folder.

    The right file is known by `size_bytes` and `sha256` where they are certain, has `least_bytes`
    at least, and passes `glance`, which is quick. Where the hash is not known, or is another,
    `check`, which may take a minute, decides; without a `check` the hash does.
    """

    name: str
    purpose: str
    licence: str
    remedy: str
    folder: str
    size_bytes: int | None = None
    sha256: str | None = None
    least_bytes: int = 0
    glance: Check | None = None
    check: Check | None = None
    other_names: tuple[str, ...] = ()
    elsewhere: tuple[UpstreamFolder, ...] = ()
    setting: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.other_names)


class Packing(Enum):
    """How the files of one source come. A wheel is a zip archive, too."""

    NONE = "a file by itself"
    ZIP = "a zip archive"
    TAR = "a tar archive"


@dataclass(frozen=True)
class FileSource:
    """One thing to fetch, and the files that it holds.

    `members` pairs a path inside the archive with the file it becomes (in a zip archive it may
    begin with `*/`: in whatever folder); a source that is no archive pairs its one file with that
    file's name. The addresses `urls` are tried in order; a
    source without any is one that the user must get by hand. `elsewhere` are folders in which
    the archive may lie already. Size and hash are those of the whole, as far as known.
    """

    name: str
    members: tuple[tuple[str, OfficialFile], ...]
    packing: Packing = Packing.NONE
    urls: tuple[str, ...] = ()
    size_bytes: int | None = None
    sha256: str | None = None
    elsewhere: tuple[UpstreamFolder, ...] = ()

    @property
    def files(self) -> tuple[OfficialFile, ...]:
        return tuple(file for _, file in self.members)

    @property
    def hash_decides(self) -> bool:
        """Whether size and hash must be right, since no file has a `check` to overrule them."""
        return all(file.check is None for file in self.files)


def fetch_remedy(engine: str) -> str:
    """What to do about a file of `engine` that can be fetched."""
    return f"Run `python -m pose_service fetch-weights {engine}`."
