"""Clips out: what is written is what a player shows, whole or not at all."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from makers import corners, frame_number, gray_frames

from pose_service.media.decode import open_clip
from pose_service.media.encode import ClipWriter


def written(path: Path, times_s: list[float], fps: float = 30.0) -> Path:
    images = gray_frames(len(times_s))
    with ClipWriter(path, 64, 48, fps) as clip:
        for image, time_s in zip(images, times_s, strict=True):
            clip.write(image, time_s)
    return path


@pytest.mark.parametrize(
    "times_s", [[i / 30 for i in range(30)], [0.0, 0.1, 0.15, 0.5, 1.0], [0.0], [0.5, 0.6]]
)
def test_frames_and_times_come_back(tmp_path: Path, times_s: list[float]) -> None:
    clip = open_clip(written(tmp_path / "a.mp4", times_s))
    frames = list(clip.frames())
    assert [frame_number(frame.image) for frame in frames] == list(range(len(times_s)))
    # stored in 1/90000 s
    expected_s = np.array(times_s) - times_s[0]
    np.testing.assert_allclose([f.time_s for f in frames], expected_s, atol=1 / 90_000)
    assert clip.notes == ()


def test_the_file_is_what_browsers_play(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [i / 25 for i in range(50)], fps=25)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert container.duration == 2_000_000
        assert stream.average_rate == 25
    data = path.read_bytes()
    # the index before the frames, so that playing starts before all is loaded
    assert data.index(b"moov") < data.index(b"mdat")
    assert data[4:8] == b"ftyp"


def test_a_variable_rate_keeps_its_length(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [0.0, 0.1, 0.15, 0.5, 1.0], fps=10)
    with av.open(str(path)) as container:
        # the last frame is shown for one period
        assert container.duration == 1_100_000


def test_ntsc_rates_do_not_drift(tmp_path: Path) -> None:
    fps = 30_000 / 1001
    path = written(tmp_path / "a.mp4", [i / fps for i in range(300)], fps=fps)
    clip = open_clip(path)
    assert sum(1 for _ in clip.frames()) == 300
    assert clip.info().fps == pytest.approx(fps, rel=1e-5)


def test_colours_survive_in_another_player(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with ClipWriter(path, 64, 48, 30.0) as clip:
        for number in range(5):
            clip.write(corners(64, 48), number / 30)
    video = cv2.VideoCapture(str(path))
    found, shown_bgr = video.read()
    video.release()
    assert found
    # edges are smeared by the half-size colour, areas are not
    assert np.median(np.abs(shown_bgr[..., ::-1].astype(int) - corners(64, 48))) <= 5


@pytest.mark.parametrize(("width", "height"), [(63, 47), (64, 47), (63, 48), (1, 1)])
def test_odd_sizes_are_padded_by_one(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "odd.mp4"
    with ClipWriter(path, width, height, 30.0) as clip:
        for number in range(3):
            clip.write(np.full((height, width, 3), 200, np.uint8), number / 30)
    read = open_clip(path)
    assert (read.width_px, read.height_px) == (width + width % 2, height + height % 2)
    # padded with its own edge: evenly gray to the last pixel
    np.testing.assert_allclose(next(read.frames()).image, 200, atol=3)


def test_nothing_is_left_when_the_writing_fails(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", 64, 48, 30.0)
    with pytest.raises(RuntimeError, match="midway"), writer:
        writer.write(gray_frames(1)[0], 0.0)
        raise RuntimeError("midway")
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with ClipWriter(path, 64, 48, 30.0) as clip:
        clip.write(gray_frames(1)[0], 0.0)
        assert path.read_bytes() == b"old"
    assert path.read_bytes() != b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_clip_without_frames_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", 64, 48, 30.0)
    with pytest.raises(ValueError, match="no frame was written"), writer:
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("time_s", [0.1, 0.05, 0.1 + 1e-7])
def test_times_that_do_not_increase_are_refused(tmp_path: Path, time_s: float) -> None:
    image = gray_frames(1)[0]
    with ClipWriter(tmp_path / "a.mp4", 64, 48, 30.0) as clip:
        clip.write(image, 0.1)
        with pytest.raises(ValueError, match=r"time_s: expected more than 0\.10000"):
            clip.write(image, time_s)


def test_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "a.mp4", 64, 48, 30.0) as clip:
        clip.write(gray_frames(1)[0], 0.0)
        with pytest.raises(ValueError, match=r"image: expected \(48, 64, 3\)"):
            clip.write(np.zeros((64, 48, 3), np.uint8), 0.1)
