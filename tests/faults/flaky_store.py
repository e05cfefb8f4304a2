"""An object store whose line can be made to fail: 500s for everything, for as long as one likes."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from servers import ObjectStore


class _Line(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        store = self.server
        assert isinstance(store, FlakyStore)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if store.failing.is_set():
            store.refused += 1
            self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
            return
        connection = http.client.HTTPConnection("127.0.0.1", store.behind.port)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        self._answer(response.status, dict(response.getheaders()), response.read())
        connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", str(len(body)))
        kept = {name: value for name, value in headers.items() if name.lower() not in _OWN}
        for name, value in {**kept, "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

    def log_message(self, *_: object) -> None:
        return


_OWN = ("content-length", "transfer-encoding", "connection")


class FlakyStore(ThreadingHTTPServer):
    """`failing` set: everything is a 500."""

    daemon_threads = True

    def __init__(self, behind: ObjectStore) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.behind = behind
        self.failing = threading.Event()
        self.refused = 0

    @property
    def url(self) -> str:
        """The address of its storage."""
        return f"s3://key:secret@pose/flaky?endpoint_url=http://127.0.0.1:{self.server_port}"


@contextmanager
def flaky(behind: ObjectStore) -> Iterator[FlakyStore]:
    """In front of a store that does not fail."""
    with FlakyStore(behind) as store:
        thread = threading.Thread(target=store.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield store
        finally:
            store.shutdown()
            thread.join()
