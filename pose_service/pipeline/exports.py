"""Finished clips as files of other programs: which there are, and how each is written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pose_service.core.errors import BadRequestError
from pose_service.engines.seam import BodyModel
from pose_service.export.arrays_file import ClipSize, arrays_file
from pose_service.export.joint_table import clip_table
from pose_service.export.mot import MotHead, mot_file
from pose_service.export.posed import PosedFrame
from pose_service.export.track_span import TrackSpan, span_of, spans_of
from pose_service.export.tracklets import first_sights, tracklet_file
from pose_service.export.trc import TrcHead, trc_file
from pose_service.pipeline.posing import posed_frames, sound_frames
from pose_service.pipeline.results import StoredClip

SMPL = "smpl"


@dataclass(frozen=True)
class ClipExport:
    """A finished clip, the body it was made with, and the name of the file to be written.

    `clip_name` is the clip's own; `track_id` tells whom a file of one person shows, None for the
    primary.
    """

    clip: StoredClip
    body: BodyModel
    clip_name: str
    file_name: str
    track_id: int | None = None

    def frames(self) -> Iterator[PosedFrame]:
        """From the first again, each time."""
        return posed_frames(self.clip.frames(), self.body)

    def span(self) -> TrackSpan:
        """Of the one person; `BadRequestError` if there is no such track."""
        wanted = self.clip.head.primary_id if self.track_id is None else self.track_id
        return span_of(spans_of(sound_frames(self.clip.frames())), wanted)


@dataclass(frozen=True)
class ExportFormat:
    """`fits` says whether a body has what this format holds."""

    media_type: str
    write: Callable[[ClipExport], Iterator[bytes]]
    fits: Callable[[BodyModel], bool] = lambda body: True


def export(name: str, asked: ClipExport) -> Iterator[bytes]:
    """The bytes of the file in the format `name`, one of `EXPORTS`, a piece at a time.

    `BadRequestError` where the clip's body has not what the format holds.
    """
    wanted = EXPORTS[name]
    if not wanted.fits(asked.body):
        others = ", ".join(other for other, one in EXPORTS.items() if one.fits(asked.body))
        raise BadRequestError(
            f"{name}: the body of this clip, {asked.body.name}, has no such parameters",
            hint=f"This clip can be had as {others}, json or ndjson.",
        )
    return wanted.write(asked)


def _is_smpl(body: BodyModel) -> bool:
    return body.name == SMPL


def _tracklets(asked: ClipExport) -> Iterator[bytes]:
    firsts = first_sights(asked.clip.frames())
    return tracklet_file(asked.frames(), asked.clip_name, firsts)


def _npz(asked: ClipExport) -> Iterator[bytes]:
    rows, shape_numbers = 0, 0
    for frame in sound_frames(asked.clip.frames()):
        rows += len(frame.people)
        if frame.people:
            shape_numbers = frame.people[0].pose.shapes.shape[1]
    frame_count = asked.clip.head.info.frame_count
    size = ClipSize(rows, frame_count, shape_numbers, tuple(asked.body.rotation_names))
    return arrays_file(asked.frames(), size)


def _csv(asked: ClipExport) -> Iterator[bytes]:
    return clip_table(asked.frames())


def _trc(asked: ClipExport) -> Iterator[bytes]:
    info = asked.clip.head.info
    head = TrcHead(asked.file_name, info.frame_count, info.fps)
    return trc_file(asked.frames(), asked.span().track_id, head)


def _mot(asked: ClipExport) -> Iterator[bytes]:
    head = MotHead(asked.file_name, asked.clip.head.info.frame_count)
    return mot_file(asked.frames(), asked.span().track_id, head)


EXPORTS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "pkl": ExportFormat("application/octet-stream", _tracklets, _is_smpl),
        "npz": ExportFormat("application/zip", _npz),
        "csv": ExportFormat("text/csv; charset=utf-8", _csv),
        "trc": ExportFormat("text/plain; charset=utf-8", _trc),
        "mot": ExportFormat("text/plain; charset=utf-8", _mot),
    }
)
