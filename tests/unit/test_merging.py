"""Pieces of one person's track are joined, two people's never: records first, then whole clips."""

from array import array
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from coloured_people import (
    CYAN,
    MAGENTA,
    YELLOW,
    Actor,
    Nets,
    colour_engine,
    scene,
    standing,
    without,
)

from pose_service.core.records import TrackedFrame
from pose_service.pipeline.merging import LONGEST_GAP_S, Join, compare, find_joins
from pose_service.pipeline.observation_log import TrackIndex
from pose_service.pipeline.pieces import Piece, TrackEnd
from pose_service.pipeline.video import ClipOptions, ClipRun, ClipWatch, process_clip

FPS = 30.0
RED, BLUE = np.array([0.9, 0.1, 0.0]), np.array([0.0, 0.1, 0.9])


def end(frame: int, x: float, size_px: float = 100.0) -> TrackEnd:
    return TrackEnd(frame, frame / FPS, np.array([x, 100.0]), size_px)


def piece(track_id: int, first: int, last: int, x: float = 200.0, looks: np.ndarray = RED) -> Piece:
    return Piece(track_id, end(first, x), end(last, x), looks)


def pairs(joins: list[Join]) -> list[tuple[int, int]]:
    return [(join.kept, join.joined) for join in joins]


def test_who_looks_alike_and_comes_back_to_the_same_place_is_one_person() -> None:
    (join,) = find_joins([piece(1, 0, 50), piece(2, 71, 99)])
    assert (join.kept, join.joined, join.at_frame, join.gap_frames) == (1, 2, 71, 20)
    assert join.likeness == pytest.approx(1.0)


def test_whose_looks_differ_is_somebody_else() -> None:
    assert find_joins([piece(1, 0, 50), piece(2, 71, 99, looks=BLUE)]) == []


def test_two_who_are_there_in_one_frame_are_two() -> None:
    assert find_joins([piece(1, 0, 50), piece(2, 50, 99)]) == []
    assert len(find_joins([piece(1, 0, 50), piece(2, 51, 99)])) == 1


def test_nobody_comes_back_after_too_long() -> None:
    within = 50 + round(LONGEST_GAP_S * FPS)
    assert len(find_joins([piece(1, 0, 50), piece(2, within, within + 50)])) == 1
    assert find_joins([piece(1, 0, 50), piece(2, within + 1, within + 50)]) == []


def test_nobody_is_faster_than_a_runner() -> None:
    """In a tenth of a second 0.5 + 0.25 sizes of 100 px can be gone."""
    assert len(find_joins([piece(1, 0, 50), piece(2, 53, 99, x=270.0)])) == 1
    assert find_joins([piece(1, 0, 50), piece(2, 53, 99, x=280.0)]) == []


def test_another_size_distance_or_shape_is_another_person() -> None:
    before, after = piece(1, 0, 50), piece(2, 60, 99)
    assert compare(before, after) is not None
    assert compare(before, replace(after, start=end(60, 200.0, size_px=170.0))) is None
    deep = [
        replace(one, start=replace(one.start, depth_m=z), finish=replace(one.finish, depth_m=z))
        for one, z in ((before, 4.0), (after, 8.0))
    ]
    assert compare(*deep) is None
    shaped = [replace(one, shape=np.full(10, beta)) for one, beta in ((before, 0.0), (after, 2.0))]
    assert compare(*shaped) is None
    near = [replace(one, shape=np.full(10, beta)) for one, beta in ((before, 0.0), (after, 1.0))]
    assert compare(*near) is not None


def test_of_two_who_fit_alike_neither_is_joined() -> None:
    rivals = [piece(1, 0, 50), piece(2, 60, 99, x=210.0), piece(3, 65, 99, x=190.0)]
    assert find_joins(rivals) == []


def test_a_rival_who_fits_clearly_worse_does_no_harm() -> None:
    mixed = np.array([0.7, 0.1, 0.2])
    mixed_likeness = np.sqrt(RED * mixed).sum()
    assert 0.8 < mixed_likeness < 0.95, "else it is no rival"
    found = find_joins([piece(1, 0, 50), piece(2, 60, 99), piece(3, 60, 99, looks=mixed)])
    assert pairs(found) == [(1, 2)]


def test_two_hidden_at_once_are_each_joined_to_themselves() -> None:
    found = find_joins(
        [
            piece(1, 0, 50, x=100.0), piece(2, 0, 50, x=160.0, looks=BLUE),
            piece(3, 70, 99, x=160.0, looks=BLUE), piece(4, 70, 99, x=100.0),
        ]
    )  # fmt: skip
    assert sorted(pairs(found)) == [(1, 4), (2, 3)]


