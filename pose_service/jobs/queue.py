"""ClipQueue: job ids on their way to the one worker thread; huey on a database file."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from huey import SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message

LOOK_EVERY_S = 0.1
"""How often an idle worker looks into the queue; it may be filled by another process too."""


class JsonMessages:
    """huey's messages as JSON. Its own choice is pickle, which runs whatever a file tells it to."""

    def serialize(self, message: Message) -> bytes:
        return json.dumps(message).encode()

    def deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


class EmbeddedConsumer(Consumer):  # type: ignore[misc]  # huey has no types
    """huey's consumer inside a server.

    As it comes it is a program of its own: it takes over the process's signals, which works on the
    main thread only and would deafen the server that is there already.
    """

    def _set_signal_handlers(self) -> None:
        """Signals stay with the server, which calls `stop`."""


class ClipQueue:
    """First in, first out; one at a time. `run(job_id)` is called on the worker thread.

    An exception that leaves `run` is logged by huey and the worker goes on with the next id.
    """

    def __init__(self, path: Path, run: Callable[[str], None]) -> None:
        self._huey = SqliteHuey(
            "clips", filename=str(path), results=False, serializer=JsonMessages(), strict_fifo=True
        )
        self._task = self._huey.task(name="process_clip")(run)
        self._consumer: EmbeddedConsumer | None = None

    def put(self, job_id: str) -> None:
        """Add to the end; any process on the same file may run it."""
        self._task(job_id)

    def waiting(self) -> list[str]:
        """Ids that no worker has taken yet, in order."""
        return [task.args[0] for task in self._huey.pending()]

    def refill(self, job_ids: Iterable[str]) -> None:
        """Let exactly these wait, in this order."""
        self._huey.storage.flush_queue()
        for job_id in job_ids:
            self.put(job_id)

    def keep_running(self) -> None:
        """Start the worker; start it again if a clip took its thread along (`SystemExit` does)."""
        if self._consumer is not None:
            self._consumer.check_worker_health()
            return
        self._consumer = EmbeddedConsumer(
            self._huey,
            workers=1,
            periodic=False,
            initial_delay=LOOK_EVERY_S,
            max_delay=LOOK_EVERY_S,
            scheduler_interval=60,
        )
        self._consumer.start()

    def stop(self, timeout_s: float) -> bool:
        """Take no further id and wait for the one in hand; True if the worker has ended."""
        if self._consumer is not None:
            self._consumer.shutdown_timeout = timeout_s
            self._consumer.stop(graceful=True)
            if any(thread.is_alive() for _, thread in self._consumer.worker_threads):
                return False
            self._consumer = None
        self._huey.storage.close()
        return True
