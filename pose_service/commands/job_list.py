"""The jobs there are: of a running service, or of the state folder on this machine."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from pose_service.core.config import Settings
from pose_service.core.errors import PoseError
from pose_service.core.logs import without_secrets
from pose_service.jobs.database import open_database
from pose_service.jobs.describe import described
from pose_service.jobs.records import JobState
from pose_service.jobs.store import JobStore

ANSWER_WITHIN_S = 10.0
_ORDER = ("processing", "queued")


class JobListError(PoseError):
    """The jobs cannot be read."""

    code = "JOBS_UNREADABLE"


@dataclass(frozen=True)
class JobLine:
    """What the table says of one job. `place`: 1 for the next to run, 0 for one that does not wait.

    `done` and `total` are frames of the stage in hand, `total` None where it is not known.
    """

    job_id: str
    state: str
    clip: str
    place: int = 0
    stage: str = ""
    done: int = 0
    total: int | None = None
    rate_fps: float | None = None
    seconds_left: float | None = None
    error: str = ""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """A job as `GET /jobs` lists it; what is not said has its default."""
        progress = record.get("progress") or {}
        why = filter(None, (record.get("error_type"), record.get("error")))
        return cls(
            job_id=printable(record["job_id"]),
            state=printable(record["state"]),
            clip=printable(record.get("video_path") or ""),
            place=int(record.get("queue_position") or 0),
            stage=printable(progress.get("stage") or ""),
            done=int(progress.get("frames_done") or 0),
            total=progress.get("frames_total"),
            rate_fps=progress.get("rate_fps"),
            seconds_left=progress.get("seconds_left"),
            error=printable(": ".join(map(str, why))),
        )


def printable(value: object) -> str:
    """Text that cannot steer a terminal: a clip's name is its sender's choice.

    >>> printable("a\\x1b[2Jb.mp4")
    'a?[2Jb.mp4'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def in_order(jobs: Sequence[JobLine]) -> list[JobLine]:
    """What runs, then what waits in its order, then what is finished as it came."""

    def key(line: JobLine) -> tuple[int, int]:
        rank = _ORDER.index(line.state) if line.state in _ORDER else len(_ORDER)
        return rank, line.place

    return sorted(jobs, key=key)


def jobs_at(url: str, limit: int) -> list[JobLine]:
    """The last `limit` jobs of the service at `url`, in the table's order."""
    if not url.startswith(("http://", "https://")):
        raise JobListError(f"--url: expected http://HOST:PORT, got {without_secrets(url)}")
    try:
        with urllib.request.urlopen(
            f"{url.rstrip('/')}/jobs?limit={limit}", timeout=ANSWER_WITHIN_S
        ) as answer:
            records = orjson.loads(answer.read())["jobs"]
        return in_order([JobLine.of(record) for record in records])
    except (OSError, http.client.HTTPException) as error:
        raise JobListError(
            f"{without_secrets(url)}/jobs cannot be read: {error}", hint="Is the service there?"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JobListError(
            f"{without_secrets(url)}/jobs does not answer with a list of jobs",
            hint="Is another program listening there?",
        ) from error


def jobs_here(settings: Settings, limit: int) -> list[JobLine]:
    """The last `limit` jobs that are kept where the settings say, in the table's order."""
    if settings.database_url is None and not (settings.state_dir / "jobs.sqlite").is_file():
        return []
    store = JobStore(open_database(settings))
    try:
        newest = store.newest([*JobState], limit)
        return in_order(
            [JobLine.of(described(job, store.queue_position(job.job_id))) for job in newest]
        )
    finally:
        store.close()
