"""What is known of a clip job, and what the caller wants its answer to look like."""

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Literal, Self, get_args

from pose_service.media.part import ClipPart

Faces = Literal["each", "once", "none"]


class JobKind(StrEnum):
    """What is made of what was sent."""

    CLIP = "clip"
    """Bodies in every frame, for `/pose/video`."""
    AVATAR = "avatar"
    """One person's body, its measures and its files, for `/api/v1/avatar`."""
    POSE = "pose"
    """Keypoints in every frame and how they move, for `/pose`."""


class JobState(StrEnum):
    """Where a job is. The values are read by polling clients: `complete`, not `completed`."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETE = "complete"
    ERROR = "error"
    CANCELLED = "cancelled"


UNFINISHED = (JobState.QUEUED, JobState.PROCESSING)


@dataclass(frozen=True)
class JobOptions:
    """All that shapes the answer to one clip.

    `max_frames`: process no more than so many frames; None for all of them. `smooth`: remove
    jitter over time. `faces`: triangles in each frame, once, or not at all. `mesh`: send vertices.
    `precision`: decimals of a number of metres. `joint_sets`: further joint sets, by name.
    `raw`: send each frame's own solution, too. `merge_tracks`: join pieces of a person's track.
    `start_s`, `end_s`: the part of the clip, in its own seconds; `every`: each n-th frame of it.
    """

    max_frames: int | None = None
    smooth: bool = True
    faces: Faces = "each"
    mesh: bool = True
    precision: int = 5
    joint_sets: tuple[str, ...] = ()
    raw: bool = False
    merge_tracks: bool = True
    start_s: float = 0.0
    end_s: float | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if self.max_frames is not None and self.max_frames < 1:
            raise ValueError(f"max_frames: expected 1 or more, got {self.max_frames}")
        if self.faces not in get_args(Faces):
            raise ValueError(f"faces: expected one of {get_args(Faces)}, got {self.faces!r}")
        if self.precision < 0:
            raise ValueError(f"precision: expected 0 or more, got {self.precision}")

    @property
    def part(self) -> ClipPart:
        """Which frames of the clip are wanted."""
        return ClipPart(self.start_s, self.end_s, self.every)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote; a field it did not know has its default.

        What a later version added is passed over: two versions may share one database.

        >>> JobOptions.from_json(JobOptions(faces="once", joint_sets=("coco17",)).to_json())
        ... # doctest: +NORMALIZE_WHITESPACE
        JobOptions(max_frames=None, smooth=True, faces='once', mesh=True, precision=5,
                   joint_sets=('coco17',), raw=False, merge_tracks=True, start_s=0.0, end_s=None,
                   every=1)
        """
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(**{**values, "joint_sets": tuple(values.get("joint_sets", ()))})


@dataclass(frozen=True)
class Terms:
    """What was agreed on with the caller, beside the clip itself.

    `client`: whose limit the job counts against. `keep_s`: how long its result is kept, None for
    the usual time. `callback_url`: told when the job is finished. A job of the same
    `idempotency_key` and `request_digest` is the same job.
    """

    client: str = ""
    keep_s: float | None = None
    callback_url: str | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True)
class Failure:
    """Why a job ended in `error`: text for people, a stable name, and the HTTP status it means.

    `hint`: what to do about it; may be empty.
    """

    error: str
    error_type: str
    status: int = 500
    hint: str = ""


CANCELLED = Failure("the job was cancelled", "CANCELLED", 410)


@dataclass(frozen=True)
class Progress:
    """How far the processing is. `rate_fps`: frames per second in this stage, None if not known."""

    stage: str = ""
    frames_done: int = 0
    frames_total: int | None = None
    rate_fps: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Until the end of this stage, at the rate so far.

        >>> Progress("tracking", 40, 140, 20.0).seconds_left
        5.0
        """
        if not self.rate_fps or self.frames_total is None:
            return None
        return round(max(0, self.frames_total - self.frames_done) / self.rate_fps, 1)


@dataclass(frozen=True)
class Job:
    """One clip, from its acceptance to the removal of its result. Times are epoch seconds.

    `source` is what is read: a path, an address, or for an upload the name of the file among the
    job's own. `video_path` is the clip as the caller named it, without passwords. `stored_source`
    names the copy of a fetched clip among the job's own files. `asked` is JSON of what only jobs of
    this `kind` are asked for; only who works on that kind reads it. `user_id`: whom it is about,
    where the caller said so. `error_hint`: what to do about an `error`.

    `attempts` counts how often processing began, without those that were stopped on purpose;
    `claims` counts all of them: a worker whose claim is not the last has lost the job.
    """

    job_id: str
    source: str
    video_path: str
    queued_at: float
    uploaded: bool = False
    options: JobOptions = field(default_factory=JobOptions)
    terms: Terms = field(default_factory=Terms)
    state: JobState = JobState.QUEUED
    started_at: float | None = None
    completed_at: float | None = None
    attempts: int = 0
    claims: int = 0
    worker_id: str | None = None
    stored_source: str | None = None
    progress: Progress = field(default_factory=Progress)
    error: str | None = None
    error_type: str | None = None
    error_status: int | None = None
    error_hint: str | None = None
    kind: JobKind = JobKind.CLIP
    asked: str = ""
    user_id: str | None = None

    @property
    def finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def reason(self) -> str | None:
        """Why it failed and what to do about it, in one text; None unless it failed."""
        return self.error and f"{self.error} {self.error_hint or ''}".strip()
