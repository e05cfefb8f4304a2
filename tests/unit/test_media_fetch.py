"""Clips from the web: what is fetched, what is refused, and where the connection really goes."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from pose_service.core.errors import TooLargeError
from pose_service.media import addresses
from pose_service.media.addresses import BadUrlError, check_url
from pose_service.media.fetch import FetchError, FetchLimits, fetch_clip

CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(5000)
LIMITS = FetchLimits(most_bytes=1_000_000, within_s=5.0, allow_private=True)


class Site(BaseHTTPRequestHandler):
    """Each path is one way for a server to behave."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seen: list[tuple[str, str]] = self.server.seen  # type: ignore[attr-defined]
        seen.append((self.path, self.headers["Host"]))
        behave: dict[str, Callable[[], None]] = {
            "/clip.mp4": self._clip, "/moved": self._moved, "/loop": self._loop,
            "/page": self._page, "/said-page": self._said_page, "/huge": self._huge,
            "/endless": self._endless, "/cut": self._cut, "/slow": self._slow,
            "/silent": self._silent, "/nowhere": self._nowhere, "/inside": self._inside,
        }  # fmt: skip
        behave.get(self.path.partition("?")[0], self._gone)()

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _clip(self) -> None:
        self._answer(200, CLIP, Content_Type="video/mp4")

    def _moved(self) -> None:
        self._answer(302, Location="/clip.mp4?x=1")

    def _loop(self) -> None:
        self._answer(302, Location="/loop")

    def _nowhere(self) -> None:
        self._answer(302)

    def _inside(self) -> None:
        self._answer(307, Location="http://169.254.169.254/latest")

    def _page(self) -> None:
        self._answer(200, b"<!DOCTYPE html><title>a player</title>", Content_Type="video/mp4")

    def _said_page(self) -> None:
        self._answer(200, b"...", Content_Type="text/html; charset=utf-8")

    def _huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10_000_000_000))
        self.end_headers()

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(65536))
        except OSError:
            pass

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(CLIP[:1000])
        self.close_connection = True

    def _slow(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"\x00")
                time.sleep(0.1)
        except OSError:
            pass

    def _silent(self) -> None:
        time.sleep(3)

    def _gone(self) -> None:
        self._answer(404, b"gone")

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.daemon_threads = True
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url_of(site: ThreadingHTTPServer, path: str, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{site.server_port}{path}"


def fetch(url: str, folder: Path, limits: FetchLimits = LIMITS) -> Path:
    return fetch_clip(url, folder, limits, lambda done, total: None)


def test_a_clip_comes_as_it_is_and_its_coming_can_be_watched(
    site: ThreadingHTTPServer, tmp_path: Path
) -> None:
    heard: list[tuple[int, int | None]] = []
    path = fetch_clip(
        url_of(site, "/clip.mp4?token=x"), tmp_path, LIMITS, lambda *step: heard.append(step)
    )
    assert (path.name, path.read_bytes()) == ("source.mp4", CLIP)
    assert heard[-1] == (len(CLIP), len(CLIP))


def test_a_redirect_is_followed(site: ThreadingHTTPServer, tmp_path: Path) -> None:
    assert fetch(url_of(site, "/moved"), tmp_path).read_bytes() == CLIP


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/loop", BadUrlError, "more than 5 redirects"),
        ("/nowhere", BadUrlError, "a redirect to nowhere"),
        ("/page", BadUrlError, "is a web page, not a clip"),
        ("/said-page", BadUrlError, "is a web page, not a clip"),
        ("/huge", TooLargeError, "more than 0 MB"),
        ("/endless", TooLargeError, "more than 0 MB"),
        ("/gone", BadUrlError, "the server answers 404"),
        ("/cut", FetchError, "the line was cut after 1000 of 5000 bytes"),
    ],
)
def test_what_is_no_clip_is_said_to_be_so(
    site: ThreadingHTTPServer, tmp_path: Path, path: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        fetch(url_of(site, path), tmp_path)


@pytest.mark.parametrize("path", ["/slow", "/silent"])
def test_a_server_that_takes_its_time_is_cut_off_at_the_limit(
    site: ThreadingHTTPServer, tmp_path: Path, path: str
) -> None:
    began_s = time.monotonic()
    with pytest.raises(FetchError):
        fetch(url_of(site, path), tmp_path, FetchLimits(1_000_000, 0.5, True))
    assert time.monotonic() - began_s < 1.5


def test_nobody_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="does not answer"):
        fetch("http://127.0.0.1:1/a.mp4", tmp_path)


