"""Finished clips as files of other programs: which there are, and how each is written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import cast

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.records import TrackedFrame
from pose_service.core.rig import Rig, Rigged
from pose_service.engines.seam import BodyModel
from pose_service.export.arrays_file import ClipSize, arrays_file
from pose_service.export.bvh import bvh_file
from pose_service.export.glb import glb_file
from pose_service.export.joint_table import clip_table
from pose_service.export.mot import MotHead, mot_file
from pose_service.export.motion import mean_shapes, motion_of
from pose_service.export.posed import PosedFrame
from pose_service.export.stored_motion import store_motions
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

    def sound(self) -> Iterator[TrackedFrame]:
        """The same without posing anybody."""
        return sound_frames(self.clip.frames())

    def span(self) -> TrackSpan:
        """Of the one person; `BadRequestError` if there is no such track."""
        wanted = self.clip.head.primary_id if self.track_id is None else self.track_id
        return span_of(spans_of(self.sound()), wanted)


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
    for frame in asked.sound():
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


def _bvh(asked: ClipExport) -> Iterator[bytes]:
    span = asked.span()
    rig = _rig(asked.body, mean_shapes(asked.sound())[span.track_id])
    steps = motion_of(asked.sound(), span, rig)
    return bvh_file(rig, steps, len(span), asked.clip.head.info.fps)


def _glb(asked: ClipExport) -> Iterator[bytes]:
    shapes = mean_shapes(asked.sound())
    rigs = {key: _rig(asked.body, shape) for key, shape in shapes.items()}
    with TemporaryDirectory(prefix="pose-service-") as scratch:
        spans = spans_of(asked.sound())
        yield from glb_file(store_motions(asked.sound(), spans, rigs, Path(scratch)))


def _is_rigged(body: BodyModel) -> bool:
    return hasattr(body, "rig")


def _rig(body: BodyModel, shape: FloatArray) -> Rig:
    return cast(Rigged, body).rig(shape)


EXPORTS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "pkl": ExportFormat("application/octet-stream", _tracklets, _is_smpl),
        "npz": ExportFormat("application/zip", _npz),
        "csv": ExportFormat("text/csv; charset=utf-8", _csv),
        "trc": ExportFormat("text/plain; charset=utf-8", _trc),
        "mot": ExportFormat("text/plain; charset=utf-8", _mot),
        "bvh": ExportFormat("text/plain; charset=utf-8", _bvh, _is_rigged),
        "glb": ExportFormat("model/gltf-binary", _glb, _is_rigged),
    }
)
