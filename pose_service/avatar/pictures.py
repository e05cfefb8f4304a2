"""What an avatar is made from: one photograph, or frames spread over a clip of somebody turning."""

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.core.records import Frame
from pose_service.media.decode import open_clip
from pose_service.media.images import decode_image
from pose_service.media.part import ClipPart
from pose_service.media.signatures import HEAD_BYTES, PICTURES, kind_of

MOST_FRAMES = 24
LONGEST_S = 60.0
PHOTO_PIXELS = 4_000_000
FRAME_PIXELS = 2_100_000
"""Nets and outline need no more, and all frames of a clip are held at once."""


def is_picture(source: Path) -> bool:
    """Whether the file is a picture, by its first bytes."""
    with source.open("rb") as file:
        return kind_of(file.read(HEAD_BYTES)) in PICTURES


def pictures_of(
    source: Path, max_pixels: int, passing: Callable[[], None] = lambda: None
) -> list[ImageArray]:
    """(height, width, 3) uint8 RGB each, upright: the photograph, or frames in the order of time.

    Of a clip its first minute counts, and at most `MOST_FRAMES` frames; `passing` is called at each
    frame that is decoded, and may raise. Pictures are made smaller where they are larger than it
    takes. Raises `BadImageError`, `BadVideoError`, `TooLargeError` for more than `max_pixels`.
    """
    if is_picture(source):
        image = decode_image(source.read_bytes(), max_pixels=max_pixels, turn_by_exif=True)
        return [scaled_within(image, PHOTO_PIXELS)]
    return [
        scaled_within(frame.image, FRAME_PIXELS) for frame in _frames(source, max_pixels, passing)
    ]


def scaled_within(image: ImageArray, most_pixels: int) -> ImageArray:
    """`image`, made smaller in proportion if it has more than so many pixels."""
    height_px, width_px = image.shape[:2]
    scale = math.sqrt(most_pixels / (height_px * width_px))
    if scale >= 1:
        return image
    size = (max(1, int(scale * width_px)), max(1, int(scale * height_px)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def spread(frames: Iterable[Frame], most: int) -> list[Frame]:
    """At most `most` of `frames` (numbered from 0), evenly spread, however many come.

    About twice as many are held meanwhile.

    >>> image = np.zeros((1, 1, 3), np.uint8)
    >>> [frame.index for frame in spread((Frame(i, i / 30, image) for i in range(300)), 4)]
    [0, 64, 192, 256]
    """
    kept: list[Frame] = []
    every = 1
    for frame in frames:
        if frame.index % every == 0:
            kept.append(frame)
        if len(kept) > 2 * most:
            kept = kept[::2]
            every *= 2
    places = np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int)
    return [kept[place] for place in places]


def _frames(source: Path, max_pixels: int, passing: Callable[[], None]) -> list[Frame]:
    first = ClipPart(end_s=LONGEST_S)
    stated = open_clip(source, max_pixels=max_pixels, part=first).stated_frame_count
    # frames that are left out need not be turned into pictures
    every = max(1, (stated or 0) // (2 * MOST_FRAMES))
    clip = open_clip(source, max_pixels=max_pixels, part=ClipPart(end_s=LONGEST_S, every=every))

    def told() -> Iterator[Frame]:
        for frame in clip.frames():
            passing()
            yield frame

    return spread(told(), MOST_FRAMES)
