"""The colours of a torso as a histogram: figures with known answers."""

import cv2
import numpy as np
import pytest
from standin_hmr2 import picture

from pose_service.tracking.colours import likeness, torso_colours

CORNERS = np.array([[30.0, 10], [90, 12], [40, 70], [80, 72]])


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((90, 120, 3), colour, np.uint8)


def test_one_colour_is_one_bin_and_is_like_itself_alone() -> None:
    red, blue = (torso_colours(plain(colour), CORNERS) for colour in ((200, 20, 20), (20, 20, 200)))
    for colours in (red, blue):
        assert (colours.shape, colours.sum(), colours.max()) == ((96,), 1, 1)
    assert likeness(red, red) == pytest.approx(1)
    assert likeness(red, blue) == 0


def test_halves_count_by_halves() -> None:
    image = plain((200, 20, 20))
    image[:, 60:] = (20, 20, 200)
    colours = torso_colours(image, np.array([[20.0, 10], [100, 10], [20, 70], [100, 70]]))
    np.testing.assert_allclose(np.sort(colours)[-2:], [0.5, 0.5], atol=1 / 32)


@pytest.mark.parametrize("shift", [0.0, -80.0, 100.0])
def test_bins_are_those_of_numpys_histogram(shift: float) -> None:
    image = picture(90, 120)
    found = torso_colours(image, CORNERS + shift)
    across = np.linspace(0.1, 0.9, 16)
    top = CORNERS[0] + shift + across[:, None] * (CORNERS[1] - CORNERS[0])
    bottom = CORNERS[2] + shift + across[:, None] * (CORNERS[3] - CORNERS[2])
    grid = np.concatenate([top + part * (bottom - top) for part in across])
    x, y = np.clip(np.rint(grid), 0, (119, 89)).astype(int).T
    hsv = cv2.cvtColor(image[y, x][None], cv2.COLOR_RGB2HSV)[0]
    wanted, _ = np.histogramdd(hsv, bins=(8, 3, 4), range=((0, 180), (0, 256), (0, 256)))
    np.testing.assert_allclose(found, wanted.ravel() / 256)
