"""Picture files to RGB arrays and back.

Formats are told by their first bytes and opened by Pillow's own reader for that format: nothing
that could start another program (EPS) is ever tried, and a picture's size is known before any of
its pixels are unpacked.
"""

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from pose_service.core.arrays import ImageArray, expect_shape
from pose_service.core.errors import BadImageError, TooLargeError
from pose_service.media.signatures import first_bytes, kind_of

_READERS: Final[Mapping[str, type[ImageFile]]] = MappingProxyType(
    {
        "JPEG": JpegImageFile,
        "PNG": PngImageFile,
        "GIF": GifImageFile,
        "BMP": BmpImageFile,
        "TIFF": TiffImageFile,
        "WebP": WebPImageFile,
        "AVIF": AvifImageFile,
    }
)

# what Pillow's readers raise on broken files (found by cutting and flipping bytes of each format)
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, OverflowError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip

_WANTED: Final = "Send the bytes of a JPEG or PNG file"
_DATA_URI: Final = re.compile(r"data:[^,]{0,200},", re.ASCII)
_WHITE_SPACE: Final = re.compile(r"\s", re.ASCII)
_URL_SAFE: Final = str.maketrans("-_", "+/")


def decode_image(data: bytes, *, max_pixels: int, turn_by_exif: bool) -> ImageArray:
    """(height, width, 3) uint8 RGB from the bytes of a picture file.

    The first picture of an animation; transparent parts on white; 16-bit gray divided by 257;
    other deep gray scaled by the smallest of 1 (float only), 255 and 65535 that holds its
    brightest pixel. `turn_by_exif` turns a phone's picture upright; TIFF and AVIF, whose turning
    is part of the format, are always upright.

    Raises `BadImageError` for what is no whole picture, `TooLargeError` for more than
    `max_pixels`, told from the header alone.
    """
    kind = kind_of(data)
    if kind not in _READERS:
        raise _not_a_picture(data, kind)
    try:
        with _READERS[kind](BytesIO(data)) as picture:
            _check_size(picture, max_pixels)
            picture.load()
            return to_rgb(ImageOps.exif_transpose(picture) if turn_by_exif else picture)
    except Image.DecompressionBombError as error:
        raise TooLargeError(f"the {kind} picture is too large: {error}") from error
    except _BROKEN as error:
        raise BadImageError(
            f"the {kind} picture is broken or cut off: {error} "
            f"({len(data)} bytes, {first_bytes(data)})",
            hint=f"{_WANTED}, all of them.",
        ) from error


def decode_base64_image(text: str, *, max_pixels: int, turn_by_exif: bool) -> ImageArray:
    """`decode_image` of what `base64_bytes` reads. Raises as both do."""
    return decode_image(base64_bytes(text), max_pixels=max_pixels, turn_by_exif=turn_by_exif)


def base64_bytes(text: str) -> bytes:
    """The bytes of standard or URL-safe base64, with or without padding.

    A `data:` prefix and white space are dropped. Raises `BadImageError` for what is no base64.
    """
    prefix = _DATA_URI.match(text.lstrip()[:256])
    body = text.lstrip()[prefix.end() :] if prefix else text
    if _WHITE_SPACE.search(body):
        body = "".join(body.split())
    body = body.rstrip("=").translate(_URL_SAFE)
    if not body:
        raise BadImageError("the base64 text is empty", hint=f"{_WANTED} in base64.")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadImageError(
            f"the text is not base64: {error} ({len(text)} characters, beginning {text[:16]!r})",
            hint=f"{_WANTED} in base64.",
        ) from error


def encode_png(image: ImageArray) -> bytes:
    """A PNG file of `image`: (height, width, 3) uint8 RGB."""
    return _encode(image, "PNG", compress_level=3)


def encode_jpeg(image: ImageArray, quality: int = 90) -> bytes:
    """A JPEG file of `image`: (height, width, 3) uint8 RGB. `quality`: 1 to 95."""
    return _encode(image, "JPEG", quality=quality)


def _encode(image: ImageArray, file_format: str, **options: int) -> bytes:
    expect_shape("image", image, ("height", "width", 3))
    file = BytesIO()
    Image.fromarray(image).save(file, file_format, **options)
    return file.getvalue()


def _not_a_picture(data: bytes, kind: str) -> BadImageError:
    if kind == "HEIC":
        return BadImageError(
            "the picture is a HEIC file, which this service does not read",
            hint=f"{_WANTED}; phones save JPEG with the camera setting 'most compatible'.",
        )
    got = f"{len(data)} bytes, {first_bytes(data)}" if data else "no bytes at all"
    return BadImageError(
        f"not a picture ({got}). {_WANTED}, not raw pixels.",
        hint="Clips go to /pose/video." if kind == "video" else "",
    )


def _check_size(picture: ImageFile, max_pixels: int) -> None:
    width_px, height_px = picture.size
    if width_px * height_px > max_pixels:
        raise TooLargeError(
            f"the picture has {width_px}x{height_px} = {width_px * height_px} pixels; "
            f"at most {max_pixels} are taken",
            hint="Send a smaller picture, or raise POSE_MAX_PIXELS.",
        )


def to_rgb(picture: Image.Image) -> ImageArray:
    """(height, width, 3) uint8 RGB of `picture` as it is turned: see `decode_image`."""
    if picture.mode.startswith(("I", "F")):
        gray = _to_8_bit(np.asarray(picture), picture.mode)
        return np.repeat(gray[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        # transparent pixels keep hidden colours, which must not come to light
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return np.array(picture.convert("RGB"))


def _to_8_bit(values: NDArray[np.generic], mode: str) -> ImageArray:
    """Deep gray to 8 bit; Pillow's own conversion cuts everything over 255 off."""
    if mode.startswith("I;16"):
        return np.rint(values.astype(np.float32) / 257).astype(np.uint8)
    deep = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0).clip(min=0)
    brightest = float(deep.max())
    ranges = (255.0, 65535.0) if mode == "I" else (1.0, 255.0, 65535.0)
    white = next((value for value in ranges if brightest <= value), brightest)
    return np.rint(deep * (255 / white)).astype(np.uint8)