def test_who_is_hidden_twice_is_joined_piece_by_piece() -> None:
    """The first piece is liker the third, but the second lies between."""
    shaded = np.array([0.85, 0.15, 0.0])
    pieces = [piece(1, 0, 20), piece(2, 30, 50, looks=shaded), piece(3, 60, 99)]
    assert pairs(find_joins(pieces)) == [(1, 2), (2, 3)]


def test_the_order_of_the_pieces_does_not_matter() -> None:
    pieces = [piece(1, 0, 20), piece(2, 30, 50), piece(3, 60, 99), piece(4, 0, 99, looks=BLUE)]
    assert find_joins(pieces) == find_joins(pieces[::-1])


def test_an_index_that_goes_on_has_the_sights_of_both() -> None:
    first = TrackIndex(array("q", [0, 1]), array("q", [0, 2]), 20.0, 1.0, RED)
    later = TrackIndex(array("q", [5, 6]), array("q", [9, 11]), 30.0, 2.0, BLUE)
    first.extend(later)
    assert first.frames.tolist() == [0, 1, 5, 6]
    assert first.places.tolist() == [0, 2, 9, 11]
    assert (first.extent_px, first.confidence) == (50.0, 3.0)
    np.testing.assert_allclose(first.appearance, RED + BLUE)


def tracked(path: Path, *, merge: bool = True) -> tuple[ClipRun, list[TrackedFrame]]:
    options = ClipOptions(merge_tracks=merge)
    clip_run = process_clip(path, Nets(colour_engine()), options, path.parent, ClipWatch())
    return clip_run, list(clip_run.frames)


def words(frames: list[TrackedFrame], track_id: int) -> str:
    """One letter per frame: o, p, i, or a dot where the track is not shown."""
    shown = ([one for one in frame.people if one.track_id == track_id] for frame in frames)
    return "".join(people[0].provenance.value[0] if people else "." for people in shown)


@pytest.mark.parametrize("hidden", [5, 20, 60])
def test_a_person_who_was_hidden_keeps_the_id(tmp_path: Path, hidden: int) -> None:
    gap = range(40, 40 + hidden)
    actors = [
        Actor(YELLOW, without(140, gap), standing(40)),
        Actor(CYAN, range(140), standing(200)),
    ]
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 140, *actors))
    assert words(frames, 1) == 40 * "o" + hidden * "i" + (100 - hidden) * "o"
    assert words(frames, 2) == 140 * "o"
    assert {one.track_id for frame in frames for one in frame.people} == {1, 2}
    told = [(one.kept, one.at_frame, one.gap_frames) for one in clip_run.merged_tracks]
    # the tracker itself remembers for ten frames
    assert told == ([(1, 40 + hidden, hidden)] if hidden > 10 else [])


def test_a_person_who_was_hidden_three_times_keeps_the_first_id(tmp_path: Path) -> None:
    gaps = (range(30, 50), range(70, 90), range(110, 130))
    actor = Actor(YELLOW, without(150, *gaps), standing(40))
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 150, actor))
    assert {one.track_id for frame in frames for one in frame.people} == {1}
    assert [one.kept for one in clip_run.merged_tracks] == [1, 1, 1]
    assert [one.at_frame for one in clip_run.merged_tracks] == [50, 90, 130]


def test_two_different_people_in_turn_are_never_one(tmp_path: Path) -> None:
    actors = [
        Actor(YELLOW, range(50), standing(40)),
        Actor(MAGENTA, range(70, 140), standing(50)),
    ]
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 140, *actors))
    assert clip_run.merged_tracks == ()
    assert words(frames, 1).count("o") == 50
    assert words(frames, 2).count("o") == 70


def test_who_comes_in_at_the_far_side_at_once_is_somebody_else(tmp_path: Path) -> None:
    """Twins: 240 px in 12 frames would be 1.5 sizes of 160 px in 0.43 s; half a size may be."""
    actors = [
        Actor(YELLOW, range(50), standing(0)),
        Actor(YELLOW, range(52, 140), standing(250)),
    ]
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 140, *actors))
    assert clip_run.merged_tracks == ()
    assert words(frames, 2).count("o") == 88


def test_twins_who_are_hidden_together_are_left_alone(tmp_path: Path) -> None:
    """Who is who cannot be told: four tracks are more honest than two that may be swapped."""
    gap = range(50, 80)
    actors = [Actor(YELLOW, without(140, gap), standing(x)) for x in (40, 110)]
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 140, *actors))
    assert clip_run.merged_tracks == ()
    assert {one.track_id for frame in frames for one in frame.people} == {1, 2, 3, 4}


def test_merging_can_be_switched_off(tmp_path: Path) -> None:
    actor = Actor(YELLOW, without(140, range(40, 100)), standing(40))
    clip_run, frames = tracked(scene(tmp_path / "a.mp4", 140, actor), merge=False)
    assert clip_run.merged_tracks == ()
    assert words(frames, 2).count("o") == 40
    assert len(frames) == 140
