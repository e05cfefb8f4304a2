"""Pictures of a source, and an avatar of pictures."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson
import pytest
from makers import clip_file, frame_number, gray_frames, picture_file
from toy_avatar import TOY_CM, ToySteps, fitted_body, measures_of
from toy_engine import picture, toy_engine

from pose_service.avatar.avatar_record import MEDIA_TYPES, AvatarRecord
from pose_service.avatar.make import Checked, make_avatar
from pose_service.avatar.pictures import (
    FRAME_PIXELS,
    MOST_FRAMES,
    PHOTO_PIXELS,
    pictures_of,
    scaled_within,
    spread,
)
from pose_service.avatar.records import Gender, Wish
from pose_service.core.config import Settings
from pose_service.core.errors import BadImageError, BadVideoError, TooLargeError
from pose_service.core.records import Frame
from pose_service.engines.seam import Engine
from pose_service.media.decode import open_clip
from pose_service.pipeline.frame_lines import HEAD_NAME
from pose_service.pipeline.video import ClipStoppedError, ClipWatch

T = TypeVar("T")

MAX_PIXELS = 50_000_000
PIXEL = np.zeros((1, 1, 3), np.uint8)
PERSON = (100, 40, 160, 200)


class Nets:
    """Lends the toy engine at once."""

    def wait(self, timeout_s: float) -> Engine:
        return toy_engine()

    def run_clip(self, work: Callable[[Engine], T]) -> T:
        return work(toy_engine())


def frames(count: int) -> list[Frame]:
    return [Frame(index, index / 30, PIXEL) for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 23, 24, 25, 48, 49, 50, 97, 1000, 4321])
def test_frames_are_spread_over_clips_of_every_length(count: int) -> None:
    chosen = [frame.index for frame in spread(iter(frames(count)), MOST_FRAMES)]
    assert len(chosen) == min(count, MOST_FRAMES)
    assert chosen == sorted(set(chosen)) and chosen[0] == 0
    # the last one is at most one step of the thinning before the end
    steps = np.diff(chosen)
    assert count - 1 - chosen[-1] <= max([*steps, 1])
    assert len(steps) == 0 or steps.max() <= 2 * steps.min()


def test_a_clips_pictures_come_in_order_from_its_whole_length(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", gray_frames(36))
    passed: list[int] = []
    pictures = pictures_of(clip, MAX_PIXELS, lambda: passed.append(1))
    numbers = [frame_number(image) for image in pictures]
    assert len(numbers) == MOST_FRAMES and numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (0, 35)
    assert len(passed) == 36


def test_frames_of_a_long_clip_that_are_not_wanted_are_never_made_into_pictures(
    tmp_path: Path,
) -> None:
    clip = clip_file(tmp_path / "a.mp4", gray_frames(480, width=16, height=16), fps=60)
    passed: list[int] = []
    assert len(pictures_of(clip, MAX_PIXELS, lambda: passed.append(1))) == MOST_FRAMES
    assert len(passed) == 48


def test_only_the_first_minute_of_a_clip_counts(tmp_path: Path) -> None:
    """One frame every four seconds: 15 of them lie before second 60."""
    images = gray_frames(30, width=16, height=16)
    clip = clip_file(tmp_path / "a.mp4", images, times_s=[4.0 * number for number in range(30)])
    assert open_clip(clip).stated_frame_count == 30
    numbers = [frame_number(image) for image in pictures_of(clip, MAX_PIXELS)]
    assert numbers == list(range(15))


def test_large_pictures_are_made_smaller_in_proportion_and_small_ones_are_left(
    tmp_path: Path,
) -> None:
    large = np.zeros((3000, 4000, 3), np.uint8)
    small = scaled_within(large, PHOTO_PIXELS)
    height_px, width_px = small.shape[:2]
    assert 0.99 * PHOTO_PIXELS < height_px * width_px <= PHOTO_PIXELS
    assert width_px / height_px == pytest.approx(4 / 3, rel=1e-3)
    assert scaled_within(small, PHOTO_PIXELS) is small
    (tmp_path / "a.png").write_bytes(picture_file(large, "PNG"))
    assert pictures_of(tmp_path / "a.png", MAX_PIXELS)[0].shape == small.shape
    assert FRAME_PIXELS < PHOTO_PIXELS


def test_what_is_neither_picture_nor_clip_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture at all")
    with pytest.raises(BadVideoError):
        pictures_of(tmp_path / "a.jpg", MAX_PIXELS)
    (tmp_path / "b.jpg").write_bytes(picture_file(picture(PERSON), "JPEG")[:400])
    with pytest.raises(BadImageError):
        pictures_of(tmp_path / "b.jpg", MAX_PIXELS)
    (tmp_path / "c.png").write_bytes(picture_file(picture(PERSON), "PNG"))
    with pytest.raises(TooLargeError):
        pictures_of(tmp_path / "c.png", 1000)


def avatar_of(folder: Path, steps: ToySteps, watch: ClipWatch, wish: Wish) -> AvatarRecord:
    pictures = [picture(PERSON), picture(), picture(PERSON)]
    done = steps(Settings(), toy_engine(), Nets(), wish)
    return make_avatar(pictures, toy_engine(), wish, folder, done, watch)


def test_a_record_says_what_was_asked_found_and_measured(tmp_path: Path) -> None:
    wish = Wish(Gender.FEMALE, height_cm=90.0)
    record = avatar_of(tmp_path, ToySteps(), ClipWatch(), wish)
    assert (record.pictures, record.used) == (3, 2)
    written = orjson.loads((tmp_path / HEAD_NAME).read_bytes())
    assert written == orjson.loads(record.to_json())
    assert written["measurements"] == {name: value / 2 for name, value in TOY_CM.items()}
    assert {path.name for path in tmp_path.iterdir()} == {*MEDIA_TYPES, HEAD_NAME}


def test_stages_are_told_in_order(tmp_path: Path) -> None:
    stages: list[str] = []
    watch = ClipWatch(lambda stage, done, total: stages.append(stage))
    avatar_of(tmp_path, ToySteps(), watch, Wish())
    assert stages == ["looking", "checking", "fitting", "measuring", "writing"]


@pytest.mark.parametrize("step", ["check", "fit", "measure"])
def test_who_stops_the_making_finds_no_record(tmp_path: Path, step: str) -> None:
    stopped = threading.Event()
    steps = ToySteps(before=lambda at: stopped.set() if at == step else None)
    with pytest.raises(ClipStoppedError):
        avatar_of(tmp_path, steps, ClipWatch(stopped=stopped.is_set), Wish())
    assert not (tmp_path / HEAD_NAME).exists()


def test_files_that_were_not_written_make_no_record(tmp_path: Path) -> None:
    class Forgetful(ToySteps):
        def write(self, folder: Path, *found: Any) -> Mapping[str, Path]:
            paths = super().write(folder, *found)
            return {name: path for name, path in paths.items() if name != "mesh.glb"}

    with pytest.raises(ValueError, match=r"mesh\.glb"):
        avatar_of(tmp_path, Forgetful(), ClipWatch(), Wish())
    assert not (tmp_path / HEAD_NAME).exists()


def test_records_refuse_what_is_not_whole() -> None:
    fitted = fitted_body(Wish())
    measurements, bounds = measures_of(fitted)
    del bounds["neck"]
    with pytest.raises(ValueError, match="'neck'"):
        AvatarRecord(Wish(), "toy", fitted, measurements, bounds, {}, 1, 1)
    with pytest.raises(ValueError, match="expected 1 to 1"):
        AvatarRecord(Wish(), "toy", fitted, *measures_of(fitted), {}, 1, 2)
    with pytest.raises(ValueError, match="expected a person"):
        Checked((), (), {})
