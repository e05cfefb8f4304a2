"""Pictures and clips made when a test needs them, so that nothing binary is kept."""

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

TICKS_PER_S = 90_000
GRAY_STEP = 7
GRAY_LEVELS = 36
"""Frame i of a made clip is evenly gray, which tells i up to 35: see `frame_number`."""


def corners(width: int = 32, height: int = 24) -> NDArray[np.uint8]:
    """(height, width, 3): red, green above blue, white: every turn and flip shows."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    image[height // 2 :, width // 2 :] = (255, 255, 255)
    return image


def picture_file(image: Image.Image | NDArray[Any], file_format: str, **options: Any) -> bytes:
    """The bytes of a picture file."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def png_declaring(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file whose header declares a size that its data do not fill."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in parts)


def gray_frames(count: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Frames that tell their number, modulo `GRAY_LEVELS`."""
    return [gray_frame(number, width, height) for number in range(count)]


def gray_frame(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """The frame of this number: evenly gray."""
    return np.full((height, width, 3), GRAY_STEP * (number % GRAY_LEVELS), np.uint8)


def frame_number(image: NDArray[np.uint8]) -> int:
    """The number that a frame of `gray_frames` was made with, modulo `GRAY_LEVELS`."""
    return round(float(image.mean()) / GRAY_STEP)


def clip_file(
    path: Path,
    images: Sequence[NDArray[np.uint8]],
    *,
    times_s: Sequence[float] | None = None,
    fps: int = 30,
    codec: str = "libx264",
    rotation_deg: float | None = None,
    pix_fmt: str = "yuv420p",
    file_format: str | None = None,
    quantiser: int = 23,
) -> Path:
    """A clip of `images`; `rotation_deg` anticlockwise is what a player turns it by.

    `quantiser`: of H.264, constant, 0 to lose nothing but what the pixel format does.
    """
    times_s = [i / fps for i in range(len(images))] if times_s is None else times_s
    ticks_per_s = {"gif": 100, "mpeg2video": fps}.get(codec, TICKS_PER_S)
    with av.open(str(path), "w", format=file_format) as container:
        # where x264 may choose how exact it is, it makes another file each time
        options = {"qp": str(quantiser)} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width, _ = images[0].shape
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = Fraction(1, ticks_per_s)
        if rotation_deg is not None:
            stream.set_display_rotation(rotation_deg)
        for image, time_s in zip(images, times_s, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(time_s * ticks_per_s), Fraction(1, ticks_per_s)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def clip_changing_size(path: Path, sizes: Sequence[tuple[int, int]], each: int = 5) -> Path:
    """An MPEG transport stream of `each` frames of each (width, height), at 30 frames a second."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = "yuv420p"
        number = 0
        for width, height in sizes:
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30)
            packets = []
            for _ in range(each):
                image = gray_frame(number, width, height)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                packets += encoder.encode(frame)
                number += 1
            for packet in packets + encoder.encode():
                packet.stream = stream
                container.mux(packet)
    return path


def sound_file(path: Path, cover: bytes | None = None) -> Path:
    """A second of silence, with `cover` (a PNG file) as its cover picture if given."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac" if cover is None else "libmp3lame", rate=44100)
        picture = None
        if cover is not None:
            picture = container.add_stream("png", rate=1)
            picture.width, picture.height, picture.pix_fmt = 32, 24, "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
        samples = av.AudioFrame.from_ndarray(
            np.zeros((1, 44100), np.float32), format="fltp", layout="mono"
        )
        samples.rate = 44100
        container.mux(stream.encode(samples))
        container.mux(stream.encode())
        if picture is not None and cover is not None:
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts = picture, 0, 0
            packet.time_base = Fraction(1, 1)
            container.mux(packet)
    return path


def copied(source: Path, target: Path, *, skip_frames: int = 0, **options: str) -> Path:
    """`source` written anew without re-encoding, its first frames hidden by an edit list."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        stream = old.streams.video[0]
        assert stream.time_base is not None and stream.average_rate is not None
        shift = int(skip_frames / stream.average_rate / stream.time_base)
        copy = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = copy
            new.mux(packet)
    return target


def truncated(source: Path, target: Path, part: float) -> Path:
    """The first `part` (0 to 1) of the bytes of `source`."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * part)])
    return target
