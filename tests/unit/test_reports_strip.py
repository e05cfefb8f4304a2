"""Stick figures: which moments are taken, and how they stand."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from biomechanics_kit import Posture, series_2d
from matplotlib.lines import Line2D
from reports_kit import frames_of, person_of, squats, unseen

from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.summary import summarise
from pose_service.core.keypoints import KeypointFrame
from pose_service.core.records import Provenance
from pose_service.reports.paper import Paper
from pose_service.reports.strip import (
    chosen_frames,
    chosen_indices,
    draw_strip,
    people_of,
    stick_figure_strip,
)


def test_the_strip_is_one_repetition_where_there_are_any_and_else_the_clip() -> None:
    movement = measure(squats())
    chosen = chosen_indices(movement, summarise(movement), 11)
    # the middle one of three squats, from standing to standing
    assert chosen == tuple(range(30, 61, 3))
    straight = measure(series_2d([Posture()] * 50))
    assert chosen_indices(straight, summarise(straight), 8) == (0, 7, 14, 21, 28, 35, 42, 49)


def test_only_frames_with_somebody_are_chosen() -> None:
    movement = measure(unseen(squats(40), slice(5, 30)))
    chosen = chosen_indices(movement, replace(summarise(movement), repetitions=None), 10)
    assert set(chosen) <= {*range(5), *range(30, 40)} and len(chosen) >= 5


def test_frames_are_chosen_from_an_iterator_that_is_read_no_further() -> None:
    read = []

    def frames() -> Iterator[KeypointFrame]:
        for frame in frames_of(squats(20)):
            read.append(frame.index)
            yield frame

    assert [frame.index for frame in chosen_frames(frames(), (2, 7))] == [2, 7]
    assert read == list(range(8))
    assert chosen_frames(frames(), ()) == ()


def test_a_strip_shows_the_person_of_the_track_and_leaves_others_out() -> None:
    series = squats(2)
    both = [
        KeypointFrame(0, 0.0, (person_of(series, 0, 5), person_of(series, 0, 1))),
        KeypointFrame(1, 0.1, (person_of(series, 1, 5),)),
    ]
    assert [one and one.track_id for _, one in people_of(both, 1)] == [1, None]
    alone_ = [replace(both[0], people=both[0].people[1:]), replace(both[1], people=())]
    assert stick_figure_strip(both, 1) == stick_figure_strip(alone_, 1)


def test_a_figure_that_was_filled_in_looks_different() -> None:
    frame = frames_of(squats(1))[0]
    filled = replace(frame, people=(replace(frame.people[0], provenance=Provenance.PREDICTED),))
    assert stick_figure_strip([frame], 1) != stick_figure_strip([filled], 1)


@pytest.mark.parametrize(("fall_px", "stands_lower"), [(60.0, True), (2000.0, False)])
def test_figures_keep_their_heights_unless_they_would_be_small(
    fall_px: float, stands_lower: bool
) -> None:
    frame, other = frames_of(squats(2))
    lower = other.people[0].points_px + np.array([0, fall_px])
    other = replace(other, people=(replace(other.people[0], points_px=lower),))
    paper = Paper((190.0, 46.0))
    draw_strip(paper, (4.0, 3.0, 182.0, 40.0), people_of([frame, other], 1), 0.3)
    lines = [one for one in paper.figure.artists if isinstance(one, Line2D)]
    halves = [[one for one in lines if (np.mean(one.get_xdata()) > 0.5) == late] for late in (0, 1)]
    feet = [min(float(np.min(one.get_ydata())) for one in half) for half in halves]
    assert (feet[1] < feet[0] - 0.01) == stands_lower
    assert min(feet) > 4 / 46
