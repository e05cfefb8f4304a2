"""Cuts of a clip, told in the frame that they begin with."""

import numpy as np
import pytest
from standin_hmr2 import picture

from pose_service.core.arrays import ImageArray
from pose_service.fourdhumans.shots import ShotCuts

FIRST = picture(180, 320)
OTHER = np.ascontiguousarray(255 - FIRST[:, ::-1])


def cuts_of(pictures: dict[int, ImageArray]) -> list[int]:
    """The frames of `pictures`, by their numbers, that begin a shot."""
    cuts = ShotCuts()
    return [index for index, image in pictures.items() if cuts.begins(index, image)]


def test_a_cut_is_told_in_its_first_frame_and_the_way_back_too() -> None:
    clip = dict(enumerate([FIRST] * 4 + [OTHER] * 3 + [FIRST] * 2))
    assert cuts_of(clip) == [4, 7]


def test_a_camera_that_turns_is_no_cut() -> None:
    wide = picture(180, 640)
    clip = {i: np.ascontiguousarray(wide[:, 2 * i : 2 * i + 320]) for i in range(60)}
    blurred = {i: np.asarray(image // 64 * 64) for i, image in clip.items()}
    assert cuts_of(blurred) == []


@pytest.mark.parametrize("second", [2, 0, -1, 100])
def test_frames_that_do_not_follow_on_each_other_tell_nothing(second: int) -> None:
    assert cuts_of({0: FIRST, second: OTHER}) == []


def test_pictures_of_another_size_are_compared_all_the_same() -> None:
    larger = np.repeat(np.repeat(FIRST, 2, axis=0), 2, axis=1)
    assert cuts_of({0: FIRST, 1: larger, 2: OTHER, 3: np.zeros((1, 1, 3), np.uint8)}) == [2, 3]
