"""Slices of a stored clip: found by the list of where lines begin, or without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pose_service.core.records import Camera, ClipInfo, TrackedFrame
from pose_service.pipeline import results
from pose_service.pipeline.frame_lines import FRAMES_NAME, STARTS_NAME
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipRun

FRAMES = 12


def frames() -> Iterator[TrackedFrame]:
    for index in range(FRAMES):
        # lines of different lengths
        yield TrackedFrame(index, index * 10.0**index, Camera(100.0, 64, 48), (), 1.0)


@pytest.fixture
def stored(tmp_path: Path) -> StoredClip:
    info = ClipInfo(FRAMES, 30.0, 64, 48, 0.4)
    write_result(tmp_path, ClipRun(info, None, "toy/1", "toy", frames()))
    return StoredClip.open(tmp_path)


SLICES = [(0, None), (0, 3), (5, 8), (11, 12), (11, 99), (12, None), (40, 50), (4, 4), (6, 2)]


@pytest.mark.parametrize(("start", "stop"), SLICES)
@pytest.mark.parametrize("is_old", [False, True])
def test_a_slice_has_its_frames_with_and_without_the_list_of_starts(
    stored: StoredClip, tmp_path: Path, start: int, stop: int | None, is_old: bool
) -> None:
    if is_old:
        (tmp_path / STARTS_NAME).unlink()
    found = [frame.index for frame in stored.frames(start, stop)]
    assert found == [*range(FRAMES)][start:stop]


def test_a_slice_at_the_end_does_not_read_what_comes_before(
    stored: StoredClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (tmp_path / FRAMES_NAME).read_bytes()
    last = data.rindex(b"{", 0, len(data) - 100)
    (tmp_path / FRAMES_NAME).write_bytes(b"?" * (last - 1) + data[last - 1 :])
    read: list[bytes] = []
    real = results.orjson.loads
    monkeypatch.setattr(results.orjson, "loads", lambda line: read.append(line) or real(line))
    assert [frame.index for frame in stored.frames(FRAMES - 1)] == [FRAMES - 1]
    assert len(read) == 1
