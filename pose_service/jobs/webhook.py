"""Webhooks: the caller of a job is told when it is finished, signed, and again until it hears."""

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pose_service.core.config import Settings
from pose_service.core.errors import BadRequestError, PoseError
from pose_service.core.secrets import without_secrets
from pose_service.jobs.database import DatabaseError
from pose_service.jobs.records import Job
from pose_service.jobs.store import JobStore
from pose_service.media.addresses import CheckedUrl, check_url
from pose_service.media.fetch import Pinned

SIGNATURE = "X-Pose-Signature"
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""After each failed try; after the last the caller is not told."""

LOOK_EVERY_S = 1.0
ANSWER_WITHIN_S = 10.0

log = logging.getLogger(__name__)


def check_callback(url: str, settings: Settings) -> None:
    """Raise `BadUrlError` or `BadRequestError` for an address that would never be told."""
    if settings.webhook_secret is None:
        raise BadRequestError(
            "callback_url: this service has no secret to sign its calls with",
            hint="Set POSE_WEBHOOK_SECRET, or poll GET /jobs/<job_id>.",
        )
    check_url(url, allow_private=settings.allow_private_urls)


def signature(secret: str, sent_at: int, body: bytes) -> str:
    """`t=<epoch seconds>,v1=<hex>`: HMAC-SHA256 over `<epoch seconds>.<body>`.

    Whoever is called makes it again from the body as it came, compares, and refuses old times.

    >>> signature("geheim", 1, b"{}")[:20]
    't=1,v1=495e69ef77478'
    """
    signed = f"{sent_at}.".encode() + body
    return f"t={sent_at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def put_off_s(tries: int) -> float | None:
    """When the next try is due after `tries` that failed before this one; None for never."""
    return PAUSES_S[tries] if tries < len(PAUSES_S) else None


class Courier:
    """A thread that tells callers of finished jobs. Several processes share the work.

    A call that is cut off by the death of its process is made again: at least once, not exactly
    once. The body names the job and its state, so that a second call does no harm.
    """

    def __init__(
        self, settings: Settings, store: JobStore, tell: Callable[[Job], Mapping[str, Any]]
    ) -> None:
        self._settings = settings
        self._store = store
        self._tell = tell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        if self._settings.webhook_secret is not None:
            self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._store.due_callback(put_off_s)
                if job is not None:
                    self._call(job)
                    continue
            except DatabaseError as error:
                log.warning("[JOB] callers cannot be told: %s", error)
            self._stopping.wait(LOOK_EVERY_S)

    def _call(self, job: Job) -> None:
        url = job.terms.callback_url or ""
        shown = without_secrets(url)
        try:
            checked = check_url(url, allow_private=self._settings.allow_private_urls)
            status = self._post(checked, json.dumps(dict(self._tell(job))).encode())
        except (PoseError, OSError, http.client.HTTPException) as error:
            self._store.note(job.job_id, f"callback to {shown} failed: {error}")
            return
        if 200 <= status < 300:
            self._store.callback_done(job.job_id)
        # a redirect is not followed: it would lead past the check, and drop the body
        self._store.note(job.job_id, f"callback to {shown}: {status}")

    def _post(self, checked: CheckedUrl, body: bytes) -> int:
        assert self._settings.webhook_secret is not None
        secret = self._settings.webhook_secret.get_secret_value()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "pose-service",
            SIGNATURE: signature(secret, int(time.time()), body),
        }
        connection = Pinned(checked, ANSWER_WITHIN_S)
        try:
            connection.request("POST", checked.target, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
