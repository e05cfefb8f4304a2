"""Clips in: every decodable frame once, upright, with its own time; what is missing is said."""

import gc
import math
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest
from makers import (
    clip_changing_size,
    clip_file,
    copied,
    corners,
    frame_number,
    gray_frames,
    picture_file,
    sound_file,
    truncated,
)

from pose_service.core.errors import BadRequestError, BadVideoError, TooLargeError
from pose_service.media.clock import FrameClock
from pose_service.media.decode import open_clip
from pose_service.media.part import ClipPart
from pose_service.media.prefetch import prefetch


@pytest.fixture
def clip_path(tmp_path: Path) -> Path:
    """30 frames, one second."""
    return clip_file(tmp_path / "clip.mp4", gray_frames(30))


def numbers(path: Path) -> list[int]:
    return [frame_number(frame.image) for frame in open_clip(path).frames()]


# ---- frames


def test_every_frame_comes_once_in_order_with_its_time(clip_path: Path) -> None:
    clip = open_clip(clip_path)
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame_number(frame.image) for frame in frames] == list(range(30))
    # times are stored in 1/90000 s
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(30) / 30, atol=1 / 90_000)
    assert (clip.width_px, clip.height_px) == (64, 48)
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mkv", "libx264", "yuv420p"),
        ("a.mov", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
    ],
)
def test_other_formats_give_all_their_frames_too(
    tmp_path: Path, name: str, codec: str, pix_fmt: str
) -> None:
    path = clip_file(tmp_path / name, gray_frames(30), codec=codec, pix_fmt=pix_fmt)
    found = numbers(path)
    assert len(found) == 30
    # rgb8 keeps 4 to 8 levels of gray only, so that order is all that can be told
    assert found == sorted(found) if codec == "gif" else found == list(range(30))


def test_odd_sizes_keep_their_last_row_and_column(tmp_path: Path) -> None:
    image = np.zeros((47, 63, 3), np.uint8)
    image[-1, :, 0] = image[:, -1, 0] = 255
    path = clip_file(tmp_path / "odd.mkv", [image] * 3, codec="ffv1", pix_fmt="bgr0")
    frame = next(open_clip(path).frames())
    np.testing.assert_array_equal(frame.image, image)


