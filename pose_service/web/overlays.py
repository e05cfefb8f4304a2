"""Finished clips with their people drawn over them: one frame, or all as a video."""

from itertools import islice
from pathlib import Path

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadRequestError, NotFoundError
from pose_service.core.records import Frame, TrackedFrame
from pose_service.jobs.records import Job
from pose_service.legacy.frame import Maker
from pose_service.legacy.views import view_frames
from pose_service.media.decode import open_clip
from pose_service.media.encode import ClipWriter
from pose_service.pipeline.results import StoredClip
from pose_service.web.pictures import draw_views

OVERLAY_NAME = "overlay.mp4"


def overlay_frame(job: Job, clip: StoredClip, maker: Maker, number: int) -> ImageArray:
    """(height, width, 3) RGB: frame `number` of the clip with its people."""
    count = clip.head.info.frame_count
    tracked = next(clip.frames(number, number + 1), None)
    if tracked is None:
        raise BadRequestError(f"frame {number}: the clip has frames 0 to {count - 1}")
    return _drawn(maker, open_clip(_source(job)).frame(number), tracked)


def overlay_video(job: Job, clip: StoredClip, maker: Maker, folder: Path) -> Path:
    """`folder`/overlay.mp4, made now unless it was made before; a frame at a time."""
    path = folder / OVERLAY_NAME
    if not path.is_file():
        info = clip.head.info
        frames = islice(open_clip(_source(job)).frames(), info.frame_count)
        with ClipWriter(path, info.width_px, info.height_px, info.fps) as writer:
            for frame, tracked in zip(frames, clip.frames(), strict=False):
                writer.write(_drawn(maker, frame, tracked), frame.time_s)
    return path


def _source(job: Job) -> Path:
    if not job.source_path.is_file():
        raise NotFoundError(
            f"the clip {job.video_path} is not there any more, so its frames cannot be drawn"
        )
    return job.source_path


def _drawn(maker: Maker, frame: Frame, tracked: TrackedFrame) -> ImageArray:
    (views,) = view_frames(maker.body, [tracked], everybody=True, mesh=True)
    return draw_views(frame.image, views, tracked.camera, maker.body.faces)
