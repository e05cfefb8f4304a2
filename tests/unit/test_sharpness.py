"""The width of edges, against edges whose width is known exactly."""

from math import erf, sqrt

import cv2
import numpy as np
import pytest

from pose_service.avatar.check.person_patch import PATCH_STATURE_PX, PersonPatch
from pose_service.avatar.check.sharpness import edge_width_share
from pose_service.core.arrays import FloatArray

STATURE_PX = 500.0
SIDE = 200


def step(
    width_px: float, *, low: float = 60, high: float = 200, turned: bool = False
) -> FloatArray:
    """(200, 200) an upright edge: the integral of a Gaussian of `width_px`, in closed form."""
    across = (np.arange(SIDE) - SIDE / 2) / width_px
    rising = 0.5 * (1 + np.array([erf(x / sqrt(2)) for x in across]))
    gray = np.tile(low + (high - low) * rising, (SIDE, 1)).astype(np.float32)
    return np.ascontiguousarray(gray.T) if turned else gray


def patch(gray: FloatArray, stature_px: float = STATURE_PX) -> PersonPatch:
    return PersonPatch(gray, np.ones(gray.shape, bool), stature_px)


@pytest.mark.parametrize("width_px", [1.0, 1.5, 2.0, 3.0])
def test_the_width_of_a_step_is_found(width_px: float) -> None:
    # crests lie up to half a pixel beside the edge, which matters most where it is narrow
    wanted = pytest.approx(width_px / STATURE_PX, rel=0.05)
    assert edge_width_share(patch(step(width_px))) == wanted
    assert edge_width_share(patch(step(width_px, turned=True))) == wanted


def test_the_height_of_the_step_does_not_matter() -> None:
    faint = edge_width_share(patch(step(2, low=100, high=110)))
    assert faint == pytest.approx(edge_width_share(patch(step(2, low=0, high=255))), rel=1e-3)


def test_the_width_is_told_by_the_size_of_the_person() -> None:
    # the second blur goes with the size, too; what is told is a share
    small = edge_width_share(patch(step(1.5), STATURE_PX / 2))
    assert small == pytest.approx(edge_width_share(patch(step(3), STATURE_PX)), rel=0.05)


def test_the_wider_kind_of_edge_counts() -> None:
    both = np.concatenate([step(1), step(3, turned=True)])
    body = np.ones(both.shape, bool)
    body[SIDE - 15 : SIDE + 15] = False  # where they meet is an edge, too
    share = edge_width_share(PersonPatch(both, body, STATURE_PX))
    assert share == pytest.approx(3 / STATURE_PX, rel=0.05)


def test_noise_of_a_camera_changes_little() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE))
    seen = edge_width_share(patch((step(2) + noise).astype(np.float32)))
    assert seen == pytest.approx(2 / STATURE_PX, rel=0.15)


def test_edges_outside_of_the_person_do_not_count() -> None:
    sharp, soft = step(0.7), step(3)
    both = np.concatenate([sharp, soft])
    body = np.zeros(both.shape, bool)
    body[SIDE + 10 :] = True
    share = edge_width_share(PersonPatch(both, body, STATURE_PX))
    assert share == pytest.approx(3 / STATURE_PX, rel=0.05)


def test_where_there_is_no_edge_the_width_is_infinite() -> None:
    assert edge_width_share(patch(np.full((SIDE, SIDE), 90, np.float32))) == np.inf


def test_a_blur_more_gives_the_root_of_the_sum_of_squares() -> None:
    blurred = np.asarray(cv2.GaussianBlur(step(1.5), (0, 0), 2.0), np.float32)
    assert edge_width_share(patch(blurred)) == pytest.approx(2.5 / STATURE_PX, rel=0.03)


def test_the_body_must_be_as_large_as_the_picture() -> None:
    with pytest.raises(ValueError, match=r"body: expected \(4, 5\), got \(5, 4\)"):
        PersonPatch(np.zeros((4, 5), np.float32), np.ones((5, 4), bool), PATCH_STATURE_PX)
