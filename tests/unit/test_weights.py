"""Fetching and verifying network files, against a small server that misbehaves on request."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from files_kit import FILES, NET_A, NET_B, WHEEL, Server, names, serving, to, zipped

from pose_service.core.config import Settings, SettingsError, read_settings
from pose_service.core.errors import BadPathError, EngineError
from pose_service.core.files import FileSource
from pose_service.runtime import fetch as fetching
from pose_service.runtime.fetch import FetchError, SpaceError
from pose_service.runtime.obtain import DEFAULT_HOST, addresses, obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.weights import lacking, located, networks_dir, verified

FULL_DEVICE = Path("/dev/full")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


def _lacking(source: FileSource, folder: Path) -> tuple[str, ...]:
    return tuple(file.name for file in lacking(source, Settings(data_dir=folder)))


def _part(folder: Path, content: bytes) -> Path:
    """What an earlier run left of the archive."""
    part = folder / "networks" / "incoming" / "nets.whl.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_an_archive_becomes_its_verified_members_and_nothing_else_stays(
    server: Server, tmp_path: Path
) -> None:
    obtain(to(tmp_path / "new", server.archive()))
    folder = tmp_path / "new" / "networks"
    assert [path.name for path in sorted(folder.iterdir())] == ["a.tflite", "b.tflite"]
    assert verified(FILES[0], folder).read_bytes() == NET_A
    assert verified(FILES[1], folder).read_bytes() == NET_B


def test_files_that_are_whole_are_not_fetched_again(server: Server, tmp_path: Path) -> None:
    obtain(to(tmp_path, server.archive()))
    obtain(to(tmp_path, server.archive()))
    assert len(server.asked) == 1


def test_a_damaged_file_is_named_and_fetched_again(server: Server, tmp_path: Path) -> None:
    obtain(to(tmp_path, server.archive()))
    damaged = tmp_path / "networks" / "b.tflite"
    damaged.write_bytes(b"x" * len(NET_B))
    assert _lacking(server.archive(), tmp_path) == ("b.tflite",)
    with pytest.raises(EngineError, match=r"b\.tflite is damaged") as refusal:
        verified(FILES[1], tmp_path / "networks")
    assert "python -m pose_service fetch-weights embedded" in refusal.value.hint
    obtain(to(tmp_path, server.archive()))
    assert damaged.read_bytes() == NET_B


def test_a_missing_file_says_what_it_is_for_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"a\.tflite is missing: a net") as refusal:
        verified(FILES[0], tmp_path)
    assert "fetch-weights" in refusal.value.hint
    with pytest.raises(EngineError, match=f"Looked in: {tmp_path}/networks"):
        located(FILES[0], Settings(data_dir=tmp_path))


def test_a_short_file_says_both_sizes(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"x")
    with pytest.raises(EngineError, match="expected 32000 bytes, got 1"):
        verified(FILES[0], tmp_path)


def test_a_cut_line_is_taken_up_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = [30_000]
    obtain(to(tmp_path, server.archive()))
    assert server.asked == [None, "bytes=30000-"]
    assert _lacking(server.archive(), tmp_path) == ()


def test_the_next_run_goes_on_from_the_part_of_the_last(server: Server, tmp_path: Path) -> None:
    _part(tmp_path, WHEEL[:50_000])
    obtain(to(tmp_path, server.archive()))
    assert server.asked == ["bytes=50000-"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    _part(tmp_path, b"?" * 50_000)
    obtain(to(tmp_path, server.archive()))
    assert _lacking(server.archive(), tmp_path) == ()


@pytest.mark.parametrize("length", [40_000, len(WHEEL), len(WHEEL) + 9])
def test_a_corrupted_part_is_thrown_away_and_fetched_once_more(
    server: Server, tmp_path: Path, length: int
) -> None:
    _part(tmp_path, b"?" * length)
    obtain(to(tmp_path, server.archive()))
    assert _lacking(server.archive(), tmp_path) == ()
    assert server.asked[-1] is None


def test_wrong_content_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.content = bytes(len(WHEEL))
    with pytest.raises(FetchError, match="SHA-256") as refusal:
        obtain(to(tmp_path, server.archive()))
    assert server.asked == [None], "what came in one go is no better the second time"
    assert "POSE_WEIGHTS_MIRROR" in refusal.value.hint
    assert names(tmp_path) == set()


def test_another_size_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    server.content = b"<html>Please log in to this network</html>"
    with pytest.raises(FetchError, match=f"expected {len(WHEEL)} bytes, got 42"):
        obtain(to(tmp_path, server.archive()))
    assert len(server.asked) == 1


def test_an_endless_body_is_refused_when_it_is_too_long(server: Server, tmp_path: Path) -> None:
    server.send_length = False
    server.content = WHEEL + bytes(600_000)
    with pytest.raises(FetchError, match="got more than"):
        obtain(to(tmp_path, server.archive()))


def test_an_answer_of_404_is_said_with_the_address(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(FetchError, match=r"nets\.whl: the server answers 404"):
        obtain(to(tmp_path, server.archive()))


def test_a_line_that_brings_nothing_gives_up_and_keeps_the_part(
    server: Server, tmp_path: Path
) -> None:
    server.cut_after = [20_000, 0]
    with pytest.raises(FetchError, match="cut") as refusal:
        obtain(to(tmp_path, server.archive()))
    assert "goes on from there" in refusal.value.hint
    part = tmp_path / "networks" / "incoming" / "nets.whl.part"
    assert part.read_bytes() == WHEEL[:20_000]


def test_no_network_is_one_clear_error(server: Server, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    nobody_listens = replace(server.archive(), urls=(f"http://127.0.0.1:{port}/nets.whl",))
    with pytest.raises(FetchError, match="cannot be fetched") as refusal:
        obtain(to(tmp_path, nobody_listens))
    assert "--from FILE" in refusal.value.hint


def test_a_mirror_takes_the_place_of_the_package_host(server: Server, tmp_path: Path) -> None:
    archive = replace(server.archive(), urls=(f"{DEFAULT_HOST}/packages/nets.whl",))
    obtain(to(tmp_path, archive, mirror=f"{server.url}/"))
    assert _lacking(archive, tmp_path) == ()
    assert server.paths == ["/packages/nets.whl"]


def test_a_mirror_is_asked_for_the_bare_name_of_what_comes_from_elsewhere() -> None:
    source = replace(Server().archive(), urls=("https://one/a/x.tar", "https://two/x.tar"))
    assert addresses(source, "https://mirror/") == (
        "https://mirror/nets.whl", "https://one/a/x.tar", "https://two/x.tar",
    )  # fmt: skip
    assert addresses(source, None) == source.urls


def test_progress_ends_at_the_whole_size(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    delivery = replace(to(tmp_path, server.archive()), report=lambda *step: seen.append(step))
    obtain(delivery)
    fetched = [step[1:] for step in seen if step[0] == "fetching nets.whl"]
    assert fetched[-1] == (len(WHEEL), len(WHEEL))
    assert fetched == sorted(fetched)
    assert ("writing b.tflite", len(NET_B), len(NET_B)) in seen


def test_a_full_disk_is_said_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(SpaceError, match="MB are needed in"):
        obtain(to(tmp_path, server.archive()))
    assert server.asked == []


@pytest.mark.skipif(not FULL_DEVICE.exists(), reason="the system has no device that is always full")
def test_a_disk_that_fills_while_fetching_is_said_in_words(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "networks" / "incoming" / "nets.whl.part"
    part.parent.mkdir(parents=True)
    part.symlink_to(FULL_DEVICE)
    with pytest.raises(SpaceError, match="the disk is full") as refusal:
        obtain(to(tmp_path, server.archive()))
    assert "Free some space" in refusal.value.hint
    assert len(server.asked) == 1, "no other address helps"


@pytest.mark.skipif(not FULL_DEVICE.exists(), reason="the system has no device that is always full")
def test_a_disk_that_fills_while_unpacking_keeps_what_was_fetched(
    server: Server, tmp_path: Path
) -> None:
    incoming = tmp_path / "networks" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "b.tflite").symlink_to(FULL_DEVICE)
    with pytest.raises(SpaceError, match="the disk is full"):
        obtain(to(tmp_path, server.archive()))
    assert names(tmp_path) == {"a.tflite", "nets.whl"}
    obtain(to(tmp_path, server.archive()))
    assert names(tmp_path) == {"a.tflite", "b.tflite"}
    assert len(server.asked) == 1


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FetchError, match="file") as refusal:
        obtain(to(tmp_path / "file", server.archive()))
    assert "POSE_DATA_DIR" in refusal.value.hint


def test_a_folder_that_may_not_be_written_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(FetchError, match="cannot be written: Permission denied") as refusal:
        obtain(to(tmp_path, server.archive()))
    assert "POSE_DATA_DIR" in refusal.value.hint
    assert server.asked == []


def test_a_second_process_is_told_that_the_first_is_fetching(
    server: Server, tmp_path: Path
) -> None:
    incoming = tmp_path / "networks" / "incoming"
    incoming.mkdir(parents=True)
    with closing(sqlite3.connect(incoming / ".lock", isolation_level=None)) as first:
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(FetchError, match="another process is fetching into") as refusal:
            obtain(to(tmp_path, server.archive()))
    assert "Wait until it is done" in refusal.value.hint
    assert server.asked == []


def test_an_archive_without_the_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.whl").write_bytes(zipped({"nets/a.bin": NET_A}))
    with pytest.raises(FetchError, match=r"nets/b\.bin"):
        take_from(tmp_path / "other.whl", (to(tmp_path / "data", Server().archive()),))


def test_the_archive_itself_serves_without_a_net(tmp_path: Path) -> None:
    wheel = tmp_path / "another name.whl"
    wheel.write_bytes(WHEEL)
    take_from(wheel, (to(tmp_path / "data", Server().archive()),))
    assert names(tmp_path / "data") == {"a.tflite", "b.tflite"}
    assert wheel.is_file()


def test_a_folder_with_the_files_serves_without_a_net(tmp_path: Path) -> None:
    source = tmp_path / "stick"
    source.mkdir()
    (source / "a.tflite").write_bytes(NET_A)
    (source / "b.tflite").write_bytes(NET_B)
    take_from(source, (to(tmp_path / "data", Server().archive()),))
    assert _lacking(Server().archive(), tmp_path / "data") == ()


def test_a_folder_with_the_archive_serves_too(tmp_path: Path) -> None:
    (tmp_path / "nets.whl").write_bytes(WHEEL)
    take_from(tmp_path, (to(tmp_path / "data", Server().archive()),))
    assert _lacking(Server().archive(), tmp_path / "data") == ()
    assert (tmp_path / "nets.whl").is_file()


def test_wrong_files_from_a_folder_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"?" * len(NET_A))
    with pytest.raises(FetchError, match=r"a\.tflite in the source is not the wanted file"):
        take_from(tmp_path, (to(tmp_path / "data", Server().archive()),))
    assert names(tmp_path / "data") == set()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "nowhere does not exist"),
        ("text", "text is none of the files that are wanted"),
        ("empty", "empty has none of the files that are wanted"),
    ],
)
def test_a_source_that_cannot_serve_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "text").write_text("not a wheel")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPathError, match=message) as refusal:
        take_from(tmp_path / source, (to(tmp_path / "data", Server().archive()),))
    assert "nets.whl or a.tflite or b.tflite" in refusal.value.hint


def test_files_that_are_whole_need_no_source(tmp_path: Path) -> None:
    wheel = tmp_path / "nets.whl"
    wheel.write_bytes(WHEEL)
    delivery = to(tmp_path / "data", Server().archive())
    take_from(wheel, (delivery,))
    wheel.unlink()
    take_from(wheel, (delivery,))
    assert delivery.lacking == ()


def test_networks_lie_in_the_data_folder() -> None:
    assert networks_dir(Settings(data_dir=Path("/srv/pose"))) == Path("/srv/pose/networks")


def test_a_mirror_that_is_no_address_is_a_bad_setting() -> None:
    with pytest.raises(SettingsError, match="POSE_WEIGHTS_MIRROR"):
        read_settings({"POSE_WEIGHTS_MIRROR": "mirror.example"})
