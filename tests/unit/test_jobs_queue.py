import json
import signal
import sqlite3
from pathlib import Path

from jobs_kit import eventually

from pose_service.jobs.lock import StateLock
from pose_service.jobs.queue import ClipQueue


def test_messages_in_the_queue_file_are_json_and_no_pickle(tmp_path: Path) -> None:
    queue = ClipQueue(tmp_path / "queue.sqlite", lambda job_id: None)
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
    queue = ClipQueue(tmp_path / "queue.sqlite", run.append)
    # a protocol-0 pickle that calls os.system, written by hand
    hostile = f"cos\nsystem\n(S'touch {tmp_path / 'owned'}'\ntR.".encode()
    connection = sqlite3.connect(tmp_path / "queue.sqlite")
    connection.execute("INSERT INTO task (queue, data) VALUES ('clips', ?)", (hostile,))
    connection.commit()
    connection.close()
    queue.put("good")
    queue.keep_running()
    eventually(lambda: run == ["good"])
    assert queue.stop(5.0)
    assert not (tmp_path / "owned").exists()


def test_ids_are_run_in_order_and_those_not_yet_taken_can_be_seen(tmp_path: Path) -> None:
    run: list[str] = []
    queue = ClipQueue(tmp_path / "queue.sqlite", run.append)
    for job_id in "abc":
        queue.put(job_id)
    assert queue.waiting() == ["a", "b", "c"]
    queue.keep_running()
    eventually(lambda: run == ["a", "b", "c"])
    assert queue.waiting() == []
    assert queue.stop(5.0)


def test_a_refilled_queue_forgets_what_was_there(tmp_path: Path) -> None:
    run: list[str] = []
    queue = ClipQueue(tmp_path / "queue.sqlite", run.append)
    queue.put("forgotten")
    queue.refill(["first", "second"])
    queue.keep_running()
    eventually(lambda: len(run) == 2)
    assert queue.stop(5.0)
    assert run == ["first", "second"]


def test_the_servers_signal_handlers_are_left_alone(tmp_path: Path) -> None:
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in signals]
    queue = ClipQueue(tmp_path / "queue.sqlite", lambda job_id: None)
    queue.keep_running()
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
