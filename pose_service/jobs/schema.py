"""The one table of the job store, and how a row becomes a `Job`."""

from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Column, Enum, Float, Integer, MetaData, Row, String, Table, Text

from pose_service.jobs.records import Job, JobOptions, JobState

_STATE = Enum(
    JobState, native_enum=False, length=16, values_callable=lambda states: [*map(str, states)]
)

jobs = Table(
    "jobs",
    MetaData(),
    Column("arrival", Integer, primary_key=True),
    Column("job_id", String(36), nullable=False, unique=True),
    Column("state", _STATE, nullable=False),
    Column("source_path", Text, nullable=False),
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
    # the place of a removed job is never given again: arrival is the order of the queue
    sqlite_autoincrement=True,
)


def values_of(job: Job) -> dict[str, Any]:
    """The columns of a new row."""
    return {
        **vars(job),
        "source_path": str(job.source_path),
        "options": job.options.to_json(),
    }


def job_of(row: Row[Any]) -> Job:
    """The record in a row of all columns."""
    values = dict(row._mapping)
    del values["arrival"]
    values["source_path"] = Path(values["source_path"])
    values["options"] = JobOptions.from_json(values["options"])
    return Job(**values)
