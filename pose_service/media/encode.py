"""RGB frames to an MP4 file that browsers play, each frame shown at its own time."""

import uuid
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from pose_service.core.arrays import ImageArray, expect_shape

_TICKS_PER_S: Final = 90_000
_TIME_BASE: Final = Fraction(1, _TICKS_PER_S)

# without B-frames the order of packets is the order of frames, and the MP4 writer gets the
# duration of a variable rate right; a key frame each 60 keeps jumping about quick
_ENCODER_OPTIONS: Final = {"preset": "veryfast", "crf": "20", "bf": "0", "g": "60"}


class ClipWriter:
    """Writes H.264 (yuv420p, BT.709) into `path`, which appears only when all is written.

    `fps` guides the encoder and is how long the last frame is shown; times are given per frame.
    An odd width or height is padded by repeating the last column or row.

        with ClipWriter(path, 640, 360, fps=30) as clip:
            clip.write(image, time_s)
    """

    def __init__(self, path: Path, width_px: int, height_px: int, fps: float) -> None:
        self._path = path
        # a name of its own: two may write the same file at the same time, and the last one stays
        self._part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        self._shape = (height_px, width_px, 3)
        self._fps = Fraction(fps).limit_denominator(1001)
        self._last_tick = -1

    def __enter__(self) -> Self:
        self._container = av.open(
            f"file:{self._part}", "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._stream = self._add_stream()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._container:
                if kind is None:
                    self._flush()
            if kind is None:
                self._part.replace(self._path)
        finally:
            self._part.unlink(missing_ok=True)

    def write(self, image: ImageArray, time_s: float) -> None:
        """Add one frame. `image`: (height, width, 3) uint8 RGB; `time_s` must increase, from 0."""
        expect_shape("image", image, self._shape)
        tick = round(time_s * _TICKS_PER_S)
        if tick <= self._last_tick:
            last_s = self._last_tick / _TICKS_PER_S
            raise ValueError(f"time_s: expected more than {last_s:.5f}, got {time_s:.5f}")
        frame = _yuv_frame(image)
        frame.pts, frame.time_base, self._last_tick = tick, _TIME_BASE, tick
        self._encode(frame)

    def _add_stream(self) -> VideoStream:
        height_px, width_px, _ = self._shape
        stream = self._container.add_stream("libx264", rate=self._fps, options=_ENCODER_OPTIONS)
        stream.width, stream.height = width_px + width_px % 2, height_px + height_px % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def _flush(self) -> None:
        if self._last_tick < 0:
            raise ValueError(f"{self._path.name}: no frame was written")
        self._encode(None)

    def _encode(self, frame: VideoFrame | None) -> None:
        """Hand one frame to the encoder, None for "no more", and store what it has ready."""
        for packet in self._stream.encode(frame):
            # counts for the last one only: the others last until the next one's time
            packet.duration = round(_TICKS_PER_S / self._fps)
            self._container.mux(packet)


def _yuv_frame(image: ImageArray) -> VideoFrame:
    height_px, width_px, _ = image.shape
    odd_rows, odd_columns = height_px % 2, width_px % 2
    if odd_rows or odd_columns:
        image = np.pad(image, ((0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")
    # the picture is read where it lies: its copy would cost more than the new colours do
    shared = VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="rgb24")
    return shared.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
        threads=1,  # faster for 1080p frames than FFmpeg's default of several
    )  # fmt: skip