def test_colours_are_red_green_blue_in_this_order(tmp_path: Path) -> None:
    path = clip_file(tmp_path / "c.mkv", [corners()] * 2, codec="ffv1", pix_fmt="bgr0")
    np.testing.assert_array_equal(next(open_clip(path).frames()).image, corners())


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270, -90])
def test_a_rotation_tag_is_obeyed(tmp_path: Path, rotation_deg: int) -> None:
    path = clip_file(tmp_path / "turned.mp4", [corners(64, 48)] * 3, rotation_deg=rotation_deg)
    clip = open_clip(path)
    image = next(clip.frames()).image
    # the tag is the anticlockwise angle that a player turns the stored picture by
    expected = np.rot90(corners(64, 48), rotation_deg // 90)
    assert image.shape == expected.shape == (clip.height_px, clip.width_px, 3)
    assert image.flags.c_contiguous
    # edges between the colours are smeared by compression, areas are not
    assert np.median(np.abs(image.astype(int) - expected)) <= 5


def test_a_clip_can_be_read_twice_and_only_in_part(clip_path: Path) -> None:
    clip = open_clip(clip_path)
    assert [frame.index for frame in clip.frames(max_frames=7)] == list(range(7))
    assert clip.info().frame_count == 7 and clip.notes == ()
    assert len(list(clip.frames())) == 30
    assert clip.info().frame_count == 30


def test_frames_whose_size_changes_are_scaled_to_the_first_and_noted(tmp_path: Path) -> None:
    path = clip_changing_size(tmp_path / "sizes.ts", [(64, 48), (96, 64), (64, 48)], each=5)
    clip = open_clip(path)
    frames = list(clip.frames())
    assert [frame_number(frame.image) for frame in frames] == list(range(15))
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert clip.notes == ("frames of another size, scaled to 64x48: 5",)


def test_one_frame_can_be_read_by_its_number(clip_path: Path) -> None:
    frame = open_clip(clip_path).frame(17)
    assert frame.index == frame_number(frame.image) == 17
    assert frame.time_s == pytest.approx(17 / 30, abs=1 / 90_000)


@pytest.mark.parametrize("index", [30, 1000, -1])
def test_a_frame_that_the_clip_has_not_is_refused_with_the_count(
    clip_path: Path, index: int
) -> None:
    with pytest.raises(BadRequestError, match=f"has 30 frames; frame {index} was asked for"):
        open_clip(clip_path).frame(index)


def test_reading_holds_no_frames(tmp_path: Path) -> None:
    path = clip_file(tmp_path / "long.mp4", gray_frames(36, 320, 240))
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0
    for frame in open_clip(path).frames():
        alive.append(weakref.ref(frame.image))
        most = max(most, sum(image() is not None for image in alive))
    del frame
    gc.collect()
    assert len(alive) == 36
    # the one in hand, and the one before it while the next is made
    assert most <= 2
    assert not any(image() is not None for image in alive)


def test_leaving_midway_closes_the_file(clip_path: Path) -> None:
    frames = open_clip(clip_path).frames()
    next(frames)
    frames.close()
    open_files = [entry.resolve() for entry in Path("/proc/self/fd").iterdir()]
    assert clip_path.resolve() not in open_files


def test_a_clip_can_be_read_ahead_in_a_thread_and_left_midway(clip_path: Path) -> None:
    clip = open_clip(clip_path)
    assert [frame_number(frame.image) for frame in prefetch(clip.frames())] == list(range(30))
    ahead = prefetch(clip.frames())
    next(ahead)
    ahead.close()
    open_files = [entry.resolve() for entry in Path("/proc/self/fd").iterdir()]
    assert clip_path.resolve() not in open_files


# ---- times


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 0.5, 1.0]
    clip = open_clip(clip_file(tmp_path / "v.mp4", gray_frames(5), times_s=times_s))
    # stored in 1/90000 s
    assert [f.time_s for f in clip.frames()] == pytest.approx(times_s, abs=1 / 90_000)
    info = clip.info()
    assert (info.frame_count, info.fps) == (5, pytest.approx(4.0))
    assert info.duration_s == pytest.approx(1.25)


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    path = clip_file(tmp_path / "late.mkv", gray_frames(3), times_s=[5.0, 5.5, 6.0])
    assert [f.time_s for f in open_clip(path).frames()] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("fps", [24, 60, 120])
def test_the_rate_is_the_clips_own(tmp_path: Path, fps: int) -> None:
    clip = open_clip(clip_file(tmp_path / "r.mp4", gray_frames(30), fps=fps))
    assert clip.fps_hint == pytest.approx(fps)
    assert len(list(clip.frames())) == 30
    assert clip.info().fps == pytest.approx(fps, rel=1e-3)
    assert clip.info().duration_s == pytest.approx(30 / fps, rel=1e-3)


def test_a_raw_stream_without_times_gets_even_ones_and_says_so(tmp_path: Path) -> None:
    clip = open_clip(clip_file(tmp_path / "a.h264", gray_frames(10), file_format="h264"))
    times_s = [frame.time_s for frame in clip.frames()]
    np.testing.assert_allclose(np.diff(times_s), 1 / clip.fps_hint)
    assert times_s[0] == 0.0
    assert "without a usable time" in clip.notes[0]


def test_the_clock_takes_true_times_and_bridges_what_is_missing() -> None:
    clock = FrameClock(period_s=0.1)
    stamps_s = [2.0, 2.1, None, 2.3, 2.3, 2.2, 2.9]
    times_s = [clock.time_of(stamp_s) for stamp_s in stamps_s]
    assert times_s == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9])
    assert clock.guessed == 3


