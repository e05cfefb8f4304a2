"""Answers: JSON and files, whole or in pieces, packed where the caller takes it, for any origin."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, request

from pose_service.legacy.encode import encode

JSON_TYPE = "application/json"
# what is text packs to a third; files of other programs are packed already, or small
_PACKED_TYPES = (JSON_TYPE, "application/x-ndjson", "text/csv", "text/plain")
# gzip -1 takes 3 to 6 ms for a whole frame, -6 five times as long for a fifth less
_GZIP_LEVEL = 1
_WORTH_PACKING_BYTES = 1024
_PIECE_BYTES = 64 * 1024
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def register(app: Flask) -> None:
    """Preflights are answered, and every answer is packed and opened to all origins."""
    app.before_request(_preflight)
    app.after_request(_pack)
    app.after_request(_allow_all_origins)


def json_answer(value: Any, status: int = 200) -> Response:
    """`value` as JSON. It must hold finite numbers only: orjson writes NaN as null, silently."""
    return Response(encode(value), status, content_type=JSON_TYPE)


def stream_answer(
    pieces: Iterable[bytes], status: int = 200, content_type: str = JSON_TYPE
) -> Response:
    """What is too long to hold. What goes wrong before the first piece is still an error."""
    grouped = _grouped(pieces)
    first = next(grouped, b"")
    return Response(chain([first], grouped), status, content_type=content_type)


def file_answer(pieces: Iterable[bytes], content_type: str, name: str) -> Response:
    """The same as a file that a browser saves under `name`."""
    response = stream_answer(pieces, content_type=content_type)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    # headers are ASCII; whoever knows RFC 6266 takes the second name
    names = {"filename": plain} | ({} if plain == name else {"filename*": _quoted(name)})
    response.headers.set("Content-Disposition", "attachment", **names)
    return response


def _quoted(name: str) -> str:
    return f"UTF-8''{quote(name, safe='')}"


def _grouped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least 64 kB, but for the last."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _preflight() -> Response | None:
    """Any route may be called from a page of any origin."""
    return Response(status=204) if request.method == "OPTIONS" else None


def _allow_all_origins(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    if request.method == "OPTIONS":
        asked = request.headers.get("Access-Control-Request-Headers", "Content-Type")
        response.headers["Access-Control-Allow-Headers"] = asked
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE, OPTIONS"
        response.headers["Access-Control-Max-Age"] = "86400"
    return response


def _pack(response: Response) -> Response:
    if response.mimetype not in _PACKED_TYPES:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") <= 0:
        return response
    if response.is_streamed:
        response.response = _gzipped(response.iter_encoded())
    elif len(response.get_data()) < _WORTH_PACKING_BYTES:
        return response
    else:
        response.set_data(gzip.compress(response.get_data(), _GZIP_LEVEL))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()
