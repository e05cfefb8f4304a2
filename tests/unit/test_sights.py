"""What the nets answered of a clip's frames, on disk: whole chunks, bit for bit, or nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chunks_kit import Counting
from toy_engine import picture, toy_engine

from pose_service.core.masks import Mask
from pose_service.core.records import (
    NEW_TRACK,
    BodyPoses,
    Frame,
    Look,
    Observation,
    Regions,
)
from pose_service.pipeline.sight_chunks import Sights, read_chunk, write_chunk
from pose_service.pipeline.sights import CHUNK_FRAMES, SightStore
from pose_service.pipeline.tracking import Step, track_frames

ARRAYS = (
    "box_xyxy_px", "roi", "landmarks_px", "landmarks_m", "landmark_confidence", "joint_confidence",
)  # fmt: skip


def observation(seed: int, *, pose: bool = True, mask: bool = True) -> Observation:
    """A body of random numbers, in the types that an engine has."""
    random = np.random.default_rng(seed)
    rotations = random.random((1, 24, 3, 3)).astype(np.float32)
    return Observation(
        track_id=NEW_TRACK,
        box_xyxy_px=random.random(4),
        confidence=float(random.random()),
        roi=random.random(4),
        landmarks_px=random.random((24, 2)),
        landmarks_m=random.random((24, 3)).astype(np.float32),
        landmark_confidence=random.random(24),
        joint_confidence=random.random(24),
        pose=BodyPoses(rotations, random.random((1, 3)), random.random((1, 10))) if pose else None,
        mask=Mask.of(random.random((9, 7)) > 0.5) if mask else None,
    )


def sights(count: int, *, detected: bool = True, **kind: bool) -> Sights:
    found = Regions.of_boxes(np.arange(4.0 * count).reshape(count, 4))
    return Sights(found if detected else None, [observation(i, **kind) for i in range(count)])


def assert_same(left: Sights, right: Sights) -> None:
    """To the bit, and in the same types."""
    assert (left.found is None) == (right.found is None)
    if left.found is not None and right.found is not None:
        assert np.array_equal(left.found.boxes_xyxy_px, right.found.boxes_xyxy_px)
        assert np.array_equal(left.found.track_ids, right.found.track_ids)
    assert len(left.seen) == len(right.seen)
    for one, other in zip(left.seen, right.seen, strict=True):
        assert (one.track_id, one.confidence) == (other.track_id, other.confidence)
        for name in ARRAYS:
            mine, theirs = getattr(one, name), getattr(other, name)
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
        assert (one.pose is None) == (other.pose is None)
        if one.pose is not None and other.pose is not None:
            assert one.pose.rotations.dtype == other.pose.rotations.dtype
            assert np.array_equal(one.pose.rotations, other.pose.rotations)
            assert np.array_equal(one.pose.translations_m, other.pose.translations_m)
        assert (one.mask is None) == (other.mask is None)
        if one.mask is not None and other.mask is not None:
            assert np.array_equal(one.mask.pixels(), other.mask.pixels())


@pytest.mark.parametrize(
    "frames",
    [
        [sights(2), sights(0), sights(3, detected=False), sights(1)],
        [sights(2, pose=False), sights(1, mask=False, pose=False)],
        [sights(0), sights(0, detected=False)],
    ],
    ids=["poses and masks", "landmarks alone", "nobody"],
)
def test_a_chunk_comes_back_bit_for_bit(frames: list[Sights], tmp_path: Path) -> None:
    write_chunk(tmp_path / "a.npz", frames)
    read = read_chunk(tmp_path / "a.npz")
    assert len(read) == len(frames)
    for one, other in zip(frames, read, strict=True):
        assert_same(one, other)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_damaged_chunk_is_as_good_as_none_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.npz"
    write_chunk(path, [sights(2)])
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", whole[:100] + b"\xff" * 50 + whole[150:]):
        path.write_bytes(content)
        caplog.clear()
        assert read_chunk(path) == []
        assert "is damaged" in caplog.text
    assert read_chunk(tmp_path / "nothing.npz") == []


def test_frames_are_known_once_their_chunk_is_full(tmp_path: Path) -> None:
    store = SightStore(tmp_path, "toy/1")
    for index in range(CHUNK_FRAMES - 1):
        assert store.get(index) is None
        store.keep(index, sights(1))
    assert SightStore(tmp_path, "toy/1").get(0) is None
    store.keep(CHUNK_FRAMES - 1, sights(2))
    again = SightStore(tmp_path, "toy/1")
    last = again.get(CHUNK_FRAMES - 1)
    assert last is not None
    assert_same(last, sights(2))
    assert again.get(CHUNK_FRAMES) is None


def test_chunks_of_another_engine_or_clip_are_removed(tmp_path: Path) -> None:
    store = SightStore(tmp_path, "toy/1")
    for index in range(CHUNK_FRAMES):
        store.keep(index, sights(1))
    assert SightStore(tmp_path, "toy/2").get(0) is None
    assert SightStore(tmp_path, "toy/1").get(0) is None


def test_frames_that_do_not_follow_each_other_are_refused(tmp_path: Path) -> None:
    store = SightStore(tmp_path, "toy/1")
    with pytest.raises(ValueError, match="frame 1: expected place 0"):
        store.keep(1, sights(1))


def test_known_frames_are_tracked_alike_and_shown_to_no_net() -> None:
    nets = Counting()
    engine = replace(toy_engine(), detector=nets, regressor=nets)
    frames = [Frame(i, i / 30, picture((20 + 4 * i, 40, 80 + 4 * i, 200))) for i in range(4)]
    tracker = engine.new_tracker(30)
    first = track_frames(engine, [Step(tracker, frame) for frame in frames], Look.CLIP)
    assert (nets.detected, nets.observed) == (4, 4)
    known = [tracked.sights for tracked in first[:3]]
    tracker = engine.new_tracker(30)
    steps = [Step(tracker, frame, *known[i : i + 1]) for i, frame in enumerate(frames)]
    again = track_frames(engine, steps, Look.CLIP)
    # only the last frame, by both
    assert (nets.detected, nets.observed) == (5, 5)
    ids = [[one.track_id for one in tracked.people] for tracked in (*first, *again)]
    assert ids == 8 * [[1]]
