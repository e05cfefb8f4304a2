"""The files of the jobs: a folder for each, its log, and uploads on their way in."""

import re
import shutil
import time
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from pose_service.core.errors import NotFoundError

JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LOG_NAME = "log.txt"


def unknown_job(job_id: str) -> NotFoundError:
    """The one answer to an id that is malformed, was never given out, or is kept no longer."""
    return NotFoundError(
        f"no job {job_id[:64]!r}",
        hint="Use the job_id of an answer to POST /pose/video; finished jobs are kept for a"
        " limited time (POSE_KEEP_HOURS).",
    )


class JobFolders:
    """`<state_dir>/jobs/<job id>/` for each job, `<state_dir>/uploads/` for files that arrive."""

    def __init__(self, state_dir: Path) -> None:
        self._jobs_dir = state_dir / "jobs"
        self.uploads_dir = state_dir / "uploads"
        for folder in (self._jobs_dir, self.uploads_dir):
            folder.mkdir(parents=True, exist_ok=True)

    def folder(self, job_id: str) -> Path:
        """Where the job's files lie; `NotFoundError` for what is not a job id, so no path leaks."""
        if JOB_ID.fullmatch(job_id) is None:
            raise unknown_job(job_id)
        return self._jobs_dir / job_id

    def adopt(self, job_id: str, upload: Path) -> Path:
        """Move an uploaded file into the job's folder, so that it goes when the job goes."""
        home = self.folder(job_id) / f"source{upload.suffix}"
        shutil.move(upload, home)
        return home

    def create(self, job_id: str) -> None:
        """Make the job's empty folder."""
        self.folder(job_id).mkdir()

    def note(self, job_id: str, line: str) -> None:
        """Add a line with the time to the job's log."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with (self.folder(job_id) / LOG_NAME).open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {line}\n")

    def log(self, job_id: str) -> str:
        """The job's log so far."""
        path = self.folder(job_id) / LOG_NAME
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def remove(self, job_id: str) -> None:
        """Delete all of the job's files; what cannot be deleted now is an orphan for later."""
        _delete(self.folder(job_id))

    def remove_forgotten(self, known_ids: Container[str], before: float) -> None:
        """Delete job folders without a record and uploads that never became a job's.

        Only what nobody has touched since `before` (epoch seconds): a job's folder is made a moment
        before its record, and an upload may still be arriving.
        """
        folders = (path for path in self._jobs_dir.iterdir() if path.name not in known_ids)
        for path in (*folders, *self.uploads_dir.iterdir()):
            # an upload may become a job's between the listing and the look
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
