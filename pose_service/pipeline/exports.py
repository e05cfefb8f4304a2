"""Finished clips as files of other programs: which there are, and how each is written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pose_service.core.errors import BadRequestError
from pose_service.engines.seam import BodyModel
from pose_service.export.joint_table import clip_table
from pose_service.export.posed import PosedFrame
from pose_service.export.tracklets import first_sights, tracklet_file
from pose_service.pipeline.posing import posed_frames
from pose_service.pipeline.results import StoredClip

SMPL = "smpl"


@dataclass(frozen=True)
class ClipExport:
    """A finished clip, the body it was made with, and the name of the clip's file.

    `track_id`: whom a file of one person shows; None for the primary.
    """

    clip: StoredClip
    body: BodyModel
    name: str
    track_id: int | None = None

    def frames(self) -> Iterator[PosedFrame]:
        """From the first again, each time."""
        return posed_frames(self.clip.frames(), self.body)


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
    return tracklet_file(asked.frames(), asked.name, first_sights(asked.clip.frames()))


def _csv(asked: ClipExport) -> Iterator[bytes]:
    return clip_table(asked.frames())


EXPORTS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        "pkl": ExportFormat("application/octet-stream", _tracklets, _is_smpl),
        "csv": ExportFormat("text/csv; charset=utf-8", _csv),
    }
)
