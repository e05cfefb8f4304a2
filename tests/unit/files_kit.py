"""A small server that misbehaves on request, and files to fetch from it."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.files import FileSource, OfficialFile, Packing, fetch_remedy
from pose_service.runtime.delivery import Delivery

NET_A, NET_B = b"detector" * 4000, b"landmarks" * 9000


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def net_file(name: str, content: bytes) -> OfficialFile:
    """A file that is known by its size and hash."""
    remedy = fetch_remedy("embedded")
    return OfficialFile(name, "a net", "none", remedy, "networks", len(content), digest(content))


WHEEL = zipped({"nets/a.bin": NET_A, "nets/b.bin": NET_B, "code.py": b"raise SystemExit"})
FILES = (net_file("a.tflite", NET_A), net_file("b.tflite", NET_B))


@dataclass
class Server:
    """What the server sends, and what was asked of it."""

    content: bytes = WHEEL
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    status: int = 200
    gone: set[str] = field(default_factory=set)
    send_length: bool = True
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def archive(self) -> FileSource:
        members = (("nets/a.bin", FILES[0]), ("nets/b.bin", FILES[1]))
        urls = (f"{self.url}/nets.whl",)
        return FileSource("nets.whl", members, Packing.ZIP, urls, len(WHEEL), digest(WHEEL))


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.asked.append(wanted)
            server.paths.append(self.path)
            start = int(wanted.split("=")[1].rstrip("-")) if wanted and server.ranges else 0
            if start >= len(server.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.content)}")
                self.end_headers()
                return
            status = 404 if self.path in server.gone else server.status
            body = server.content[start:]
            self.send_response(206 if start and status == 200 else status)
            if server.send_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = server.cut_after.pop(0) if server.cut_after else None
            self.wfile.write(body[:cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    return Handler


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers every address with its content."""
    state = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(state)) as http_server:
        state.url = f"http://127.0.0.1:{http_server.server_port}"
        thread = threading.Thread(target=http_server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        http_server.shutdown()
        thread.join()


def to(folder: Path, source: FileSource, mirror: str | None = None) -> Delivery:
    """`source` on its way below `folder`."""
    return Delivery(source, Settings(data_dir=folder, weights_mirror=mirror))


def names(folder: Path) -> set[str]:
    """Every file in `folder` and below."""
    return {path.name for path in folder.rglob("*") if path.is_file()}