def test_fetching_can_be_broken_off(site: ThreadingHTTPServer, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fetch_clip(url_of(site, "/clip.mp4"), tmp_path, LIMITS, stop)


@contextmanager
def names(monkeypatch: pytest.MonkeyPatch, **numbers: list[str]) -> Iterator[None]:
    """Host names that lead to these numbers, each time the next of them."""

    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: int, **named: int) -> object:
        key = host.replace(".", "_")
        if key not in numbers:
            return real(host, port, *more, **named)
        found = numbers[key].pop(0) if len(numbers[key]) > 1 else numbers[key][0]
        return [(socket.AF_INET, 1, 6, "", (one, port)) for one in found.split()]

    with monkeypatch.context() as patch:
        patch.setattr(addresses.socket, "getaddrinfo", look_up)
        yield


def test_a_redirect_to_a_private_address_is_refused(
    site: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the first address counts as public here, the second is looked at as it is
    is_public = addresses._is_public
    monkeypatch.setattr(
        addresses, "_is_public", lambda one: one == ip_address("127.0.0.1") or is_public(one)
    )
    with pytest.raises(BadUrlError, match=r"leads to 169\.254\.169\.254"):
        fetch(url_of(site, "/inside"), tmp_path, FetchLimits(1_000_000, 5.0))


def test_the_connection_goes_to_the_number_that_was_checked(
    site: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means something else the second time it is looked up gains nothing."""
    with names(monkeypatch, clips_example=["127.0.0.1", "10.255.255.1"]):
        path = fetch(url_of(site, "/clip.mp4", "clips.example"), tmp_path)
    assert path.read_bytes() == CLIP
    assert site.seen[-1][1] == f"clips.example:{site.server_port}"  # type: ignore[attr-defined]


def test_a_name_with_one_private_number_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        names(monkeypatch, mixed_example=["9.9.9.9 10.0.0.1"]),
        pytest.raises(BadUrlError, match=r"leads to 10\.0\.0\.1"),
    ):
        check_url("http://mixed.example/a", allow_private=False)
    with names(monkeypatch, good_example=["9.9.9.9 149.112.112.112"]):
        assert check_url("http://good.example/a", allow_private=False).address == "9.9.9.9"


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1",
        "2001:0:0:0:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_a_number_that_is_not_on_the_public_internet_is_refused(number: str) -> None:
    host = f"[{number}]" if ":" in number else number
    with pytest.raises(BadUrlError, match="not a public address"):
        check_url(f"https://{host}/a.mp4", allow_private=False)


@pytest.mark.parametrize("number", ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"])
def test_a_public_number_is_taken(number: str) -> None:
    host = f"[{number}]" if ":" in number else number
    assert check_url(f"https://{host}/a.mp4", allow_private=False).port == 443


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/a", "http://0x7f.1/a", "http://127.1/a", "http://0177.0.0.1/a",
        "http://user@127.0.0.1/a", "http://127.0.0.1#@example.com/a",
    ],
)  # fmt: skip
def test_other_ways_to_write_a_private_number_are_refused(url: str) -> None:
    with pytest.raises(BadUrlError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    ["", "a", "http:///a", "http://a b/", "http://a\r\nX: y/", "gopher://a/", "http://a:99999/",
     "http://[::1/", "http://a:0/", "http://" + "a" * 5000],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadUrlError):
        check_url(url, allow_private=True)


def test_letters_that_no_request_may_hold_are_quoted_and_the_rest_stays() -> None:
    checked = check_url("http://127.0.0.1/ä/%C3%A4?q=ü&x=a%2Fb", allow_private=True)
    assert checked.target == "/%C3%A4/%C3%A4?q=%C3%BC&x=a%2Fb"