def test_the_clock_starts_at_zero_when_the_first_frame_has_no_stamp() -> None:
    clock = FrameClock(period_s=0.1)
    times_s = [clock.time_of(stamp_s) for stamp_s in (None, None, 7.0, 7.4)]
    assert times_s == pytest.approx([0.0, 0.1, 0.2, 0.6])
    assert not any(math.isnan(time_s) for time_s in times_s)


# ---- what is known of a clip


def test_a_clip_says_nothing_of_itself_before_it_is_read(clip_path: Path) -> None:
    clip = open_clip(clip_path)
    assert clip.stated_frame_count == 30
    with pytest.raises(ValueError, match="no frame was read yet"):
        clip.info()


def test_a_single_frame_has_the_stated_rate(tmp_path: Path) -> None:
    clip = open_clip(clip_file(tmp_path / "one.mp4", gray_frames(1), fps=25))
    assert len(list(clip.frames())) == 1
    assert clip.info().fps == pytest.approx(25)
    assert clip.info().duration_s == pytest.approx(1 / 25)


# ---- cut, damaged and odd files


@pytest.fixture
def long_clip_path(tmp_path: Path) -> Path:
    """90 frames of noise, three seconds: packets large enough to be cut in two."""
    generator = np.random.default_rng(3)
    noise = [generator.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(90)]
    return clip_file(tmp_path / "long.mp4", noise)


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_truncated_file_gives_what_can_be_read_and_says_so(
    long_clip_path: Path, tmp_path: Path, name: str
) -> None:
    options = {"movflags": "faststart"} if name.endswith("mp4") else {"cluster_time_limit": "200"}
    whole = copied(long_clip_path, tmp_path / f"whole_{name}", **options)
    clip = open_clip(truncated(whole, tmp_path / name, 0.5))
    frames = list(clip.frames())
    assert 20 <= len(frames) < 60
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert clip.notes[0] == (
        f"the file ends early: {len(frames)} frames were readable of about 90 stated; "
        "the rest is missing"
    )
    assert clip.info().frame_count == len(frames)


def test_a_truncated_file_whose_index_was_at_the_end_is_refused(
    long_clip_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadVideoError, match="not a clip that can be read") as caught:
        open_clip(truncated(long_clip_path, tmp_path / "cut.mp4", 0.9))
    assert "cut or damaged" in caught.value.hint


def test_a_clip_cut_without_re_encoding_counts_only_its_visible_frames(
    clip_path: Path, tmp_path: Path
) -> None:
    clip = open_clip(copied(clip_path, tmp_path / "cut.mp4", skip_frames=12))
    assert clip.stated_frame_count == 30
    assert [frame_number(frame.image) for frame in clip.frames()] == list(range(12, 30))
    assert clip.notes == ()


def test_damage_in_the_middle_costs_no_more_than_the_damaged_frames(
    long_clip_path: Path, tmp_path: Path
) -> None:
    data = bytearray(long_clip_path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path = tmp_path / "hurt.mp4"
    path.write_bytes(data)
    clip = open_clip(path)
    frames = list(clip.frames())
    assert len(frames) > 60
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames[-1].time_s == pytest.approx(89 / 30, abs=1 / 90_000)
    assert any("damaged" in note for note in clip.notes)


def test_a_file_with_an_index_but_no_frames_is_refused(tmp_path: Path) -> None:
    whole = copied(
        clip_file(tmp_path / "a.mp4", gray_frames(30)),
        tmp_path / "whole.mp4",
        movflags="faststart",
    )
    data = whole.read_bytes()
    path = tmp_path / "headless.mp4"
    path.write_bytes(data[: data.index(b"mdat") + 4])
    with pytest.raises(BadVideoError, match=r"no frame of headless\.mp4 can be decoded"):
        open_clip(path)


def test_a_codec_that_nobody_knows_is_named_as_such(tmp_path: Path) -> None:
    path = clip_file(tmp_path / "a.mkv", gray_frames(3), codec="ffv1", pix_fmt="bgr0")
    path.write_bytes(path.read_bytes().replace(b"V_FFV1", b"V_XXXX"))
    with pytest.raises(BadVideoError, match="cannot be decoded"):
        open_clip(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"just some notes\n" * 50, "look like text"),
        (b"<html><body>404</body></html>", "look like HTML"),
        (np.random.default_rng(0).bytes(50_000), "not a clip that can be read"),
        (bytes(50_000), "not a clip that can be read"),
        (picture_file(corners(), "PNG"), r"is a picture \(PNG\)"),
        (picture_file(corners(), "JPEG"), r"is a picture \(JPEG\)"),
        (picture_file(corners(), "WEBP"), r"is a picture \(WebP\)"),
        (picture_file(corners(), "AVIF"), r"is a picture \(AVIF\)"),
    ],
)
def test_what_is_no_clip_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(BadVideoError, match=f"clip.mp4.*{reason}") as caught:
        open_clip(path)
    assert caught.value.status == 400 and caught.value.hint


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideoError, match="Is a directory"):
        open_clip(tmp_path)
    with pytest.raises(BadVideoError, match="No such file"):
        open_clip(tmp_path / "none.mp4")


