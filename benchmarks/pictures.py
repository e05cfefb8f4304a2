"""Pictures as the back end sends them: small PNG files in base64."""

import base64
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.media.decode import open_clip
from pose_service.media.images import encode_png

WIDTH_PX, HEIGHT_PX = 640, 360
_TOYS_PERSON = slice(60, 340), slice(250, 390)


def small_frames(clip: Path, count: int) -> Iterator[ImageArray]:
    """The first `count` frames of `clip`, (360, 640, 3) RGB."""
    for frame in islice(open_clip(clip).frames(), count):
        size = (WIDTH_PX, HEIGHT_PX)
        yield np.asarray(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), np.uint8)


def with_toy_person(image: ImageArray) -> ImageArray:
    """`image` darkened, with one bright rectangle: the one person that toy nets see in it."""
    dark = image // 2
    dark[_TOYS_PERSON] = 255
    return dark


def as_base64(image: ImageArray) -> str:
    """A PNG file of `image` as text."""
    return base64.b64encode(encode_png(image)).decode("ascii")
