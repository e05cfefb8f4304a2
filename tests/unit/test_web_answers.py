"""Streams are grouped, packed and begun before the status goes out."""

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask, Response

from pose_service.web import answers


def _app(pieces: Iterator[bytes]) -> Flask:
    app = Flask(__name__)
    answers.register(app)
    app.add_url_rule("/", view_func=lambda: answers.stream_answer(pieces))
    return app


def _numbers(count: int) -> Iterator[bytes]:
    yield b"["
    for number in range(count):
        yield b"%d," % number
    yield b"0]"


def test_small_pieces_go_out_in_large_ones() -> None:
    response = answers.stream_answer(_numbers(100_000))
    assert isinstance(response, Response)
    sizes = [len(piece) for piece in response.iter_encoded()]
    assert all(size >= 64 * 1024 for size in sizes[:-1])
    assert sum(sizes) == sum(map(len, _numbers(100_000)))


def test_a_packed_stream_holds_the_same_bytes() -> None:
    answer = _app(_numbers(50_000)).test_client().get("/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(answer.data) == b"".join(_numbers(50_000))
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", ""])
def test_gzip_is_not_used_where_it_is_not_wanted(accepted: str) -> None:
    answer = _app(_numbers(50_000)).test_client().get("/", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == b"".join(_numbers(50_000))


def test_what_fails_before_the_first_piece_is_raised_and_not_a_cut_answer() -> None:
    def broken() -> Iterator[bytes]:
        yield b"["
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        answers.stream_answer(broken())


def test_an_empty_stream_is_an_empty_body() -> None:
    assert answers.stream_answer(iter(())).get_data() == b""
