"""A long clip needs hardly more memory than a short one."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from makers import clip_file
from toy_engine import picture

TESTS = Path(__file__).resolve().parents[1]
PEOPLE = 4
SHORT = 140
# 2 MB were measured for 3000 frames: what grows is the log's index, dozens of bytes per sight.
# Their pictures alone would be 170 MB.
MOST_GROWTH_MB = 20

RUN = """
import re, sys
from pathlib import Path
from coloured_people import Nets, colour_engine
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.frame import Maker
from pose_service.legacy.options import AnswerOptions
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip

source, folder = map(Path, sys.argv[1:])
engine = colour_engine()
write_result(folder, process_clip(source, Nets(engine), ClipOptions(), folder, ClipWatch()))
clip = StoredClip.open(folder)
answer = ClipAnswer.whole(clip, Maker.of(engine), AnswerOptions(raw=True), {})
assert sum(map(len, answer.write())) > 0
status = Path("/proc/self/status").read_text()
peak_mb = int(re.search("VmHWM:\\s*(\\d+) kB", status)[1]) / 1024
print(peak_mb, clip.head.info.frame_count, len(clip.head.quality))
"""


class _Walkers(Sequence[Any]):
    """Pictures of `PEOPLE` people side by side, made when they are asked for."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if index >= self._count:
            raise IndexError(index)
        left = index % 8
        boxes = [(left + 40 * k, 20, left + 40 * k + 24, 90) for k in range(PEOPLE)]
        return picture(*boxes, size=(176, 112))


def peak_mb(folder: Path, count: int) -> float:
    """Of a process of its own that tracks, stores and answers a clip of `count` frames."""
    folder.mkdir()
    source = clip_file(folder / "clip.mp4", _Walkers(count))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(source), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
    )
    assert done.returncode == 0, done.stderr
    peak, frames, tracks = done.stdout.split()
    assert (int(frames), int(tracks)) == (count, PEOPLE)
    return float(peak)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("frames", [900, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_long_clip_of_four_people_needs_as_much_memory_as_one_of_140_frames(
    tmp_path: Path, frames: int
) -> None:
    short_mb, long_mb = peak_mb(tmp_path / "short", SHORT), peak_mb(tmp_path / "long", frames)
    assert long_mb - short_mb < MOST_GROWTH_MB
