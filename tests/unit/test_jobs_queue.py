import json
import signal
import sqlite3
from pathlib import Path

import pytest
from jobs_kit import eventually

from pose_service.core.config import Settings, SettingsError
from pose_service.jobs.lock import StateLock
from pose_service.jobs.queue import ClipQueue, open_queue


def queue_in(folder: Path) -> ClipQueue:
    return open_queue(Settings(state_dir=folder))


def test_messages_in_the_queue_file_are_json_and_no_pickle(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    queue.put("some-id")
    connection = sqlite3.connect(tmp_path / "queue.sqlite")
    [(data,)] = connection.execute("SELECT data FROM task").fetchall()
    connection.close()
    assert ["some-id"] in json.loads(data)
    queue.stop(1.0)


def test_a_pickle_slipped_into_the_queue_file_is_not_run_and_does_not_stop_the_worker(
    tmp_path: Path,
) -> None:
    run: list[str] = []
    queue = queue_in(tmp_path)
    # a protocol-0 pickle that calls os.system, written by hand
    hostile = f"cos\nsystem\n(S'touch {tmp_path / 'owned'}'\ntR.".encode()
    connection = sqlite3.connect(tmp_path / "queue.sqlite")
    connection.execute("INSERT INTO task (queue, data) VALUES ('clips', ?)", (hostile,))
    connection.commit()
    connection.close()
    queue.put("good")
    queue.keep_running(run.append)
    eventually(lambda: run == ["good"])
    assert queue.stop(5.0)
    assert not (tmp_path / "owned").exists()


def test_ids_are_run_in_order_and_those_not_yet_taken_can_be_seen(tmp_path: Path) -> None:
    run: list[str] = []
    queue = queue_in(tmp_path)
    for job_id in "abc":
        queue.put(job_id)
    assert queue.waiting() == ["a", "b", "c"]
    queue.keep_running(run.append)
    eventually(lambda: run == ["a", "b", "c"])
    assert queue.waiting() == []
    assert queue.stop(5.0)


def test_filling_up_adds_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    queue.put("there")
    queue.fill_up(["there", "lost"])
    assert queue.waiting() == ["there", "lost"]
    queue.stop(1.0)


def test_what_is_no_message_is_passed_over_when_the_queue_is_looked_through(
    tmp_path: Path,
) -> None:
    queue = queue_in(tmp_path)
    connection = sqlite3.connect(tmp_path / "queue.sqlite")
    for data in (b"\x80\x04.", b"[]", b'"text"', b"{}", b"null"):
        connection.execute("INSERT INTO task (queue, data) VALUES ('clips', ?)", (data,))
    connection.commit()
    connection.close()
    queue.fill_up(["good"])
    assert queue.waiting() == ["good"]
    queue.stop(1.0)


@pytest.mark.parametrize("url", ["amqp://geheim@host", "redis://:geheim@host:x/0", "geheim"])
def test_a_queue_address_that_cannot_be_used_is_refused_without_repeating_it(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError, match="POSE_QUEUE_URL cannot be used") as caught:
        open_queue(Settings.model_validate({"state_dir": tmp_path, "queue_url": url}))
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


def test_the_servers_signal_handlers_are_left_alone(tmp_path: Path) -> None:
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    queue = queue_in(tmp_path)
    queue.keep_running(lambda job_id: None)
    assert [signal.getsignal(number) for number in signals] == before
    queue.stop(5.0)


def test_the_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = StateLock(tmp_path / "lock"), StateLock(tmp_path / "lock")
    assert first.acquire() and first.acquire()
    assert [second.acquire(), second.held] == [False, False]
    first.release()
    assert [second.acquire(), second.held] == [True, True]
    assert not first.acquire()
    second.release()
