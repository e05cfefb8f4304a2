"""Arcs of angles: which way they open; words that keep clear of each other."""

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray
from pose_service.rendering.arcs import Arc, arc_between, draw_arc, fill_arc
from pose_service.rendering.layers import empty_layer, ink
from pose_service.rendering.words import Page, letters_px, word_layer

CORNER = np.array([100.0, 80.0])
WHITE = (255, 255, 255)
LAYER = empty_layer(np.zeros((160, 200, 3), np.uint8))


def at(direction_deg: float, distance_px: float = 50.0) -> FloatArray:
    """Clockwise on the screen from the picture's right."""
    turned = np.radians(direction_deg)
    return CORNER + distance_px * np.array([np.cos(turned), np.sin(turned)])


def arc(first: FloatArray, last: FloatArray, radius_px: float = 20.0) -> Arc:
    found = arc_between(first, CORNER, last, radius_px)
    assert found is not None
    return found


@pytest.mark.parametrize("turn_deg", [-170, -90, 0, 45, 100, 179])
@pytest.mark.parametrize("inner_deg", [5, 60, 90, 150, 179])
@pytest.mark.parametrize("sense", [1, -1])
def test_an_arc_runs_through_the_inner_angle_from_limb_to_limb(
    turn_deg: float, inner_deg: float, sense: int
) -> None:
    found = arc(at(turn_deg), at(turn_deg + sense * inner_deg, 30))
    assert found.sweep_deg == pytest.approx(sense * inner_deg)
    points = found.points_px()
    np.testing.assert_allclose(np.linalg.norm(points - CORNER, axis=1), 20)
    np.testing.assert_allclose(points[0], at(turn_deg, 20), atol=1e-9)
    np.testing.assert_allclose(points[-1], at(turn_deg + sense * inner_deg, 20), atol=1e-9)
    # the middle of the arc lies on the half-line between the two limbs
    middle = at(found.middle_deg, 1) - CORNER
    limbs = np.stack([at(turn_deg, 1), at(turn_deg + sense * inner_deg, 1)]) - CORNER
    np.testing.assert_allclose(limbs @ middle, np.cos(np.radians(inner_deg / 2)))


def test_an_arc_in_a_mirror_opens_the_other_way_by_as_much() -> None:
    mirrored = np.array([-1.0, 1.0])
    found = arc(at(10), at(80))
    other = arc_between(at(10) * mirrored, CORNER * mirrored, at(80) * mirrored, 20.0)
    assert other is not None
    assert other.sweep_deg == pytest.approx(-found.sweep_deg)
    np.testing.assert_allclose(other.points_px() * mirrored, found.points_px())


@pytest.mark.parametrize("first", [np.full(2, np.nan), CORNER])
def test_there_is_no_arc_of_a_limb_that_is_not_known_or_has_no_length(first: FloatArray) -> None:
    assert arc_between(first, CORNER, at(0), 20.0) is None
    assert arc_between(at(0), CORNER, first, 20.0) is None


def test_the_sector_and_the_line_of_an_arc_are_drawn_inside_of_the_angle() -> None:
    layer = LAYER.copy()
    fill_arc(layer, arc(at(0), at(90)), ink(WHITE, 1))
    rows, columns = np.nonzero(layer[..., 3])
    assert rows.min() >= CORNER[1] - 1 and columns.min() >= CORNER[0] - 1
    # a quarter of a disc, and about half a pixel all around it, as OpenCV fills
    area, rim = np.pi * 20**2 / 4, (2 + np.pi / 2) * 20
    assert area < layer[..., 3].sum() / 255 < area + rim
    line = LAYER.copy()
    draw_arc(line, arc(at(0), at(90)), ink(WHITE, 1), 1)
    rows, columns = np.nonzero(line[..., 3] > 128)
    distances = np.hypot(columns + 0.5 - CORNER[0], rows + 0.5 - CORNER[1])
    np.testing.assert_allclose(distances, 20, atol=1.2)


def test_a_word_is_read_on_black_and_on_white() -> None:
    for ground in (0, 255):
        page = Page(np.full((40, 90, 3), ground, np.uint8))
        assert page.write(word_layer("145°", WHITE, 20), np.array([[5, 5]])) == 0
        assert page.image.max() > 240 and page.image.min() < 60


def test_letters_are_never_too_small_to_read_and_grow_with_the_picture() -> None:
    sizes = [(90, 160), (360, 640), (720, 1280), (1080, 1920), (2160, 3840)]
    found = [letters_px(np.zeros((*size, 3), np.uint8)) for size in sizes]
    assert found[:2] == [11, 11] and found == sorted(found)
    assert found[3] == pytest.approx(1080 / 47, abs=1)


def test_words_never_overlap_nor_leave_the_picture() -> None:
    random = np.random.default_rng(0)
    page = Page(np.zeros((200, 300, 3), np.uint8))
    boxes: list[FloatArray] = []
    for _ in range(60):
        word = word_layer(f"{random.integers(180)}°", WHITE, 14)
        height, width = word.shape[:2]
        before = page.image.copy()
        places = random.integers(-30, 300, (12, 2))
        if page.write(word, places) is not None:
            rows, columns = np.nonzero((page.image != before).any(axis=2))
            boxes.append(np.array([columns.min(), rows.min(), columns.max(), rows.max()]))
            assert columns.max() - columns.min() < width and rows.max() - rows.min() < height
    assert len(boxes) > 10
    for place, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:place]:
            assert right < other[0] or left > other[2] or bottom < other[1] or top > other[3]


def test_a_word_goes_where_it_hides_fewest_marks() -> None:
    marks = np.array([[20.0, 15.0], [25.0, 15.0], [120.0, 15.0]])
    page = Page(np.zeros((60, 200, 3), np.uint8), marks)
    places = np.array([[10, 5], [110, 5], [112, 5]])
    assert page.write(word_layer("90°", WHITE, 14), places) == 1
    columns = np.nonzero(page.image.any(axis=(0, 2)))[0]
    assert columns.min() >= 110 and columns.min() < 112


def test_a_word_finds_no_place_where_none_is_free() -> None:
    page = Page(np.zeros((40, 40, 3), np.uint8))
    page.reserve(0, 0, 40, 40)
    assert page.write(word_layer("90°", WHITE, 14), np.array([[5, 5]])) is None
    assert not page.image.any()


def test_a_word_stays_where_it_stood_while_that_is_hardly_worse() -> None:
    few, many = np.full((4, 2), 15.0), np.full((9, 2), 15.0)
    places = np.array([[10, 5], [110, 5]])
    word = word_layer("90°", WHITE, 14)
    for marks, kept in ((few, 0), (many, 1)):
        assert Page(np.zeros((60, 200, 3), np.uint8), marks).write(word, places, 0) == kept
    taken = Page(np.zeros((60, 200, 3), np.uint8))
    taken.reserve(0, 0, 60, 60)
    assert taken.write(word, places, 0) == 1
