"""Finished clips with their people drawn over them: one frame, or all as a video."""

from pathlib import Path

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadRequestError
from pose_service.engines.seam import BodyModel
from pose_service.media.decode import Clip, open_clip
from pose_service.media.part import ClipPart
from pose_service.pipeline.drawing import draw_frame, write_overlay
from pose_service.pipeline.results import StoredClip

OVERLAY_NAME = "overlay.mp4"


def overlay_frame(source: Clip, clip: StoredClip, body: BodyModel, number: int) -> ImageArray:
    """(height, width, 3) RGB: frame `number` of the clip with its people."""
    tracked = next(clip.frames(number, number + 1), None)
    if tracked is None:
        last = clip.head.info.frame_count - 1
        raise BadRequestError(f"frame {number}: the clip has frames 0 to {last}")
    return draw_frame(body, source.frame(number).image, tracked)


def overlay_video(source: Clip, clip: StoredClip, body: BodyModel, folder: Path) -> Path:
    """`folder`/overlay.mp4, made now unless it was made before; a frame at a time."""
    path = folder / OVERLAY_NAME
    if not path.is_file():
        write_overlay(path, source, clip, body)
    return path


def source_clip(source: Path, max_pixels: int, part: ClipPart) -> Clip:
    """The part of the clip that a job was made from: its frames are numbered as the job's."""
    return open_clip(source, max_pixels=max_pixels, part=part)
