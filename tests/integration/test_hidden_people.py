"""People of real clips are hidden for a while, by frames made black, and known again."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from coloured_people import Nets
from makers import clip_file

from pose_service.core.arrays import ImageArray
from pose_service.core.config import read_settings
from pose_service.core.records import Provenance, TrackedFrame
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import Engine
from pose_service.media.decode import open_clip
from pose_service.pipeline.video import ClipOptions, ClipRun, ClipWatch, process_clip

SIZE = (544, 960)


@pytest.fixture(scope="module")
def engine(network_dir: Path) -> Engine:
    built, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    return built


def pictures(path: Path, frames: range) -> Iterator[ImageArray]:
    """Every second pixel of these frames, in the upper left corner of pictures of `SIZE`."""
    for frame in open_clip(path).frames(frames.stop):
        if frame.index in frames:
            half = frame.image[::2, ::2]
            image = np.zeros((*SIZE, 3), np.uint8)
            image[: len(half), : len(half[0])] = half[: SIZE[0], : SIZE[1]]
            yield image


def black(count: int) -> list[ImageArray]:
    return [np.zeros((*SIZE, 3), np.uint8)] * count


def run(
    engine: Engine, folder: Path, images: list[ImageArray]
) -> tuple[ClipRun, list[TrackedFrame]]:
    clip = clip_file(folder / "a.mp4", images)
    clip_run = process_clip(clip, Nets(engine), ClipOptions(), folder, ClipWatch())
    return clip_run, list(clip_run.frames)


def words(frames: list[TrackedFrame], track_id: int) -> str:
    """One letter per frame: o, p, i, or a dot where the track is not shown."""
    shown = ([one for one in frame.people if one.track_id == track_id] for frame in frames)
    return "".join(people[0].provenance.value[0] if people else "." for people in shown)


def observed_ids(frames: list[TrackedFrame]) -> set[int]:
    return {
        one.track_id
        for frame in frames
        for one in frame.people
        if one.provenance is Provenance.OBSERVED
    }


@pytest.mark.parametrize("hidden", [5, 20, 60])
def test_the_runner_keeps_her_id_while_she_is_hidden(
    engine: Engine, shared_media: Path, tmp_path: Path, hidden: int
) -> None:
    before, after = range(30), range(30 + hidden, 60 + hidden)
    clip = shared_media / "vid.mp4"
    images = [*pictures(clip, before), *black(hidden), *pictures(clip, after)]
    clip_run, frames = run(engine, tmp_path, images)
    assert len(frames) == 60 + hidden
    assert {one.track_id for frame in frames for one in frame.people} == {1}
    found = words(frames, 1)
    assert found[:30] == 30 * "o"
    assert found[30 : 30 + hidden] == hidden * "i"
    # when she is back she may be found a frame or two later: nobody looks for her in every one
    assert found[33 + hidden :] == 27 * "o"
    # the tracker itself remembers for thirty frames
    assert [one.kept for one in clip_run.merged_tracks] == ([1] if hidden > 30 else [])


def test_two_who_are_hidden_at_once_are_each_known_again(
    engine: Engine, shared_media: Path, tmp_path: Path
) -> None:
    """One stays on her wall, the other walks below it halfway through the picture."""
    clip = shared_media / "sports2d.mp4"
    images = [*pictures(clip, range(60)), *black(60), *pictures(clip, range(120, 145))]
    clip_run, frames = run(engine, tmp_path, images)
    assert {one.track_id for frame in frames for one in frame.people} == {1, 2}
    assert sorted(one.kept for one in clip_run.merged_tracks) == [1, 2]
    for frame in (*frames[50:60], *frames[123:]):
        jumper, walker = sorted(frame.people, key=lambda one: one.track_id)
        assert jumper.box_xyxy_px[3] < walker.box_xyxy_px[3] - 100
    hidden = [one.provenance for frame in frames[60:120] for one in frame.people]
    assert set(hidden) == {Provenance.INTERPOLATED}


def test_another_person_in_turn_is_never_taken_for_the_first(
    engine: Engine, shared_media: Path, tmp_path: Path
) -> None:
    images = [
        *pictures(shared_media / "vid.mp4", range(40)),
        *black(12),
        *pictures(shared_media / "sports2d.mp4", range(40)),
    ]
    clip_run, frames = run(engine, tmp_path, images)
    assert clip_run.merged_tracks == ()
    first, second = observed_ids(frames[:40]), observed_ids(frames[52:])
    assert first and second and not first & second
