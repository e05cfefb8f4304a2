"""Fetching and verifying network files, against a small server that misbehaves on request."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from pose_service.core.config import Settings, SettingsError, read_settings
from pose_service.core.errors import BadPathError, EngineError
from pose_service.core.files import WeightArchive, WeightFile
from pose_service.runtime import fetch as fetching
from pose_service.runtime.fetch import FetchError
from pose_service.runtime.weights import (
    DEFAULT_HOST,
    fetch_archive,
    lacking,
    networks_dir,
    take_from,
    verified,
)

NET_A, NET_B = b"detector" * 4000, b"landmarks" * 9000


def _zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _weight(name: str, content: bytes) -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest(), "a net", "none")


WHEEL = _zip({"nets/a.bin": NET_A, "nets/b.bin": NET_B, "code.py": b"raise SystemExit"})
FILES = (_weight("a.tflite", NET_A), _weight("b.tflite", NET_B))


@dataclass
class Server:
    """What the server sends, and what was asked of it."""

    content: bytes = WHEEL
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    status: int = 200
    send_length: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def archive(self) -> WeightArchive:
        digest = hashlib.sha256(WHEEL).hexdigest()
        members = (("nets/a.bin", FILES[0]), ("nets/b.bin", FILES[1]))
        return WeightArchive("nets.whl", f"{self.url}/nets.whl", len(WHEEL), digest, members)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.asked.append(wanted)
            start = int(wanted.split("=")[1].rstrip("-")) if wanted and server.ranges else 0
            body = server.content[start:]
            self.send_response(206 if start and server.status == 200 else server.status)
            if server.send_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut = server.cut_after.pop(0) if server.cut_after else None
            self.wfile.write(body[:cut])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(state)) as http_server:
        state.url = f"http://127.0.0.1:{http_server.server_port}"
        thread = threading.Thread(target=http_server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        http_server.shutdown()
        thread.join()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_archive_becomes_its_verified_members_and_nothing_else_stays(
    server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "networks"
    fetch_archive(server.archive(), folder)
    assert _names(folder) == {"a.tflite", "b.tflite"}
    assert verified(FILES[0], folder).read_bytes() == NET_A
    assert verified(FILES[1], folder).read_bytes() == NET_B


def test_files_that_are_whole_are_not_fetched_again(server: Server, tmp_path: Path) -> None:
    fetch_archive(server.archive(), tmp_path)
    fetch_archive(server.archive(), tmp_path)
    assert len(server.asked) == 1


def test_a_damaged_file_is_named_and_fetched_again(server: Server, tmp_path: Path) -> None:
    fetch_archive(server.archive(), tmp_path)
    (tmp_path / "b.tflite").write_bytes(b"x" * len(NET_B))
    assert lacking(server.archive(), tmp_path) == (FILES[1],)
    with pytest.raises(EngineError, match=r"b\.tflite is damaged") as refusal:
        verified(FILES[1], tmp_path)
    assert "python -m pose_service fetch-weights embedded" in refusal.value.hint
    fetch_archive(server.archive(), tmp_path)
    assert verified(FILES[1], tmp_path).read_bytes() == NET_B


def test_a_missing_file_says_what_it_is_for_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"a\.tflite is missing: a net") as refusal:
        verified(FILES[0], tmp_path)
    assert "fetch-weights" in refusal.value.hint


def test_a_short_file_says_both_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"x")
    with pytest.raises(EngineError, match="expected 32000 bytes, got 1"):
        verified(FILES[0], tmp_path)


def test_a_cut_line_is_taken_up_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = [30_000]
    fetch_archive(server.archive(), tmp_path)
    assert server.asked == [None, "bytes=30000-"]
    assert lacking(server.archive(), tmp_path) == ()


def test_the_next_run_goes_on_from_the_part_of_the_last(server: Server, tmp_path: Path) -> None:
    (tmp_path / "nets.whl.part").write_bytes(WHEEL[:50_000])
    fetch_archive(server.archive(), tmp_path)
    assert server.asked == ["bytes=50000-"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "nets.whl.part").write_bytes(b"?" * 50_000)
    fetch_archive(server.archive(), tmp_path)
    assert lacking(server.archive(), tmp_path) == ()


@pytest.mark.parametrize("length", [40_000, len(WHEEL), len(WHEEL) + 9])
def test_a_corrupted_part_is_thrown_away_and_fetched_once_more(
    server: Server, tmp_path: Path, length: int
) -> None:
    (tmp_path / "nets.whl.part").write_bytes(b"?" * length)
    fetch_archive(server.archive(), tmp_path)
    assert lacking(server.archive(), tmp_path) == ()
    assert server.asked[-1] is None


def test_wrong_content_is_fetched_twice_then_refused(server: Server, tmp_path: Path) -> None:
    server.content = bytes(len(WHEEL))
    with pytest.raises(FetchError, match="SHA-256") as refusal:
        fetch_archive(server.archive(), tmp_path)
    assert server.asked == [None, None]
    assert "POSE_WEIGHTS_MIRROR" in refusal.value.hint
    assert _names(tmp_path) == set()


def test_another_size_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    server.content = b"<html>Please log in to this network</html>"
    with pytest.raises(FetchError, match=f"expected {len(WHEEL)} bytes, got 42"):
        fetch_archive(server.archive(), tmp_path)
    assert len(server.asked) == 1


def test_an_endless_body_is_refused_when_it_is_too_long(server: Server, tmp_path: Path) -> None:
    server.send_length = False
    server.content = WHEEL + bytes(600_000)
    with pytest.raises(FetchError, match="got more than"):
        fetch_archive(server.archive(), tmp_path)


def test_an_answer_of_404_is_said_with_the_address(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(FetchError, match=r"nets\.whl: the server answers 404"):
        fetch_archive(server.archive(), tmp_path)


def test_a_line_that_brings_nothing_gives_up_and_keeps_the_part(
    server: Server, tmp_path: Path
) -> None:
    server.cut_after = [20_000, 0]
    with pytest.raises(FetchError, match="cut") as refusal:
        fetch_archive(server.archive(), tmp_path)
    assert "goes on from there" in refusal.value.hint
    assert (tmp_path / "nets.whl.part").read_bytes() == WHEEL[:20_000]


def test_no_network_is_one_clear_error(server: Server, tmp_path: Path) -> None:
    nobody_listens = replace(server.archive(), url="http://127.0.0.1:9/nets.whl")
    with pytest.raises(FetchError, match="cannot be fetched") as refusal:
        fetch_archive(nobody_listens, tmp_path)
    assert "--from FILE" in refusal.value.hint


def test_a_mirror_takes_the_place_of_the_package_host(server: Server, tmp_path: Path) -> None:
    archive = replace(server.archive(), url=f"{DEFAULT_HOST}/packages/nets.whl")
    fetch_archive(archive, tmp_path, mirror=f"{server.url}/")
    assert lacking(archive, tmp_path) == ()


def test_progress_ends_at_the_whole_size(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch_archive(server.archive(), tmp_path, progress=lambda *step: seen.append(step))
    assert seen[-1] == (len(WHEEL), len(WHEEL))
    assert seen == sorted(seen)


def test_a_full_disk_is_said_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(FetchError, match="MB are needed in"):
        fetch_archive(server.archive(), tmp_path)
    assert server.asked == []


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FetchError, match="file") as refusal:
        fetch_archive(server.archive(), tmp_path / "file" / "networks")
    assert "POSE_DATA_DIR" in refusal.value.hint


def test_an_archive_without_the_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.whl").write_bytes(_zip({"nets/a.bin": NET_A}))
    with pytest.raises(FetchError, match=r"nets/b\.bin"):
        take_from(tmp_path / "other.whl", Server().archive(), tmp_path / "networks")


def test_the_archive_itself_serves_without_a_net(tmp_path: Path) -> None:
    wheel = tmp_path / "another name.whl"
    wheel.write_bytes(WHEEL)
    take_from(wheel, Server().archive(), tmp_path / "networks")
    assert _names(tmp_path / "networks") == {"a.tflite", "b.tflite"}
    assert wheel.is_file()


def test_a_folder_with_the_files_serves_without_a_net(tmp_path: Path) -> None:
    source = tmp_path / "stick"
    source.mkdir()
    (source / "a.tflite").write_bytes(NET_A)
    (source / "b.tflite").write_bytes(NET_B)
    take_from(source, Server().archive(), tmp_path / "networks")
    assert lacking(Server().archive(), tmp_path / "networks") == ()


def test_a_folder_with_the_archive_serves_too(tmp_path: Path) -> None:
    (tmp_path / "nets.whl").write_bytes(WHEEL)
    take_from(tmp_path, Server().archive(), tmp_path / "networks")
    assert lacking(Server().archive(), tmp_path / "networks") == ()


def test_wrong_files_from_a_folder_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"?" * len(NET_A))
    with pytest.raises(FetchError, match=r"a\.tflite in the source is not the wanted file"):
        take_from(tmp_path, Server().archive(), tmp_path / "networks")
    assert _names(tmp_path / "networks") == set()


@pytest.mark.parametrize(
    ("source", "message"),
    [("nowhere", "does not exist"), ("text", "not a zip archive"), ("empty", r"has no a\.tflite")],
)
def test_a_source_that_cannot_serve_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "text").write_text("not a wheel")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPathError, match=message):
        take_from(tmp_path / source, Server().archive(), tmp_path / "networks")


def test_files_that_are_whole_need_no_source(tmp_path: Path) -> None:
    wheel = tmp_path / "nets.whl"
    wheel.write_bytes(WHEEL)
    take_from(wheel, Server().archive(), tmp_path / "networks")
    wheel.unlink()
    take_from(wheel, Server().archive(), tmp_path / "networks")


def test_networks_lie_in_the_data_folder() -> None:
    assert networks_dir(Settings(data_dir=Path("/srv/pose"))) == Path("/srv/pose/networks")


def test_a_mirror_that_is_no_address_is_a_bad_setting() -> None:
    with pytest.raises(SettingsError, match="POSE_WEIGHTS_MIRROR"):
        read_settings({"POSE_WEIGHTS_MIRROR": "mirror.example"})
