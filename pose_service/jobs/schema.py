"""The tables of the job database, and how a row becomes a record."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Enum,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
)

from pose_service.jobs.records import Job, JobKind, JobOptions, JobState, Progress, Terms

metadata = MetaData()

_STATE = Enum(
    JobState, native_enum=False, length=16, values_callable=lambda states: [*map(str, states)]
)

# A column that an older database lacks is added to it: every new one is nullable or has a
# server_default, so that both versions can write.
jobs = Table(
    "jobs",
    metadata,
    Column("arrival", Integer, primary_key=True),
    Column("job_id", String(36), nullable=False, unique=True),
    Column("state", _STATE, nullable=False),
    Column("source_path", Text, nullable=False, key="source"),
    Column("video_path", Text, nullable=False),
    Column("uploaded", Boolean, nullable=False),
    Column("options", Text, nullable=False),
    Column("queued_at", Float, nullable=False),
    Column("started_at", Float),
    Column("completed_at", Float),
    Column("attempts", Integer, nullable=False),
    Column("stage", Text, nullable=False),
    Column("frames_done", Integer, nullable=False),
    Column("frames_total", Integer),
    Column("error", Text),
    Column("error_type", Text),
    Column("error_status", Integer),
    Column("error_hint", Text),
    Column("kind", String(16), nullable=False, server_default="clip"),
    Column("asked", Text, nullable=False, server_default=""),
    Column("user_id", Text),
    Column("claims", Integer, nullable=False, server_default="0"),
    Column("worker_id", String(36)),
    Column("stored_source", Text),
    Column("rate_fps", Float),
    Column("client", Text, nullable=False, server_default=""),
    Column("keep_s", Float),
    Column("callback_url", Text),
    Column("callback_tries", Integer, nullable=False, server_default="0"),
    Column("callback_due", Float),
    Column("idempotency_key", Text),
    Column("request_digest", Text),
    Index("jobs_by_state", "state", "arrival"),
    Index("jobs_by_key", "idempotency_key", unique=True),
    Index("jobs_by_user", "user_id"),
    # the place of a removed job is never given again: arrival is the order of the queue
    sqlite_autoincrement=True,
)

notes = Table(
    "job_notes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("job_id", String(36), nullable=False),
    Column("written_at", Float, nullable=False),
    Column("line", Text, nullable=False),
    Index("notes_by_job", "job_id", "number"),
    sqlite_autoincrement=True,
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", String(36), primary_key=True),
    Column("label", Text, nullable=False),
    Column("engine_state", Text, nullable=False),
    Column("job_id", String(36)),
    Column("jobs_done", Integer, nullable=False),
    Column("beats", Integer, nullable=False),
)

chunks = Table(
    "job_chunks",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("made_by", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker_id", String(36)),
    Column("done", Boolean, nullable=False, server_default="0"),
)

# An avatar has the id of the job that made it. Of one that was removed only id and time are left,
# until its files are surely gone.
avatars = Table(
    "avatars",
    metadata,
    Column("avatar_id", String(36), primary_key=True),
    Column("user_id", Text),
    Column("version", Integer),
    Column("created_at", Float),
    Column("key", Text),
    Column("record", Text),
    Column("removed_at", Float),
    Index("avatars_by_user", "user_id", "version", unique=True),
)

_OF_THE_STORE = ("arrival", "callback_tries", "callback_due")
_FLAT = {"terms": Terms, "progress": Progress}


def values_of(job: Job) -> dict[str, Any]:
    """The columns of a new row."""
    values = dict(vars(job))
    for name in _FLAT:
        values |= asdict(values.pop(name))
    return {**values, "options": job.options.to_json()}


def job_of(row: Row[Any]) -> Job:
    """The record in a row of all columns."""
    own = (column for column in jobs.c if column.key not in _OF_THE_STORE)
    values = {column.key: row._mapping[column] for column in own}
    for name, kind in _FLAT.items():
        values[name] = kind(**{one.name: values.pop(one.name) for one in fields(kind)})
    values["kind"] = JobKind(values["kind"])
    values["options"] = JobOptions.from_json(values["options"])
    return Job(**values)
