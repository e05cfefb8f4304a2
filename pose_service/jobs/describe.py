"""A job as JSON: for GET /jobs, its events, and the call that tells that it is finished."""

from typing import Any

from pose_service.jobs.records import Job


def described(job: Job, queue_position: int = 0) -> dict[str, Any]:
    """Everything of a job that its caller may know; times are epoch seconds, or null."""
    return {
        "job_id": job.job_id,
        "kind": job.kind.value,
        "state": job.state.value,
        "done": job.finished,
        "video_path": job.video_path,
        "queued_at": job.queued_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "queue_position": queue_position,
        "progress": progress_of(job),
        "attempts": job.attempts,
        "keep_days": None if job.terms.keep_s is None else round(job.terms.keep_s / 86_400, 6),
        "error": job.reason,
        "error_type": job.error_type,
    }


def progress_of(job: Job) -> dict[str, Any]:
    """How far it is; `seconds_left` are those of the stage in hand."""
    progress = job.progress
    return {
        "stage": progress.stage,
        "frames_done": progress.frames_done,
        "frames_total": progress.frames_total,
        "rate_fps": progress.rate_fps,
        "seconds_left": None if job.finished else progress.seconds_left,
    }
