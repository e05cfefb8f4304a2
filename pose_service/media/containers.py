"""Video files as FFmpeg gives them: which are opened, and which of their frames can be had."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pose_service.core.errors import BadVideoError
from pose_service.media.signatures import HEAD_BYTES, PICTURES, first_bytes, kind_of

# Only formats that hold their own frames. A playlist (HLS, concat, DASH) names other files and
# addresses, which would let a caller read any file of this machine or make it call out.
_FORMATS: Final = (
    "mov,matroska,avi,flv,asf,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ivf,ogg,gif,mp3,wav,aac,flac"
)
_OPTIONS: Final = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}

_PLAUSIBLE_FPS: Final = (0.1, 1000.0)
_USUAL_FPS: Final = 30.0
"""Where the file itself says nothing believable; recordings made in a browser state 1000."""

_WANTED: Final = "Wanted is a video file: MP4, MOV, WebM, MKV, AVI or an animated GIF."

_CUT: Final = "The file is cut or damaged: was it copied or uploaded to its end?"
_RECODE: Final = "Convert it to H.264 in MP4."


@dataclass(frozen=True)
class OpenVideo:
    """An open file and its video stream."""

    container: InputContainer
    stream: VideoStream


@dataclass(frozen=True)
class Stated:
    """What a file says of its video stream: hints only, each of them may be wrong."""

    fps: float
    duration_s: float | None
    frames: int | None


@dataclass
class Damage:
    """What was left out of one reading of a file, and why it stopped before the end, if it did."""

    packets: int = 0
    frames: int = 0
    stopped_by: str = ""


@contextmanager
def open_video(path: Path) -> Iterator[OpenVideo]:
    """`path` ready to decode with several threads; closed on leaving.

    Raises `BadVideoError`, with the reason, for anything that holds no video.
    """
    kind = _checked_kind(path)
    try:
        # "file:" keeps FFmpeg from taking a name with a colon for an address
        container = av.open(f"file:{path}", "r", options=dict(_OPTIONS), metadata_errors="replace")
    except FFmpegError as error:
        raise BadVideoError(
            f"{path.name} is not a clip that can be read: {error.strerror}",
            hint=_CUT if kind == "video" else _WANTED,
        ) from error
    with container:
        stream = _video_stream(container, path.name)
        stream.thread_type = "AUTO"
        yield OpenVideo(container, stream)


def decodable_frames(video: OpenVideo, damage: Damage) -> Generator[VideoFrame, None, None]:
    """Every frame that can be decoded, in the order of showing; what cannot goes into `damage`."""
    decoder = video.stream.codec_context
    try:
        for packet in video.container.demux(video.stream):
            # a packet cut by the end of the file would make a threaded decoder lose whole frames
            if packet.is_corrupt:
                damage.packets += 1
                continue
            try:
                frames = decoder.decode(packet)
            except FFmpegError:
                damage.packets += 1
                continue
            damage.frames += sum(frame.is_corrupt for frame in frames)
            yield from frames
    except FFmpegError as error:
        damage.stopped_by = error.strerror or type(error).__name__
        yield from decoder.decode(None)


def stated(video: OpenVideo) -> Stated:
    """What the file says of itself; the frame count by duration and rate if it says none."""
    stream = video.stream
    slowest, fastest = _PLAUSIBLE_FPS
    rates = (stream.average_rate, stream.guessed_rate)
    fps = next((float(rate) for rate in rates if rate and slowest <= rate < fastest), _USUAL_FPS)
    duration_s = None
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    elif video.container.duration is not None:
        duration_s = video.container.duration / av.time_base
    by_duration = None if duration_s is None else round(duration_s * fps)
    return Stated(fps, duration_s, stream.frames or by_duration)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    for stream in container.streams.video:
        # the cover picture of a song is a video stream of one frame
        if Disposition.attached_pic in stream.disposition:
            continue
        # missing where FFmpeg has no decoder, which PyAV's types do not tell
        if getattr(stream, "codec_context", None) is None:
            raise BadVideoError(f"{name} is coded in a way that cannot be decoded", hint=_RECODE)
        return stream
    kinds = {stream.type for stream in container.streams if stream.type != "video"}
    raise BadVideoError(
        f"{name} holds no video, only {', '.join(sorted(kinds)) or 'nothing'}", hint=_WANTED
    )


def _checked_kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise BadVideoError(f"{path.name} cannot be opened: {error.strerror}") from error
    if not head:
        raise BadVideoError(f"{path.name} is empty (0 bytes)", hint=_WANTED)
    kind = kind_of(head)
    if kind in PICTURES - {"GIF"}:
        raise BadVideoError(
            f"{path.name} is a picture ({kind}), not a clip",
            hint="Send single pictures to /pose/hybrid.",
        )
    if kind not in ("", "video", "GIF"):
        raise BadVideoError(f"{path.name} is not a clip ({first_bytes(head)})", hint=_WANTED)
    return kind
