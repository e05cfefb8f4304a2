"""Annotated clips: picture after picture, into a film, alone or with a second clip in step."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from pose_service.core.arrays import ImageArray
from pose_service.core.keypoints import KeypointFrame
from pose_service.core.records import Frame
from pose_service.media.encode import ClipWriter
from pose_service.media.prefetch import prefetch
from pose_service.reports.beside import SecondClip, beside
from pose_service.reports.picture import (
    DEFAULT_STYLE,
    AnnotatedClip,
    AnnotationStyle,
    Annotator,
    Measures,
)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Film:
    """`fps` guides the encoder; `frame_count` is told to `progress`, None where not known."""

    fps: float
    frame_count: int | None = None
    progress: Progress = lambda stage, done, total: None


def annotate(
    frames: Iterable[Frame],
    keypoints: Iterable[KeypointFrame],
    measures: Measures,
    style: AnnotationStyle = DEFAULT_STYLE,
) -> Iterator[ImageArray]:
    """Pictures (height, width, 3) RGB, one for each frame that has keypoints; none is held."""
    pictures = _timed(AnnotatedClip(frames, keypoints, measures, style), None)
    return (picture for _, picture in pictures)


def write_annotated(
    path: Path, clip: AnnotatedClip, film: Film, second: SecondClip | None = None
) -> None:
    """Every frame at its own time into an mp4 at `path`, without sound; one frame at a time.

    The film begins with the first frame, whatever that one's time. With `second` it is as wide as
    both. `ValueError` where the clip has no frame.
    """
    with ExitStack() as opened:
        clip = _ahead(clip, opened)
        if second is not None:
            second = replace(second, clip=_ahead(second.clip, opened))
        pictures = _timed(clip, second)
        first = next(pictures, None)
        if first is None:
            raise ValueError(f"{path.name}: the clip has no frame to be written")
        height_px, width_px = first[1].shape[:2]
        with ClipWriter(path, width_px, height_px, film.fps) as writer:
            for number, (time_s, picture) in enumerate(chain([first], pictures), start=1):
                writer.write(picture, time_s - first[0])
                film.progress("annotating", number, film.frame_count)


def _ahead(clip: AnnotatedClip, opened: ExitStack) -> AnnotatedClip:
    """The same, decoded ahead in a thread that ends with `opened`."""
    return replace(clip, frames=opened.enter_context(closing(prefetch(iter(clip.frames)))))


def _timed(clip: AnnotatedClip, second: SecondClip | None) -> Iterator[tuple[float, ImageArray]]:
    """Time in seconds and picture of every frame."""
    if second is not None:
        yield from beside(clip, second)
        return
    annotator = Annotator(clip.measures, clip.style)
    for frame, seen in clip.pairs():
        yield seen.time_s, annotator.picture(frame.image, seen)
