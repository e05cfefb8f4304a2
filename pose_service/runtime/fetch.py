"""Fetch one file over HTTP: goes on where it stopped, and checks size and SHA-256."""

import hashlib
import http.client
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pose_service.core.errors import EngineError

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes there will be (None: not known)."""

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 20.0
LINE_ERRORS = (
    http.client.HTTPException,
    urllib.error.URLError,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
OFFLINE_HINT = (
    "Set POSE_WEIGHTS_MIRROR to a mirror, or fetch the file on another machine and run "
    "`python -m pose_service fetch-weights ENGINE --from FILE`."
)


class FetchError(EngineError):
    """A file could not be fetched, or what came is not what was asked for."""

    code = "FETCH_FAILED"


class SpaceError(FetchError):
    """The disk is too full."""


@dataclass(frozen=True)
class RemoteFile:
    """Where a file is and how the right one is known; what is None is not looked at.

    An answer below `least_bytes` is some page, and is not let over a part that is here.
    """

    url: str
    size_bytes: int | None = None
    sha256: str | None = None
    least_bytes: int = 0


def fetch(remote: RemoteFile, target: Path, progress: Progress | None = None) -> Path:
    """`target` with the content of `remote`; a part of it in `target.part` is gone on from.

    A complete file with the wrong hash is thrown away, and fetched once more if it was begun by
    an earlier run. Raises `FetchError` saying what stands in the way; a part stays for the next.
    """
    part = target.with_name(target.name + ".part")
    progress = progress or (lambda _done, _total: None)
    attempts = 2 if _size(part) else 1
    for _ in range(attempts):
        _complete(remote, part, progress)
        if remote.sha256 is None or sha256_of(part) == remote.sha256:
            part.replace(target)
            return target
        part.unlink()
    raise FetchError(
        f"{remote.url} does not have the file that was wanted: its SHA-256 is not {remote.sha256}",
        hint="A proxy or mirror may have changed it. " + OFFLINE_HINT,
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise `SpaceError` if `needed_bytes` do not fit on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SpaceError(
            f"{needed_bytes / 1e6:.0f} MB are needed in {folder}, {free / 1e6:.0f} MB are free",
            hint="Free some space, or set POSE_DATA_DIR to a folder on another disk.",
        )


def _complete(remote: RemoteFile, part: Path, progress: Progress) -> None:
    """Fetch until `part` is whole; go on after a cut as long as more keeps coming."""
    while True:
        before = _size(part)
        try:
            return _fetch_rest(remote, part, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not before:
                raise FetchError(
                    f"{remote.url}: the server answers {error.code} {error.reason}",
                    hint=OFFLINE_HINT,
                ) from error
            if error.headers.get("Content-Range") == f"bytes */{before}":
                return progress(before, before)
            part.unlink()
        except LINE_ERRORS as error:
            if _size(part) <= before:
                raise _cut(remote, part, error) from error


def _fetch_rest(remote: RemoteFile, part: Path, progress: Progress) -> None:
    """One request for what `part` lacks. A server that cannot give a range sends all of it."""
    have = _size(part)
    if remote.size_bytes is not None and have >= remote.size_bytes:
        if have == remote.size_bytes:
            return
        have = 0
    headers = {"User-Agent": "pose-service"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(remote.url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        resumes = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumes else 0
        total = _total(remote, have, response.headers.get("Content-Length"))
        with part.open("ab" if resumes else "wb") as out:
            for chunk in _chunks(response):
                have += len(chunk)
                if total is not None and have > total:
                    raise _wrong_size(remote, f"more than {total}")
                out.write(chunk)
                progress(have, total)
    if total is not None and have < total:
        raise ConnectionError("the line was cut")


def _total(remote: RemoteFile, have: int, length: str | None) -> int | None:
    """The size of the whole file, as it is known or else as the server says."""
    total = remote.size_bytes if length is None else have + int(length)
    if remote.size_bytes is not None and total != remote.size_bytes:
        raise _wrong_size(remote, f"{total}")
    if total is not None and total < remote.least_bytes:
        raise _wrong_size(remote, f"{total}")
    return total


def _chunks(response: IO[bytes]) -> Iterator[bytes]:
    """The body piece by piece; trouble with the line is told from trouble with the disk."""
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise ConnectionError(str(error)) from error


def _cut(remote: RemoteFile, part: Path, error: Exception) -> FetchError:
    here = f"{_size(part) / 1e6:.1f}"
    if remote.size_bytes is not None:
        here += f" of {remote.size_bytes / 1e6:.1f}"
    return FetchError(
        f"{remote.url} cannot be fetched: {getattr(error, 'reason', error)} ({here} MB are here)",
        hint=f"Run this again when there is a connection: it goes on from there. {OFFLINE_HINT}",
    )


def _wrong_size(remote: RemoteFile, came: str) -> FetchError:
    expected = remote.size_bytes or f"at least {remote.least_bytes}"
    return FetchError(f"{remote.url}: expected {expected} bytes, got {came}", hint=OFFLINE_HINT)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
