"""Where the engine's files lie on this machine, all that are missing told at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource, OfficialFile
from pose_service.runtime.weights import located, remedy

WITHOUT_PHALP = "people are told apart by place and pose alone"
"""What it costs that PHALP's nets are not here."""


def located_all(sources: Iterable[FileSource], settings: Settings) -> dict[str, Path]:
    """The path of each file of `sources` by its name; one `EngineError` for all missing."""
    paths: dict[str, Path] = {}
    missing: list[EngineError] = []
    for file in (file for source in sources for file in source.files):
        try:
            paths[file.name] = located(file, settings)
        except EngineError as error:
            missing.append(error)
    if missing:
        hints = dict.fromkeys(error.hint for error in missing)
        raise EngineError("; ".join(map(str, missing)), hint=" ".join(hints))
    return paths


@contextmanager
def opened(file: OfficialFile, settings: Settings) -> Iterator[Path]:
    """Where `file` lies; an `EngineError` of whoever reads it says that it must go first.

    It looked right at a glance, so as long as it lies there no other is fetched or looked for.
    """
    path = located(file, settings)
    try:
        yield path
    except EngineError as error:
        hint = f"Delete it or move it away. {remedy(file, settings)}"
        raise EngineError(str(error), hint=hint) from error
