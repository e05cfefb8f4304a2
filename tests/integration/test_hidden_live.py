"""People hidden for a while on real clips, as frame follows frame: who keeps the number."""

from pathlib import Path

import numpy as np
import pytest

from pose_service.core.config import read_settings
from pose_service.core.records import Frame, Look
from pose_service.engines.embedded import build
from pose_service.engines.seam import Engine
from pose_service.media.decode import open_clip
from pose_service.pipeline.tracking import Step, track_frames

BEFORE = 15
# the detector looks at every third frame while nobody is tracked
SOON = 4


@pytest.fixture(scope="module")
def engine(network_dir: Path) -> Engine:
    return build(read_settings({"POSE_ENGINE": "embedded"}))


def numbers(engine: Engine, clip: Path, gap: range) -> tuple[set[int], set[int], set[int]]:
    """Who is seen just before, in and just after the frames `gap`, in which all is black."""
    opened = open_clip(clip)
    tracker = engine.new_tracker(opened.fps_hint)
    seen: dict[int, set[int]] = {}
    for frame in opened.frames(gap.stop + SOON):
        if frame.index < gap.start - BEFORE:
            continue
        image = np.zeros_like(frame.image) if frame.index in gap else frame.image
        step = Step(tracker, Frame(frame.index, frame.time_s, image))
        (tracked,) = track_frames(engine, [step], Look.CLIP)
        seen[frame.index] = {one.track_id for one in tracked.people}
    during = set().union(*(seen[index] for index in gap))
    after = set().union(*(seen[index] for index in range(gap.stop, gap.stop + SOON)))
    return seen[gap.start - 1], during, after


@pytest.mark.parametrize(
    ("clip", "start", "hidden", "people", "held"),
    [
        ("vid.mp4", 60, 5, 1, True),
        ("vid.mp4", 60, 20, 1, True),
        # two seconds are more than the patience of 1.7; joining the two is the clip's second pass
        ("vid.mp4", 60, 60, 1, False),
        # a person who walks on, behind a flare that changes all colours, and one who stands
        ("sports2d.mp4", 80, 5, 2, True),
        ("sports2d.mp4", 80, 20, 2, True),
        # at 60 frames per second 60 frames are one second
        ("p2s_multi1.mp4", 20, 20, 3, True),
        ("p2s_multi1.mp4", 20, 60, 3, True),
    ],
)
def test_people_hidden_for_some_frames_keep_the_numbers_they_should(
    engine: Engine, shared_media: Path, clip: str, start: int, hidden: int, people: int, held: bool
) -> None:
    gap = range(start, start + hidden)
    before, during, after = numbers(engine, shared_media / clip, gap)
    assert len(before) == people
    assert during == set()
    assert (before == after) if held else not before & after
