"""ClipQueue: tells workers that a clip waits; huey on a database file, or on Redis."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from huey import RedisHuey, SqliteHuey
from huey.api import Huey
from huey.consumer import Consumer
from huey.exceptions import ConfigurationError
from huey.registry import Message

from pose_service.core.config import Settings, SettingsError

LOOK_EVERY_S = 0.1
"""How often an idle worker looks into the database file; other processes fill it, too."""

CONNECT_S, ANSWER_S = 2.0, 5.0
_NAME = "clips"
_SQLITE_FAULTS: tuple[type[Exception], ...] = (sqlite3.Error,)

log = logging.getLogger(__name__)


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
    """Messages that a clip waits, each with a job's id. Which clip is next the job store decides.

    So a message that is lost, doubled or out of order does no harm, as long as there is one for
    every clip that waits: see `fill_up`. Where the queue itself fails, `faults` are raised.
    """

    def __init__(
        self,
        huey: Huey,
        faults: tuple[type[Exception], ...] = _SQLITE_FAULTS,
        longest_pause_s: float = LOOK_EVERY_S,
    ) -> None:
        self.faults = faults
        self._huey = huey
        self._longest_pause_s = longest_pause_s
        self._run: Callable[[str], None] | None = None
        self._task = huey.task(name="process_clip")(self._called)
        self._consumer: EmbeddedConsumer | None = None

    def put(self, job_id: str) -> None:
        """Tell that a clip waits; any process on the same queue may hear it."""
        self._task(job_id)

    def waiting(self) -> list[str]:
        """Ids in the messages that nobody has heard yet."""
        return [job_id for data in self._huey.storage.enqueued_items() for job_id in _ids_in(data)]

    def fill_up(self, job_ids: Iterable[str]) -> None:
        """Let there be a message for each of these; those that are too many are left."""
        waiting = set(self.waiting())
        for job_id in job_ids:
            if job_id not in waiting:
                self.put(job_id)

    def keep_running(self, run: Callable[[str], None]) -> None:
        """Call `run` on a thread of its own for each message; start that thread again if it died.

        (`SystemExit` in a clip ends it.) An exception that leaves `run` is logged by huey and the
        thread goes on with the next message.
        """
        if self._consumer is not None:
            self._consumer.check_worker_health()
            return
        self._run = run
        self._consumer = EmbeddedConsumer(
            self._huey,
            workers=1,
            periodic=False,
            initial_delay=LOOK_EVERY_S,
            max_delay=self._longest_pause_s,
            scheduler_interval=60,
        )
        self._consumer.start()

    def stop(self, timeout_s: float) -> bool:
        """Hear no further message and wait for the clip in hand; True if the thread has ended."""
        if self._consumer is not None:
            self._consumer.shutdown_timeout = timeout_s
            self._consumer.stop(graceful=True)
            if any(thread.is_alive() for _, thread in self._consumer.worker_threads):
                return False
            self._consumer = None
        self._close()
        return True

    def _close(self) -> None:
        self._huey.storage.close()
        if (pool := getattr(self._huey.storage, "pool", None)) is not None:
            pool.disconnect()

    def _called(self, job_id: str) -> None:
        if self._run is not None:
            self._run(job_id)


def _ids_in(data: bytes) -> list[str]:
    """The id in a message; none in what somebody else has put there."""
    try:
        message = JsonMessages().deserialize(data)
        return [str(message.args[0])]
    except (ValueError, TypeError, IndexError, KeyError):
        return []


def open_queue(settings: Settings) -> ClipQueue:
    """The queue of `POSE_QUEUE_URL` (Redis), else `queue.sqlite` in the state folder.

    Nobody is asked yet: a Redis that is not there may come later. Raises `SettingsError` for an
    address that cannot be used.
    """
    options: dict[str, Any] = {"results": False, "serializer": JsonMessages()}
    if settings.queue_url is None:
        path = settings.state_dir / "queue.sqlite"
        return ClipQueue(SqliteHuey(_NAME, filename=str(path), strict_fifo=True, **options))
    url = settings.queue_url.get_secret_value()
    if url.partition("://")[0] not in ("redis", "rediss"):
        raise SettingsError(
            "POSE_QUEUE_URL cannot be used",
            hint="Expected redis://user:password@host:6379/0, or rediss:// for TLS.",
        )
    return _on_redis(url, options)


def _on_redis(url: str, options: dict[str, Any]) -> ClipQueue:
    try:
        # only where it is needed: a single machine does without the package
        from redis import ConnectionPool
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError
        from redis.retry import Retry
    except ImportError as error:
        raise SettingsError(
            "POSE_QUEUE_URL needs the package redis, which is not installed",
            hint="Run `python -m pip install -r requirements-cluster.txt`.",
        ) from error
    try:
        pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            health_check_interval=15,
            # once more on a connection that the server has dropped; callers must not wait long
            retry=Retry(NoBackoff(), 1),
        )
        huey = RedisHuey(_NAME, connection_pool=pool, **options)
    except (ValueError, ConfigurationError):
        # their text may repeat the address
        raise SettingsError(
            "POSE_QUEUE_URL cannot be used", hint="Expected redis://user:password@host:6379/0."
        ) from None
    # idle workers wait inside Redis: pauses are for when it is away
    return ClipQueue(huey, (RedisError,), longest_pause_s=2.0)