def test_sound_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideoError, match="holds no video, only audio"):
        open_clip(sound_file(tmp_path / "song.m4a"))


def test_a_songs_cover_is_no_clip(tmp_path: Path) -> None:
    path = sound_file(tmp_path / "song.mp3", cover=picture_file(corners(), "PNG"))
    with pytest.raises(BadVideoError, match="holds no video, only audio"):
        open_clip(path)


@pytest.mark.parametrize(
    "playlist",
    [
        b"ffconcat version 1.0\n# \xff\xff\xff\xff\nfile clip.mp4\n",
        b"#EXTM3U\n# \xff\xff\xff\xff\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n",
    ],
)
def test_a_playlist_cannot_make_the_service_read_other_files(
    clip_path: Path, playlist: bytes
) -> None:
    path = clip_path.with_name("list.mp4")
    path.write_bytes(playlist)
    with pytest.raises(BadVideoError):
        open_clip(path)


def test_frames_over_the_limit_are_refused_before_they_are_decoded(
    clip_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pose_service.media.decode.decodable_frames", lambda *_: pytest.fail("decoded")
    )
    with pytest.raises(TooLargeError, match="64x48 = 3072 pixels; at most 3071"):
        open_clip(clip_path, max_pixels=3071)


def test_frames_that_grow_over_the_limit_are_refused(tmp_path: Path) -> None:
    path = clip_changing_size(tmp_path / "grows.ts", [(64, 48), (96, 64)])
    clip = open_clip(path, max_pixels=64 * 48)
    with pytest.raises(TooLargeError, match="96x64"):
        list(clip.frames())


def test_names_with_colons_and_percent_signs_are_names(clip_path: Path) -> None:
    for name in ("http:clip.mp4", "a%03d.mp4", "concat:clip.mp4", "mañana 雪.mp4"):
        other = clip_path.with_name(name)
        shutil.copy(clip_path, other)
        assert len(list(open_clip(other).frames())) == 30


# ---- real clips


@pytest.mark.parametrize(
    ("name", "count", "fps", "size"),
    [
        ("vid.mp4", 180, 30.0, (1920, 1088)),
        ("sports2d.mp4", 230, 30.0, (1768, 994)),
        ("p2s_multi1.mp4", 100, 60.0, (1088, 1920)),
    ],
)
def test_real_clips_have_their_known_frames_and_times(
    shared_media: Path, name: str, count: int, fps: float, size: tuple[int, int]
) -> None:
    clip = open_clip(shared_media / name)
    times_s = [frame.time_s for frame in clip.frames()]
    # their times are stored in 1/15360 s
    np.testing.assert_allclose(times_s, np.arange(count) / fps, atol=1 / 15_360)
    info = clip.info()
    assert (info.frame_count, (info.width_px, info.height_px), info.notes) == (count, size, ())
    assert info.duration_s == pytest.approx(count / fps, abs=1e-3)


