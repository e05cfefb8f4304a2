"""Jobs: what there is, how far each is, its end by cancelling, and its story as it happens."""

from collections.abc import Iterator

from flask import Blueprint, Response, request

from pose_service.core.errors import UnavailableError
from pose_service.jobs.describe import described
from pose_service.jobs.records import Job, JobState
from pose_service.jobs.service import JobService
from pose_service.legacy.encode import encode
from pose_service.web.answers import json_answer
from pose_service.web.clip_jobs import find_job
from pose_service.web.forms import EndForm, JobsForm, read_form
from pose_service.web.request_log import note
from pose_service.web.service import service

blueprint = Blueprint("jobs", __name__)

EVENTS_TYPE = "text/event-stream"
QUIET_S = 5.0
"""After so long without news a comment is sent: a caller that has gone is noticed by it."""


@blueprint.get("/jobs")
def all_jobs() -> Response:
    """The jobs, last come first, a page at a time, and how many there are in each state."""
    here = service().jobs
    wanted = read_form(JobsForm, request.args, text=True)
    states = wanted.state or [*JobState]
    page = here.newest(states, wanted.limit + 1, wanted.before)
    shown, more = page[: wanted.limit], len(page) > wanted.limit
    return json_answer(
        {
            "jobs": [_described(here, job) for job in shown],
            "next": shown[-1].job_id if more else None,
            "counts": {state.value: count for state, count in here.counts().items()},
        }
    )


@blueprint.get("/jobs/<job_id>")
def one_job(job_id: str) -> Response:
    """Where a job is; its result is asked for at /pose/video/status/<job_id>."""
    return json_answer(_described(service().jobs, find_job(job_id, None)))


@blueprint.delete("/jobs/<job_id>")
def end_job(job_id: str) -> Response:
    """Cancel a job that waits or runs; with `remove=true` delete it with all its files."""
    here = service().jobs
    note(job_id=job_id)
    if read_form(EndForm, request.args, text=True).remove:
        here.remove(job_id)
        return json_answer({"job_id": job_id, "removed": True})
    return json_answer({**_described(here, here.cancel(job_id)), "removed": False})


@blueprint.get("/jobs/<job_id>/events")
def events(job_id: str) -> Response:
    """Server-sent events: `progress` each time that the job has changed, `end` at its end."""
    find_job(job_id, None)
    here = service()
    if not here.watching.acquire(blocking=False):
        raise UnavailableError(
            "too many callers follow jobs already", hint="Poll GET /jobs/<job_id> instead.",
            code="TOO_MANY_WATCHERS",
        )  # fmt: skip
    response = Response(_events(here.jobs, job_id), content_type=EVENTS_TYPE)
    response.headers["Cache-Control"] = "no-store"
    # nginx would else hold them back until it has a few kilobytes
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(here.watching.release)
    return response


def _events(jobs: JobService, job_id: str) -> Iterator[bytes]:
    """Runs on when the request's own context is gone."""
    for job in jobs.follow(job_id, QUIET_S):
        if job is None:
            yield b": still here\n\n"
        else:
            name = b"end" if job.finished else b"progress"
            yield b"event: %b\ndata: %b\n\n" % (name, encode(_described(jobs, job)))


def _described(jobs: JobService, job: Job) -> dict[str, object]:
    waits = job.state is JobState.QUEUED
    return described(job, jobs.queue_position(job.job_id) if waits else 0)
