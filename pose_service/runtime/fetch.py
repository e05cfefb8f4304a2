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

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be."""

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
    "Set POSE_WEIGHTS_MIRROR to a mirror of files.pythonhosted.org, or fetch the file on another "
    "machine and run `python -m pose_service fetch-weights --from FILE`."
)


class FetchError(EngineError):
    """A file could not be fetched, or what came is not what was asked for."""

    code = "FETCH_FAILED"


@dataclass(frozen=True)
class RemoteFile:
    """Where a file is and how the right one is known."""

    url: str
    size_bytes: int
    sha256: str


def fetch(remote: RemoteFile, target: Path, progress: Progress | None = None) -> Path:
    """`target` with the content of `remote`; a part of it in `target.part` is gone on from.

    A complete file with the wrong hash is thrown away and fetched once more from the start.
    Raises `FetchError` saying what stands in the way; the part stays for the next time.
    """
    part = target.with_name(target.name + ".part")
    progress = progress or (lambda _done, _total: None)
    for _ in range(2):
        _complete(remote, part, progress)
        if sha256_of(part) == remote.sha256:
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
    """Raise `FetchError` if `needed_bytes` do not fit on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise FetchError(
            f"{needed_bytes / 1e6:.0f} MB are needed in {folder}, {free / 1e6:.0f} MB are free",
            hint="Free some space, or set POSE_DATA_DIR to a folder on another disk.",
        )


def _complete(remote: RemoteFile, part: Path, progress: Progress) -> None:
    """Fetch until `part` has the wanted size; go on after a cut as long as more keeps coming."""
    while True:
        before = _size(part)
        try:
            return _fetch_rest(remote, part, progress)
        except urllib.error.HTTPError as error:
            raise FetchError(
                f"{remote.url}: the server answers {error.code} {error.reason}", hint=OFFLINE_HINT
            ) from error
        except LINE_ERRORS as error:
            if _size(part) <= before:
                raise FetchError(
                    f"{remote.url} cannot be fetched: {getattr(error, 'reason', error)} "
                    f"({_size(part) / 1e6:.1f} of {remote.size_bytes / 1e6:.1f} MB are here)",
                    hint="Run this again when there is a connection: it goes on from there. "
                    f"{OFFLINE_HINT}",
                ) from error


def _fetch_rest(remote: RemoteFile, part: Path, progress: Progress) -> None:
    """One request for what `part` lacks. A server that cannot give a range sends all of it."""
    have = _size(part)
    if have == remote.size_bytes:
        return
    if have > remote.size_bytes:
        have = 0
    headers = {"User-Agent": "pose-service"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(remote.url, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        resumes = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumes else 0
        length = response.headers.get("Content-Length")
        if length is not None and have + int(length) != remote.size_bytes:
            raise _wrong_size(remote, f"{have + int(length)}")
        with part.open("ab" if resumes else "wb") as out:
            for chunk in _chunks(response):
                have += len(chunk)
                if have > remote.size_bytes:
                    raise _wrong_size(remote, f"more than {remote.size_bytes}")
                out.write(chunk)
                progress(have, remote.size_bytes)
    if have < remote.size_bytes:
        raise ConnectionError("the line was cut")


def _chunks(response: IO[bytes]) -> Iterator[bytes]:
    """The body piece by piece; trouble with the line is told from trouble with the disk."""
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise ConnectionError(str(error)) from error


def _wrong_size(remote: RemoteFile, came: str) -> FetchError:
    return FetchError(
        f"{remote.url}: expected {remote.size_bytes} bytes, got {came}", hint=OFFLINE_HINT
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
