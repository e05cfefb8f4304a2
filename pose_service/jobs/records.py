"""What is known of a clip job, and what the caller wants its answer to look like."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self, get_args

Faces = Literal["each", "once", "none"]


class JobState(StrEnum):
    """Where a job is. The values are read by polling clients: `complete`, not `completed`."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETE = "complete"
    ERROR = "error"


@dataclass(frozen=True)
class JobOptions:
    """All that shapes the answer to one clip.

    `max_frames`: process no more than so many frames; None for all of them. `smooth`: remove
    jitter over time. `faces`: triangles in each frame, once, or not at all. `mesh`: send vertices.
    `precision`: decimals of a number of metres. `joint_sets`: further joint sets, by name.
    `raw`: send each frame's own solution, too. `merge_tracks`: join pieces of a person's track.
    """

    max_frames: int | None = None
    smooth: bool = True
    faces: Faces = "each"
    mesh: bool = True
    precision: int = 5
    joint_sets: tuple[str, ...] = ()
    raw: bool = False
    merge_tracks: bool = True

    def __post_init__(self) -> None:
        if self.max_frames is not None and self.max_frames < 1:
            raise ValueError(f"max_frames: expected 1 or more, got {self.max_frames}")
        if self.faces not in get_args(Faces):
            raise ValueError(f"faces: expected one of {get_args(Faces)}, got {self.faces!r}")
        if self.precision < 0:
            raise ValueError(f"precision: expected 0 or more, got {self.precision}")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The options that `to_json` wrote; a field it did not know has its default.

        >>> JobOptions.from_json(JobOptions(faces="once", joint_sets=("coco17",)).to_json())
        ... # doctest: +NORMALIZE_WHITESPACE
        JobOptions(max_frames=None, smooth=True, faces='once', mesh=True, precision=5,
                   joint_sets=('coco17',), raw=False, merge_tracks=True)
        """
        values = json.loads(text)
        return cls(**{**values, "joint_sets": tuple(values.get("joint_sets", ()))})


@dataclass(frozen=True)
class Failure:
    """Why a job ended in `error`: text for people, a stable name, and the HTTP status it means."""

    error: str
    error_type: str
    status: int = 500


@dataclass(frozen=True)
class Job:
    """One clip, from its acceptance to the removal of its result. Times are epoch seconds.

    `source_path` is the file that is read; `video_path` is the clip as the caller named it.
    `uploaded`: the file came with the request and lies in the job's own folder.
    `attempts` counts how often processing began, without those that were stopped on purpose.
    """

    job_id: str
    source_path: Path
    video_path: str
    queued_at: float
    uploaded: bool = False
    options: JobOptions = field(default_factory=JobOptions)
    state: JobState = JobState.QUEUED
    started_at: float | None = None
    completed_at: float | None = None
    attempts: int = 0
    stage: str = ""
    frames_done: int = 0
    frames_total: int | None = None
    error: str | None = None
    error_type: str | None = None
    error_status: int | None = None

    @property
    def finished(self) -> bool:
        return self.state in (JobState.COMPLETE, JobState.ERROR)
