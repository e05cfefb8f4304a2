"""Where the files of engines lie on this machine. Nothing in them is ever run."""

import os
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource, OfficialFile, UpstreamFolder
from pose_service.runtime.fetch import sha256_of

HASHED_BYTES = 64_000_000
"""Up to this size a file whose hash decides is hashed whenever it is looked for: 0.1 s at most."""


def networks_dir(settings: Settings) -> Path:
    """The folder of the embedded engine's networks."""
    return settings.data_dir / "networks"


def own_folder(file: OfficialFile, settings: Settings) -> Path:
    """The folder that `file` is put into."""
    return settings.data_dir / file.folder


def located(file: OfficialFile, settings: Settings) -> Path:
    """The first place where `file` lies and looks right at a glance.

    Quick: large files are not hashed, nets not opened. Raises `EngineError` with the places
    looked at and what to do, or what is wrong with the file that is there.
    """
    hint = remedy(file, settings)
    given = _given(file, settings)
    if given is not None and not given.exists():
        raise EngineError(
            f"{_setting_name(file)}={given}: there is no such file ({file.purpose})",
            hint=f"Correct it, or unset it and have the file found. {hint}",
        )
    wrong: list[EngineError] = []
    for path in places(file, settings):
        # not Path.is_file, which raises where a folder may not be looked into
        if os.path.isfile(path):
            try:
                inspect(path, file, hint)
            except EngineError as error:
                wrong.append(error)
            else:
                return path
    if wrong:
        raise wrong[0]
    folders = dict.fromkeys(str(path.parent) for path in places(file, settings))
    raise EngineError(
        f"{file.name} is missing: {file.purpose}. Looked in: {', '.join(folders)}", hint=hint
    )


def verified(file: OfficialFile, folder: Path) -> Path:
    """The path of `file` in `folder`, looked over as `located` does; else `EngineError`."""
    path = folder / file.name
    hint = file.remedy.format(folder=folder)
    if not path.is_file():
        raise EngineError(f"{path} is missing: {file.purpose}", hint=hint)
    inspect(path, file, hint)
    return path


def inspect(path: Path, file: OfficialFile, hint: str) -> None:
    """Raise `EngineError` where a quick look shows that `path` is not `file`, or not all of it."""
    size = path.stat().st_size
    if file.size_bytes is not None and size != file.size_bytes:
        raise EngineError(
            f"{path} is damaged: expected {file.size_bytes} bytes, got {size}", hint=hint
        )
    if file.glance is not None:
        file.glance(path)
    if size < file.least_bytes:
        raise EngineError(
            f"{path} ends early: at least {file.least_bytes} bytes were expected, got {size}",
            hint=hint,
        )
    hashed = file.sha256 is not None and file.check is None and size <= HASHED_BYTES
    if hashed and sha256_of(path) != file.sha256:
        raise EngineError(f"{path} is damaged: its SHA-256 is not {file.sha256}", hint=hint)


def lacking(source: FileSource, settings: Settings) -> tuple[OfficialFile, ...]:
    """The files of `source` that are nowhere, or not as they should be."""
    return tuple(file for file in source.files if not _is_here(file, settings))


def places(file: OfficialFile, settings: Settings) -> tuple[Path, ...]:
    """Every path at which `file` is looked for, in order: one that is set, ours, upstream's.

    A setting may name a file, or the folder that it lies in under one of its names.
    """
    given = _given(file, settings)
    if given is not None:
        return tuple(given / name for name in file.names) if given.is_dir() else (given,)
    folders = [own_folder(file, settings), *map(on_this_machine, file.elsewhere)]
    return tuple(folder / name for folder in folders for name in file.names)


def on_this_machine(folder: UpstreamFolder) -> Path:
    """Where upstream's own programs would look for `folder` here."""
    root = os.environ.get(folder.variable) if folder.variable else None
    return Path(os.path.expanduser(root or folder.root)) / folder.below


def remedy(file: OfficialFile, settings: Settings) -> str:
    """What to do where `file` is missing here."""
    return file.remedy.format(folder=own_folder(file, settings))


def _given(file: OfficialFile, settings: Settings) -> Path | None:
    if not file.setting:
        return None
    path: Path | None = getattr(settings, file.setting)
    return path.expanduser() if path else None


def _setting_name(file: OfficialFile) -> str:
    return Settings.model_fields[file.setting].alias or file.setting


def _is_here(file: OfficialFile, settings: Settings) -> bool:
    try:
        located(file, settings)
    except EngineError:
        return False
    return True
