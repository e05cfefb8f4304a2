"""A clip that was broken off goes on from its last whole chunk, and comes out the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chunks_kit import Counting
from coloured_people import CYAN, YELLOW, Actor, Nets, scene, standing, without
from toy_engine import ToyTracker, toy_engine

from pose_service.core.records import Regions, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.sights import CHUNK_FRAMES
from pose_service.pipeline.video import ClipOptions, ClipStoppedError, ClipWatch, process_clip

FRAMES = 2 * CHUNK_FRAMES + 30


class EveryThird(ToyTracker):
    """Asks for a detection in every third frame, and looks at the last boxes in the others."""

    lookahead = 1

    def wants_detection(self, frame_index: int) -> bool:
        return frame_index % 3 == 0

    def regions(self, frame_index: int, found: Regions) -> Regions:
        if self.wants_detection(frame_index):
            return found
        boxes = np.array(list(self._boxes.values())).reshape(-1, 4)
        ids = np.array(list(self._boxes), np.int64)
        return replace(Regions.of_boxes(boxes), track_ids=ids)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    walker = Actor(YELLOW, without(FRAMES, range(70, 80)), lambda i: (20 + i, 40, 80 + i, 200))
    return scene(tmp_path / "a.mp4", FRAMES, walker, Actor(CYAN, range(FRAMES), standing(250)))


def counted(nets: Counting, tracker: type[ToyTracker] = ToyTracker, **changed: str) -> Engine:
    apart = tracker is ToyTracker
    engine = replace(toy_engine(), detector=nets, regressor=nets, frames_apart=apart, **changed)
    return replace(engine, new_tracker=lambda fps: tracker())


def run(clip: Path, folder: Path, engine: Engine, stop_at: int | None = None) -> list[TrackedFrame]:
    """The stored frames without what they cost; `stop_at`: the frame in which it is broken off."""
    folder.mkdir(exist_ok=True)
    scratch = folder / "result"
    scratch.mkdir(exist_ok=True)
    done = [0]
    watch = ClipWatch(
        lambda stage, frames, total: done.__setitem__(0, frames),
        lambda: stop_at is not None and done[0] >= stop_at,
    )
    tracked = process_clip(clip, Nets(engine), ClipOptions(), scratch, watch, kept=folder)
    write_result(scratch, tracked)
    return [replace(frame, processing_ms=0) for frame in StoredClip.open(scratch).frames()]


def assert_same(left: list[TrackedFrame], right: list[TrackedFrame]) -> None:
    assert len(left) == len(right) == FRAMES
    for one, other in zip(left, right, strict=True):
        assert (one.index, one.time_s, one.camera) == (other.index, other.time_s, other.camera)
        assert len(one.people) == len(other.people)
        for mine, theirs in zip(one.people, other.people, strict=True):
            assert (mine.track_id, mine.provenance) == (theirs.track_id, theirs.provenance)
            assert mine.tracking_confidence == theirs.tracking_confidence
            assert np.array_equal(mine.box_xyxy_px, theirs.box_xyxy_px)
            assert np.array_equal(mine.pose.rotations, theirs.pose.rotations)
            assert np.array_equal(mine.pose.translations_m, theirs.pose.translations_m)


@pytest.mark.parametrize("tracker", [ToyTracker, EveryThird])
@pytest.mark.parametrize("stop_at", [0, 1, CHUNK_FRAMES - 1, CHUNK_FRAMES + 10, FRAMES - 5])
def test_it_comes_out_the_same_and_no_whole_chunk_is_looked_at_again(
    clip: Path, tmp_path: Path, stop_at: int, tracker: type[ToyTracker]
) -> None:
    whole = run(clip, tmp_path / "whole", counted(Counting(), tracker))
    with pytest.raises(ClipStoppedError):
        run(clip, tmp_path / "broken", counted(Counting(), tracker), stop_at)
    nets = Counting()
    assert_same(run(clip, tmp_path / "broken", counted(nets, tracker)), whole)
    # what was tracked when it was stopped, in groups of four or one, as far as chunks were full
    left = FRAMES - stop_at // CHUNK_FRAMES * CHUNK_FRAMES
    assert nets.observed <= left
    assert nets.observed >= left - CHUNK_FRAMES


def test_nothing_is_kept_where_no_folder_is_given_for_it(clip: Path, tmp_path: Path) -> None:
    engine = counted(Counting())
    write_result(tmp_path, process_clip(clip, Nets(engine), ClipOptions(), tmp_path, ClipWatch()))
    assert not list(tmp_path.glob("sights*"))


@pytest.mark.parametrize("change", ["engine", "setup", "clip"])
def test_chunks_of_another_engine_setup_or_clip_are_not_used(
    clip: Path, tmp_path: Path, change: str
) -> None:
    with pytest.raises(ClipStoppedError):
        run(clip, tmp_path / "job", counted(Counting()), stop_at=CHUNK_FRAMES + 1)
    nets = Counting()
    changed = {"engine": {"model_version": "toy/2"}, "setup": {"setup": "fp16"}}.get(change, {})
    if change == "clip":
        # a box of MP4 that nobody minds
        clip.write_bytes(clip.read_bytes() + b"\0\0\0\x08free")
    run(clip, tmp_path / "job", counted(nets, **changed))
    assert nets.observed == FRAMES


def test_a_damaged_chunk_is_looked_at_again(clip: Path, tmp_path: Path) -> None:
    whole = run(clip, tmp_path / "whole", counted(Counting()))
    with pytest.raises(ClipStoppedError):
        run(clip, tmp_path / "job", counted(Counting()), stop_at=2 * CHUNK_FRAMES + 1)
    chunks = sorted((tmp_path / "job").glob("*.npz"))
    assert len(chunks) == 2
    chunks[0].write_bytes(chunks[0].read_bytes()[:1000])
    nets = Counting()
    assert_same(run(clip, tmp_path / "job", counted(nets)), whole)
    assert nets.observed == FRAMES - CHUNK_FRAMES
