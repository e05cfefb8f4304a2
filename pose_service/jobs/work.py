"""WorkFolders: where clips are worked on, on this machine only."""

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from pose_service.jobs.records import Job
from pose_service.jobs.storage import remove_old
from pose_service.jobs.store import unknown_job

JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class WorkFolders:
    """Below the state folder: `uploads` for files that arrive, `work/<job id>/<claim>` for clips
    in hand, `cache/<job id>` for copies of what lies in a storage elsewhere.

    The folder `work/<job id>` outlives a claim that was broken off, so that what was finished of a
    clip can be gone on from; it goes when the job is settled.
    """

    def __init__(self, state_dir: Path) -> None:
        self.uploads_dir = state_dir / "uploads"
        self._work_dir = state_dir / "work"
        self._cache_dir = state_dir / "cache"
        for folder in (self.uploads_dir, self._work_dir, self._cache_dir):
            folder.mkdir(parents=True, exist_ok=True)

    def of_claim(self, job: Job) -> Path:
        """An empty folder for the work on one claim of a job."""
        folder = self.of_job(job.job_id) / str(job.claims)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def of_job(self, job_id: str) -> Path:
        """Where all claims of a job are worked on."""
        return self._work_dir / checked(job_id)

    def drop_claim(self, job: Job) -> None:
        """This claim has come to its end; other claims of the job may be worked on beside it."""
        shutil.rmtree(self.of_job(job.job_id) / str(job.claims), ignore_errors=True)

    def settled(self, job_id: str) -> None:
        """Nobody will go on with this job."""
        shutil.rmtree(self.of_job(job_id), ignore_errors=True)

    def cache_of(self, job_id: str) -> Path:
        """Where copies of a job's files lie; used folders are kept longest."""
        folder = self._cache_dir / checked(job_id)
        folder.mkdir(exist_ok=True)
        folder.touch()
        return folder

    def forget(self, job_id: str) -> None:
        """The job is kept no longer."""
        for folder in (self.of_job(job_id), self._cache_dir / checked(job_id)):
            shutil.rmtree(folder, ignore_errors=True)

    def remove_old(self, before: float, unfinished: Collection[str]) -> None:
        """Delete what nobody has touched since `before` (epoch seconds) and nobody works on."""
        for folder in (self.uploads_dir, self._work_dir, self._cache_dir):
            remove_old((path for path in folder.iterdir() if path.name not in unfinished), before)


def checked(job_id: str) -> str:
    """`job_id` if it is one, so that nothing else becomes part of a path; else `NotFoundError`."""
    if JOB_ID.fullmatch(job_id) is None:
        raise unknown_job(job_id)
    return job_id