def test_a_truncated_real_clip_gives_its_97_whole_frames(
    shared_media: Path, tmp_path: Path
) -> None:
    whole = copied(shared_media / "vid.mp4", tmp_path / "whole.mp4", movflags="faststart")
    clip = open_clip(truncated(whole, tmp_path / "cut.mp4", 0.55))
    # one thread, which cannot lose frames, decodes 97 too
    assert len(list(clip.frames())) == 97
    assert "97 frames were readable of about 180 stated" in clip.notes[0]


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        (ClipPart(), [*range(12)]),
        (ClipPart(every=5), [0, 5, 10]),
        (ClipPart(start_s=0.1), [*range(3, 12)]),
        (ClipPart(end_s=0.1), [0, 1, 2]),
        (ClipPart(start_s=0.1, end_s=0.3, every=2), [3, 5, 7]),
        (ClipPart(start_s=0.101, every=4), [4, 8]),
    ],
)
def test_a_part_has_its_own_numbers_and_the_clips_times(
    tmp_path: Path, part: ClipPart, numbers: list[int]
) -> None:
    clip = open_clip(clip_file(tmp_path / "a.mp4", gray_frames(12), fps=30), part=part)
    frames = list(clip.frames())
    assert [frame_number(frame.image) for frame in frames] == numbers
    assert [frame.index for frame in frames] == [*range(len(numbers))]
    assert [frame.time_s for frame in frames] == pytest.approx([n / 30 for n in numbers], abs=1e-4)
    info = clip.info()
    assert (info.frame_count, info.first_frame, info.every) == (
        len(numbers), numbers[0], part.every,
    )  # fmt: skip
    assert clip.stated_frame_count == len(numbers)
    assert info.fps == pytest.approx(30 / part.every, rel=1e-3)
    assert clip.fps_hint == pytest.approx(30 / part.every)
    assert info.duration_s == pytest.approx(len(numbers) * part.every / 30, abs=1e-3)
    assert info.notes == ()
    assert frame_number(clip.frame(1).image) == numbers[1]


def test_each_nth_frame_of_an_uneven_clip_keeps_its_true_time(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 0.4, 0.5, 0.9]
    path = clip_file(tmp_path / "a.mp4", gray_frames(6), times_s=times_s)
    frames = list(open_clip(path, part=ClipPart(every=2)).frames())
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.15, 0.5], abs=1e-4)


def test_a_number_of_frames_is_counted_within_the_part(tmp_path: Path) -> None:
    clip = open_clip(clip_file(tmp_path / "a.mp4", gray_frames(12)), part=ClipPart(0.1, None, 2))
    assert [frame_number(frame.image) for frame in clip.frames(3)] == [3, 5, 7]


def test_a_part_beyond_the_end_is_said_to_be_so(tmp_path: Path) -> None:
    clip = open_clip(clip_file(tmp_path / "a.mp4", gray_frames(6)), part=ClipPart(start_s=1.0))
    with pytest.raises(BadVideoError, match=r"no frame in the part asked for: it lasts 0\.200 s"):
        list(clip.frames())


def test_a_part_that_ends_before_the_clip_is_not_taken_for_a_cut_file(tmp_path: Path) -> None:
    clip = open_clip(clip_file(tmp_path / "a.mp4", gray_frames(60)), part=ClipPart(end_s=0.5))
    assert len(list(clip.frames())) == 15
    assert clip.notes == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((-1.0,), "start_s: expected 0 or more, got -1.0"),
        ((math.nan,), "start_s: expected 0 or more, got nan"),
        ((1.0, 1.0), "end_s: expected more than 1.0, got 1.0"),
        ((0.0, None, 0), "every: expected 1 or more, got 0"),
    ],
)
def test_a_part_that_is_none_is_refused(values: tuple[float, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ClipPart(*values)  # type: ignore[arg-type]
