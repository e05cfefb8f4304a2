"""Clips to frames: upright, RGB, numbered from 0 without gaps, with the clip's own times."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from av.video.frame import VideoFrame

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadRequestError, BadVideoError, TooLargeError
from pose_service.core.records import ClipInfo, Frame
from pose_service.media.clock import FrameClock
from pose_service.media.containers import Damage, decodable_frames, open_video, stated
from pose_service.media.part import WHOLE, ClipPart

MAX_PIXELS: Final = 50_000_000

_SLACK_S: Final = 0.25
_SLACK: Final = 0.02
"""By how much (seconds, part of the whole) a clip may fall short of its stated duration."""


class _Reading:
    """What one pass over a clip has found so far."""

    def __init__(self, period_s: float) -> None:
        self.clock = FrameClock(period_s)
        self.damage = Damage()
        self.decoded = 0
        self.count = 0
        self.first_frame = 0
        self.first_s = self.last_s = 0.0
        self.resized = 0
        self.reached_end = False


class Clip:
    """A clip file that has been looked into; holds neither the file open nor any frame.

    `width_px`, `height_px`: of its frames, upright. `fps_hint` and `stated_frame_count` are what
    the file says of itself, which may be wrong; `info()` tells what was counted. Of a clip that
    was opened as a part, rates, counts and numbers are those of the part.
    """

    def __init__(self, path: Path, max_pixels: int, part: ClipPart = WHOLE) -> None:
        self.path = path
        self._part = part
        self._max_pixels = max_pixels
        with open_video(path) as video:
            self._check_size(video.stream.width, video.stream.height)
            self._stated = stated(video)
            with closing(decodable_frames(video, Damage())) as frames:
                first = next(frames, None)
            if first is None:
                raise BadVideoError(f"no frame of {path.name} can be decoded: it is cut or damaged")
            self._stored_size = (first.width, first.height)
            self._quarter_turns = round(first.rotation / 90) % 4
        upright = self._stored_size[:: -1 if self._quarter_turns % 2 else 1]
        self.width_px, self.height_px = upright
        self._reading = _Reading(1 / self._stated.fps)

    @property
    def fps_hint(self) -> float:
        return self._stated.fps / self._part.every

    @property
    def stated_frame_count(self) -> int | None:
        frames = self._stated.frames
        return None if frames is None else self._part.count_of(frames, self._stated.fps)

    def frames(self, max_frames: int | None = None) -> Iterator[Frame]:
        """All frames that can be decoded, or the first `max_frames`; each call starts anew.

        Times are the clip's own: a variable rate is kept.
        """
        for index, time_s, picture in self._pictures(max_frames):
            yield Frame(index, time_s, self._upright_rgb(picture))

    def frames_from(self, first: int, passing: Callable[[], None]) -> Iterator[Frame]:
        """The frames from number `first` on, the same as `frames()` gives.

        Those before it are decoded as well, for seeking is not exact; `passing` is called at each
        of them, and may raise.
        """
        for index, time_s, picture in self._pictures(None):
            if index < first:
                passing()
            else:
                yield Frame(index, time_s, self._upright_rgb(picture))

    def frame(self, index: int) -> Frame:
        """The one frame of number `index`; `BadRequestError` if the clip has no such frame.

        It is found by decoding from the start: seeking is not exact.
        """
        if index >= 0:
            for at, time_s, picture in self._pictures(index + 1):
                if at == index:
                    return Frame(at, time_s, self._upright_rgb(picture))
        count = self._reading.count or self.stated_frame_count
        raise BadRequestError(
            f"{self.path.name} has {count} frames; frame {index} was asked for",
            hint="Frames are numbered from 0.",
        )

    def info(self) -> ClipInfo:
        """What the last pass over `frames()` found; `ValueError` before the first frame."""
        reading, count = self._reading, self._reading.count
        if not count:
            raise ValueError("no frame was read yet: what a clip holds is known by reading it")
        length_s = reading.last_s - reading.first_s
        fps = (count - 1) / length_s if count > 1 else self.fps_hint
        return ClipInfo(
            frame_count=count,
            fps=fps,
            width_px=self.width_px,
            height_px=self.height_px,
            duration_s=length_s + 1 / fps,
            notes=self.notes,
            first_frame=reading.first_frame,
            every=self._part.every,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the caller should know of the last pass: a missing end, damage, guessed times."""
        reading, damage = self._reading, self._reading.damage
        size = f"{self.width_px}x{self.height_px}"
        said = (
            (self._ends_early(), self._early_note()),
            (damage.packets, f"damaged pieces of the file left out: {damage.packets}"),
            (damage.frames, f"damaged frames, which may be smeared: {damage.frames}"),
            (reading.resized, f"frames of another size, scaled to {size}: {reading.resized}"),
            (reading.clock.guessed, "frames without a usable time, put one period after the frame "
             f"before: {reading.clock.guessed}"),
        )  # fmt: skip
        return tuple(note for holds, note in said if holds)

    def _pictures(self, max_frames: int | None) -> Iterator[tuple[int, float, VideoFrame]]:
        reading = self._reading = _Reading(1 / self._stated.fps)
        with open_video(self.path) as video:
            wanted = self._wanted(decodable_frames(video, reading.damage))
            for time_s, picture in islice(wanted, max_frames):
                if not reading.count:
                    reading.first_frame, reading.first_s = reading.decoded - 1, time_s
                reading.count += 1
                reading.last_s = time_s
                yield reading.count - 1, time_s, picture
        if not reading.count:
            raise BadVideoError(
                f"{self.path.name} has no frame in the part asked for: it lasts"
                f" {reading.clock.last_s + reading.clock.period_s:.3f} s",
                hint="Send a smaller start.",
            )

    def _wanted(self, pictures: Iterator[VideoFrame]) -> Iterator[tuple[float, VideoFrame]]:
        """The frames of the part, with their times.

        Those before it are decoded all the same: seeking is not exact, and how many there are is
        part of the answer.
        """
        reading, part, in_part = self._reading, self._part, 0
        for picture in pictures:
            time_s = reading.clock.time_of(picture.time)
            reading.decoded += 1
            if part.is_over(time_s):
                return
            if part.is_before(time_s):
                continue
            if in_part % part.every == 0:
                yield time_s, picture
            in_part += 1
        reading.reached_end = True

    def _upright_rgb(self, picture: VideoFrame) -> ImageArray:
        """(height_px, width_px, 3) uint8."""
        if (picture.width, picture.height) != self._stored_size:
            self._check_size(picture.width, picture.height)
            self._reading.resized += 1
        width_px, height_px = self._stored_size
        # one thread converts 1080p frames faster than FFmpeg's default of several
        image = np.asarray(
            picture.to_ndarray(format="rgb24", width=width_px, height=height_px, threads=1),
            dtype=np.uint8,
        )
        # FFmpeg's angle is anticlockwise, as rot90's is
        return np.ascontiguousarray(np.rot90(image, self._quarter_turns))

    def _check_size(self, width_px: int, height_px: int) -> None:
        if width_px * height_px > self._max_pixels:
            raise TooLargeError(
                f"{self.path.name} has frames of {width_px}x{height_px} = {width_px * height_px} "
                f"pixels; at most {self._max_pixels} are taken",
                hint="Send a smaller clip, or raise POSE_MAX_PIXELS.",
            )

    def _ends_early(self) -> bool:
        reading, stated_s = self._reading, self._stated.duration_s
        if reading.damage.stopped_by:
            return True
        if not reading.reached_end or stated_s is None:
            return False
        # the count alone does not tell: a clip cut without re-encoding states hidden frames too
        missing_s = stated_s - reading.clock.last_s - reading.clock.period_s
        is_short = missing_s > max(_SLACK_S, _SLACK * stated_s)
        return is_short and reading.decoded < (self._stated.frames or 0)

    def _early_note(self) -> str:
        count, about = self._reading.decoded, self._stated.frames
        of_about = f" of about {about} stated" if about else ""
        return f"the file ends early: {count} frames were readable{of_about}; the rest is missing"


def open_clip(path: Path, *, max_pixels: int = MAX_PIXELS, part: ClipPart = WHOLE) -> Clip:
    """Look into the clip at `path`, or a part of it, and decode its first frame.

    Raises `BadVideoError` for what is no clip or has no decodable frame, `TooLargeError` for
    frames of more than `max_pixels`.
    """
    return Clip(path, max_pixels, part)
