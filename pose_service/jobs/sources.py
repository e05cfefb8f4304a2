"""Where clips come from: paths, uploads, the web, and buckets that are allowed."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pose_service.core.config import Settings
from pose_service.core.errors import BadVideoError, NotFoundError, TooLargeError
from pose_service.core.secrets import without_secrets
from pose_service.jobs.records import Job
from pose_service.jobs.storage import Storage, copy
from pose_service.jobs.work import WorkFolders
from pose_service.media.addresses import BadUrlError, check_url
from pose_service.media.fetch import FetchLimits, fetch_clip

STORED_NAME = "source"
_BUCKET_SCHEMES = ("s3", "gs")
_MEGABYTE = 1024 * 1024

Keep = Callable[[Job, str], bool]
"""Record that the fetched clip of a job is kept among its own files under a name."""


def check_source(url: str, settings: Settings) -> str:
    """An address that a clip may be fetched from, as it may be shown; nothing is fetched yet.

    Raises `BadUrlError` for what is refused, now rather than when its turn comes.
    """
    if url.partition("://")[0] not in _BUCKET_SCHEMES:
        check_url(url, allow_private=settings.allow_private_urls)
    elif not any(_is_below(url, allowed) for allowed in settings.source_buckets):
        raise BadUrlError(
            f"{without_secrets(url)} is in no bucket that clips may come from",
            hint="Name the bucket, or a prefix in it, in POSE_SOURCE_BUCKETS.",
        )
    return without_secrets(url)


def _is_below(url: str, allowed: str) -> bool:
    """Whether an address without user and query lies below one of the setting.

    >>> [_is_below(url, "s3://a/b") for url in ("s3://a/b/c.mp4", "s3://a/bc.mp4", "s3://x@a/b/c")]
    [True, False, False]
    """
    plain = not any(letter in url for letter in "?#@")
    return plain and url.startswith(allowed.rstrip("/") + "/")


class Sources:
    """Brings the clip of a job to this machine."""

    def __init__(self, settings: Settings, storage: Storage, folders: WorkFolders) -> None:
        self._settings = settings
        self._storage = storage
        self._folders = folders

    def obtain(self, job: Job, folder: Path, heard: Callable[[int, int | None], None]) -> Path:
        """The clip as a file, in `folder` unless it has a place on this machine already.

        A clip from elsewhere comes only once: what was fetched before is among the job's files.
        """
        found = self.here(job)
        if found is not None:
            return found
        if (name := stored_name(job)) is not None:
            target = folder / name
            self._storage.fetch(f"{job.job_id}/{name}", target, lambda count: heard(count, None))
            return target
        if "://" not in job.source:
            raise BadVideoError(f"the clip {job.video_path} is not there any more")
        return self._from_elsewhere(job.source, folder, heard)

    def here(self, job: Job) -> Path | None:
        """The clip's file if it has a place on this machine."""
        if (name := stored_name(job)) is not None:
            path = self._storage.local(f"{job.job_id}/{name}")
        else:
            path = None if "://" in job.source else Path(job.source)
        return path if path is not None and path.is_file() else None

    def keep(self, job: Job, file: Path, kept: Keep) -> Path:
        """Put a fetched clip among the job's files, to draw on later; where it lies then."""
        if stored_name(job) is not None or "://" not in job.source:
            return file
        name = STORED_NAME + file.suffix
        key = f"{job.job_id}/{name}"
        self._storage.put(file, key)
        kept(job, name)
        return self._storage.local(key) or file

    def for_drawing(self, job: Job) -> Path:
        """The clip's file, copied here once if need be; `NotFoundError` if it is there no more."""
        found = self.here(job)
        if found is not None:
            return found
        name = stored_name(job)
        if name is None:
            raise NotFoundError(
                f"the clip {job.video_path} is not there any more, so its frames cannot be drawn"
            )
        target = self._folders.cache_of(job.job_id) / name
        if not target.is_file():
            self._storage.fetch(f"{job.job_id}/{name}", target, lambda count: None)
        return target

    def _from_elsewhere(
        self, url: str, folder: Path, heard: Callable[[int, int | None], None]
    ) -> Path:
        # the rules may have changed since it was taken in
        check_source(url, self._settings)
        most = self._settings.max_upload_mb * _MEGABYTE
        if url.partition("://")[0] in _BUCKET_SCHEMES:
            return _from_bucket(url, folder, most, heard)
        limits = FetchLimits(most, self._settings.fetch_wait_s, self._settings.allow_private_urls)
        return fetch_clip(url, folder, limits, heard)


def stored_name(job: Job) -> str | None:
    """The name of the clip among the job's own files, if it is there.

    Uploads of older versions were recorded with their full path.
    """
    if job.uploaded and not Path(job.source).is_absolute():
        return job.source
    return job.stored_source


def _from_bucket(
    url: str, folder: Path, most_bytes: int, heard: Callable[[int, int | None], None]
) -> Path:
    from pose_service.jobs.buckets import open_bucket

    bucket = open_bucket(url)
    target = folder / (STORED_NAME + PurePosixPath(bucket.path).suffix)
    with bucket.told(f"fetch {without_secrets(url)}"):
        size = bucket.files.size(bucket.path)
        if size is not None and size > most_bytes:
            raise TooLargeError(
                f"{without_secrets(url)}: the clip has {size // _MEGABYTE} MB, at most"
                f" {most_bytes // _MEGABYTE} MB are taken",
                hint="Send a shorter one, or raise POSE_MAX_UPLOAD_MB.",
            )
        with bucket.files.open(bucket.path, "rb") as source:
            copy(source.read, target, lambda count: heard(count, size))
    return target
