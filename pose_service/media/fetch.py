"""Clips from the web: bounded in size, time and redirects, and only from public addresses."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urljoin

from pose_service.core.errors import TooLargeError, UnavailableError
from pose_service.core.secrets import without_secrets
from pose_service.media.addresses import BadUrlError, CheckedUrl, check_url
from pose_service.media.signatures import HEAD_BYTES, kind_of

MOST_REDIRECTS: Final = 5
SILENCE_S: Final = 20.0
PIECE_BYTES: Final = 1 << 18
_MEGABYTE: Final = 1024 * 1024
_PAGES: Final = ("text/html", "application/xhtml+xml")
_LINE_ERRORS: Final = (http.client.HTTPException, OSError)

Heard = Callable[[int, int | None], None]
"""Told the bytes that came and those that will come (None: not known); may raise to stop."""


class FetchError(UnavailableError):
    """The clip's server does not answer as it should, at least not now."""

    code = "FETCH_FAILED"


@dataclass(frozen=True)
class FetchLimits:
    """What a clip from the web may cost; `allow_private`: see `check_url`."""

    most_bytes: int
    within_s: float
    allow_private: bool = False


def fetch_clip(url: str, folder: Path, limits: FetchLimits, heard: Heard) -> Path:
    """The clip at `url` as `folder`/source with the address's own ending, streamed to disk.

    Every redirect is looked up and checked like the first address, and the connection is made to
    the very number that was checked. Raises `BadUrlError` for addresses that are refused and for
    pages, `TooLargeError` above the limit, `FetchError` for what may go better another time.
    """
    deadline_s = time.monotonic() + limits.within_s
    for _ in range(MOST_REDIRECTS + 1):
        checked = check_url(url, allow_private=limits.allow_private)
        with _asked(checked, deadline_s) as response:
            where = _redirect(checked, response)
            if where is None:
                return _received(checked, response, folder, _Bounds(limits, deadline_s, heard))
        url = where
    raise BadUrlError(f"{without_secrets(url)}: more than {MOST_REDIRECTS} redirects")


@dataclass(frozen=True)
class _Bounds:
    limits: FetchLimits
    deadline_s: float
    heard: Heard


class Pinned(http.client.HTTPConnection):
    """A connection to the number that was checked, whatever the name means by now."""

    def __init__(self, checked: CheckedUrl, silence_s: float = SILENCE_S) -> None:
        super().__init__(checked.host, checked.port, timeout=silence_s)
        self._checked = checked

    def connect(self) -> None:
        place = (self._checked.address, self._checked.port)
        self.sock = socket.create_connection(place, timeout=self.timeout)
        if self._checked.parts.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._checked.host)

    def cut(self) -> None:
        """End what another thread waits for."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def _asked(checked: CheckedUrl, deadline_s: float) -> Iterator[http.client.HTTPResponse]:
    """The answer's head; the line is cut at the deadline, however slowly it drips."""
    shown = without_secrets(checked.url)
    with closing(Pinned(checked)) as connection:
        alarm = threading.Timer(max(0.0, deadline_s - time.monotonic()), connection.cut)
        alarm.daemon = True
        alarm.start()
        try:
            connection.request(
                "GET",
                checked.target,
                headers={"User-Agent": "pose-service", "Accept-Encoding": "identity"},
            )
            response = connection.getresponse()
        except _LINE_ERRORS as error:
            alarm.cancel()
            raise FetchError(f"{shown} does not answer: {_reason(error)}") from error
        try:
            yield response
        finally:
            alarm.cancel()


def _redirect(checked: CheckedUrl, response: http.client.HTTPResponse) -> str | None:
    """Where the server sends us; None for the answer itself."""
    shown = without_secrets(checked.url)
    if response.status in (301, 302, 303, 307, 308):
        location = response.getheader("Location")
        if not location:
            raise BadUrlError(f"{shown}: a redirect to nowhere")
        return urljoin(checked.url, location)
    if response.status != 200:
        kind = FetchError if response.status >= 500 or response.status == 429 else BadUrlError
        raise kind(f"{shown}: the server answers {response.status} {response.reason}")
    return None


def _received(
    checked: CheckedUrl, response: http.client.HTTPResponse, folder: Path, bounds: _Bounds
) -> Path:
    shown = without_secrets(checked.url)
    if response.headers.get_content_type() in _PAGES:
        raise _page(shown)
    total = int(length) if (length := response.getheader("Content-Length", "")).isdigit() else None
    _check_size(shown, total or 0, bounds.limits)
    target = folder / f"source{_ending(checked)}"
    count = 0
    with target.open("wb") as file:
        for piece in _pieces(shown, response, bounds.deadline_s):
            if not count and kind_of(piece[:HEAD_BYTES]) == "HTML":
                raise _page(shown)
            count += len(piece)
            _check_size(shown, count, bounds.limits)
            file.write(piece)
            bounds.heard(count, total)
    if total is not None and count < total:
        raise FetchError(f"{shown}: the line was cut after {count} of {total} bytes")
    return target


def _pieces(shown: str, response: http.client.HTTPResponse, deadline_s: float) -> Iterator[bytes]:
    piece = b" "
    while piece:
        try:
            piece = response.read1(PIECE_BYTES)
        except _LINE_ERRORS as error:
            _check_time(shown, deadline_s)
            raise FetchError(f"{shown}: the line was cut: {_reason(error)}") from error
        # a line that we cut ourselves may look like the end of the clip
        _check_time(shown, deadline_s)
        yield piece


def _check_time(shown: str, deadline_s: float) -> None:
    if time.monotonic() >= deadline_s:
        raise FetchError(
            f"{shown}: the clip did not come within the time for it",
            hint="Upload it, or raise POSE_FETCH_WAIT_S.",
        )


def _check_size(shown: str, size_bytes: int, limits: FetchLimits) -> None:
    if size_bytes > limits.most_bytes:
        raise TooLargeError(
            f"{shown}: the clip has more than {limits.most_bytes // _MEGABYTE} MB",
            hint="Send a shorter one, or raise POSE_MAX_UPLOAD_MB.",
        )


def _page(shown: str) -> BadUrlError:
    return BadUrlError(
        f"{shown} is a web page, not a clip",
        hint="Send the address of the video file itself; pages with a player are not read.",
    )


def _ending(checked: CheckedUrl) -> str:
    suffix = PurePosixPath(unquote(checked.parts.path)).suffix
    return suffix if suffix[1:].isalnum() and len(suffix) <= 8 else ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
