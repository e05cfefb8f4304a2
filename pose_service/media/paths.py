"""Paths as callers write them (Windows, WSL, containers) to files that may be read here."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from unicodedata import category
from urllib.parse import unquote

from pose_service.core.errors import BadPathError

SYSTEM_FOLDERS: Final = tuple(
    Path(name)
    for name in (
        "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr",
    )
)  # fmt: skip

_NEVER_IN_A_PATH: Final = ("Cc", "Cs")
"""Unicode's control characters and lone surrogates; file systems could take them, callers err."""

_DRIVE: Final = re.compile(r"([A-Za-z]):([/\\]|$)")
_DRIVE_WITHOUT_SLASH: Final = re.compile(r"[A-Za-z]:[^/\\]")
_WSL_SHARE: Final = re.compile(r"//wsl(?:\$|\.localhost)/[^/]+", re.IGNORECASE)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_UPLOAD: Final = "Upload the clip instead (multipart, field 'video')."


def resolve_media_path(
    text: str, *, roots: Sequence[Path], path_map: Sequence[tuple[str, str]] = ()
) -> Path:
    """The file that a caller's `text` names, with symbolic links followed.

    `C:\\clips\\a.mp4` is looked for in `/mnt/c`, `\\\\wsl$\\Ubuntu\\home` in `/home`; `path_map`
    holds (prefix as callers say it, prefix here) pairs, the longest that fits is used first.
    `roots` are the folders that may be read from, in any of these forms.

    Raises `BadPathError` naming the path that was tried: not there, a folder, not readable,
    outside the roots, or in a system folder whatever the roots are. Outside the roots it does not
    tell whether the file exists.
    """
    wanted = _checked_text(text)
    tried = Path(_local(wanted, path_map))
    said = str(tried) if str(tried) == text else f"{text} (tried as {tried})"
    if not tried.is_absolute():
        raise BadPathError(f"{said}: not a full path", hint=f"Send a full path. {_UPLOAD}")
    real = Path(os.path.realpath(tried))
    _check_roots(said, real, [_local_root(root, path_map) for root in roots])
    _check_file(said, real)
    return real


def _checked_text(text: str) -> str:
    """`text` without quotes and `file:` prefix, with forward slashes if it is a Windows path."""
    bare = text.strip().strip("\"'").strip()
    if bare.lower().startswith("file:"):
        bare = _without_file_scheme(bare)
    if not bare:
        raise BadPathError("the path is empty", hint="Send the full path of a clip.")
    if any(category(letter) in _NEVER_IN_A_PATH for letter in bare):
        raise BadPathError(
            f"{bare!r} holds control characters, which no path does",
            hint="In JSON a backslash is written twice; forward slashes work too.",
        )
    if _URL.match(bare):
        raise BadPathError(f"{bare} is an address: clips are not fetched", hint=_UPLOAD)
    if _DRIVE_WITHOUT_SLASH.match(bare):
        raise BadPathError(
            f"{bare}: no slash after the drive; were the backslashes lost on the way?",
            hint="In JSON a backslash is written twice; forward slashes work too.",
        )
    return _forward_slashes(bare)


def _without_file_scheme(url: str) -> str:
    rest = unquote(url[len("file:") :])
    if rest.startswith("///"):
        rest = rest[2:]
    elif rest.lower().startswith("//localhost/"):
        rest = rest[len("//localhost") :]
    # file:///C:/clips: the slash before the drive is the URL's
    return rest[1:] if _DRIVE.match(rest[1:]) else rest


def _forward_slashes(text: str) -> str:
    """For Windows paths only: elsewhere a backslash may be part of a name."""
    if not text.startswith(("\\\\", "//")) and not _DRIVE.match(text):
        return text
    return text.replace("\\", "/").removeprefix("//?/").removeprefix("//./")


def _local(text: str, path_map: Sequence[tuple[str, str]]) -> str:
    by_length = sorted(path_map, key=lambda pair: len(pair[0]), reverse=True)
    in_wsl = _in_wsl(text)
    for form in (text, in_wsl):
        for prefix, here in by_length:
            rest = _rest_after(form, _forward_slashes(prefix).rstrip("/"))
            if rest is not None:
                return _in_wsl(_forward_slashes(here)).rstrip("/") + rest
    return in_wsl


def _in_wsl(text: str) -> str:
    """Where the Windows Subsystem for Linux has a Windows path, or a path of its own share."""
    if drive := _DRIVE.match(text):
        return f"/mnt/{drive[1].lower()}/{text[3:]}"
    if share := _WSL_SHARE.match(text):
        return text[share.end() :] or "/"
    return text


def _rest_after(text: str, prefix: str) -> str | None:
    """What follows `prefix` in `text`, empty or from a slash on; None if it does not begin so."""
    start, rest = text[: len(prefix)], text[len(prefix) :]
    is_windows = prefix.startswith("//") or prefix[1:2] == ":"
    same = start.lower() == prefix.lower() if is_windows else start == prefix
    return rest if same and rest[:1] in ("", "/") else None


def _local_root(root: Path, path_map: Sequence[tuple[str, str]]) -> Path:
    text = _forward_slashes(os.path.expanduser(root))
    is_local = text.startswith("/") and not text.startswith("//")
    return Path(os.path.realpath(text if is_local else _local(text, path_map)))


def _check_roots(said: str, real: Path, roots: Sequence[Path]) -> None:
    if any(real.is_relative_to(folder) for folder in SYSTEM_FOLDERS):
        raise BadPathError(
            f"{said}: lies in a system folder", hint=f"These are never read. {_UPLOAD}"
        )
    if not any(real.is_relative_to(root) for root in roots):
        listed = ", ".join(str(root) for root in roots) or "none"
        raise BadPathError(
            f"{said}: outside the folders that may be read (POSE_MEDIA_ROOTS: {listed})",
            hint=f"Add its folder to POSE_MEDIA_ROOTS or map it with POSE_PATH_MAP. {_UPLOAD}",
        )


def _check_file(said: str, real: Path) -> None:
    try:
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        there = next(folder for folder in real.parents if folder.is_dir())
        missing = real.relative_to(there).parts[0]
        raise BadPathError(
            f"{said}: no such file; {there} is there, {missing!r} in it is not",
            hint=f"If the clip lies on another system, set POSE_PATH_MAP. {_UPLOAD}",
        ) from error
    except OSError as error:
        raise BadPathError(f"{said}: cannot be opened: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise BadPathError(f"{said}: is a folder", hint="Send the path of one clip.")
    if not stat.S_ISREG(mode):
        raise BadPathError(f"{said}: is not a regular file")
    if not os.access(real, os.R_OK):
        raise BadPathError(f"{said}: this service has no right to read it", hint=_UPLOAD)
