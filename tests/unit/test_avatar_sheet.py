"""The measurement sheet: what is hidden, what is where, and that everything has room."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from avatar_kit import bounds, fitted, measured, measurements, mesh, placed, sheet_data
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from measurement_kit import BOX_JOINTS, BOX_PARTS, boxes
from standin_person import t_pose

from pose_service.avatar.records import RestMesh
from pose_service.avatar.sheet.data import SheetCaption
from pose_service.avatar.sheet.labels import labels
from pose_service.avatar.sheet.page import sheet_page
from pose_service.avatar.sheet.style import LEFT_MM, RIGHT_MM
from pose_service.avatar.sheet.views import FRONT, LEFT_SIDE, View
from pose_service.core.arrays import FloatArray

MM_PER_M, DPI = 70.0, 200.0
# half a pixel of the drawing, and the camera that is 200 m away
PIXEL_MM = 0.08


@pytest.fixture(scope="module")
def box_body() -> RestMesh:
    """Its chest is 36 cm wide and 22 cm deep from 1.2 to 1.5 m, its waist 30 and 20."""
    vertices, faces = boxes(BOX_PARTS)
    return RestMesh(vertices, faces, BOX_JOINTS)


def level_tape(y_m: float, x_m: float, z_m: float) -> FloatArray:
    """Around a box with these half sides, from its left front corner on."""
    return np.array([(x_m, y_m, z_m), (-x_m, y_m, z_m), (-x_m, y_m, -z_m), (x_m, y_m, -z_m)])


def lengths_m(view: View, path_m: FloatArray, *, closed: bool) -> tuple[float, float]:
    """On the paper, as metres of the body: what is in sight, what is hidden."""
    sums = {False: 0.0, True: 0.0}
    for stretch in view.stretches(path_m, closed=closed):
        steps = np.linalg.norm(np.diff(stretch.points_mm, axis=0), axis=1)
        sums[stretch.hidden] += float(steps.sum()) / MM_PER_M
    return sums[False], sums[True]


@pytest.mark.parametrize(
    ("turn", "wide", "deep"),
    [(FRONT, 0.30, 0.20), (LEFT_SIDE, 0.20, 0.30)],
    ids=["front", "left side"],
)
def test_the_near_half_of_a_tape_is_in_sight_and_the_far_half_is_hidden(
    box_body: RestMesh, turn: FloatArray, wide: float, deep: float
) -> None:
    view = View.of(box_body, turn, MM_PER_M, DPI)
    # 1 mm outside of the waist's box, lest its own skin be in the way
    shown_m, hidden_m = lengths_m(view, level_tape(1.1, 0.151, 0.101), closed=True)
    # a level tape is a line on the paper: its near and its far side are as long, and both
    # its ends, which run away from the viewer, have no length
    assert shown_m == pytest.approx(wide, abs=0.01)
    assert hidden_m == pytest.approx(wide, abs=0.01)
    assert deep != wide


def test_a_line_through_the_body_is_hidden_and_one_between_the_legs_is_not(
    box_body: RestMesh,
) -> None:
    view = View.of(box_body, FRONT, MM_PER_M, DPI)
    inside = np.array([(0, 1.45, 0.0), (0, 1.0, 0.0)])
    assert lengths_m(view, inside, closed=False) == pytest.approx((0, 0.45), abs=0.002)
    between = np.array([(0, 0.8, 0.0), (0, 0.1, 0.0)])
    assert lengths_m(view, between, closed=False) == pytest.approx((0.7, 0), abs=0.004)
    through = np.array([(0, 1.2, 0.0), (0, 0.2, 0.0)])
    stretches = list(view.stretches(through, closed=False))
    assert [stretch.hidden for stretch in stretches] == [True, False]
    np.testing.assert_allclose(stretches[0].points_mm[-1], stretches[1].points_mm[0])


def test_from_the_side_the_arm_hides_what_is_behind_it(box_body: RestMesh) -> None:
    view = View.of(box_body, LEFT_SIDE, MM_PER_M, DPI)
    # down the flank: the arm takes the ten centimetres from 1.4 to 1.5 m
    flank = np.array([(0.181, 1.5, 0.0), (0.181, 1.3, 0.0)])
    assert lengths_m(view, flank, closed=False) == pytest.approx((0.1, 0.1), abs=0.004)


@pytest.mark.parametrize("turn", [FRONT, LEFT_SIDE], ids=["front", "left side"])
def test_views_are_true_to_scale(box_body: RestMesh, turn: FloatArray) -> None:
    view = View.of(box_body, turn, MM_PER_M, DPI)
    near, far = turn.T @ [0.1, -0.5, -0.2], turn.T @ [0.1, -0.5, 0.2]
    places = view.on_paper_mm(np.array([(0, 0, 0), (0, 1.82, 0), near, far]))
    assert places[1] - places[0] == pytest.approx([0, 1.82 * MM_PER_M], abs=PIXEL_MM)
    np.testing.assert_allclose(places[2], places[3], atol=2 * PIXEL_MM)
    assert places[2] - places[0] == pytest.approx([0.1 * MM_PER_M, 0.5 * MM_PER_M], abs=0.2)


def test_the_image_shows_the_body_where_the_lines_are_drawn(box_body: RestMesh) -> None:
    view = View.of(box_body, FRONT, MM_PER_M, DPI)
    drawn = np.argwhere(view.image.min(axis=2) < 250)
    height_px = view.camera.height_px
    (top, left), (bottom, right) = drawn.min(axis=0), drawn.max(axis=0) + 1
    places = view.on_paper_mm(np.array([(-0.75, 0, 0), (0.75, 1.82, 0)])) / view.mm_per_px
    # the edge is softened over a pixel
    np.testing.assert_allclose(places[0], [left, height_px - bottom], atol=1.5)
    np.testing.assert_allclose(places[1], [right, height_px - top], atol=1.5)


def test_the_side_view_looks_to_the_left() -> None:
    view = View.of(mesh(), LEFT_SIDE, MM_PER_M, DPI)
    toes = mesh().vertices_m[np.argmax(mesh().vertices_m[:, 2])]
    pelvis = mesh().joints_m[0]
    places = view.on_paper_mm(np.stack([toes, pelvis]))
    assert places[0, 0] < places[1, 0]


# The page


def texts(page: Figure) -> Iterator[tuple[str, Bbox]]:
    """All words and where they are, in millimetres of the page."""
    renderer = FigureCanvasAgg(page).get_renderer()
    (paper,) = page.axes
    to_mm = paper.transData.inverted()
    for artist in paper.texts:
        assert isinstance(artist, Text)
        yield artist.get_text(), artist.get_window_extent(renderer).transformed(to_mm)


def page_of(**changed: Any) -> Figure:
    return sheet_page(sheet_data(**changed))


def all_words(page: Figure) -> str:
    return "\n".join(words for words, _ in texts(page))


def child() -> RestMesh:
    return placed(*t_pose(), 95.0)


def broad() -> RestMesh:
    vertices, joints = t_pose()
    return placed(vertices * [1.35, 1, 1.6], joints * [1.35, 1, 1.6], 158.0)


def tall() -> RestMesh:
    vertices, joints = t_pose()
    return placed(vertices * [0.9, 1, 0.9], joints * [0.9, 1, 0.9], 215.0)


@pytest.mark.parametrize("make", [mesh, child, broad, tall])
def test_no_words_cover_others_or_leave_the_margins(make: Any) -> None:
    rest = make()
    values = measured(rest)
    long = SheetCaption("MEASURES OF SOMEBODY " * 3, "W" * 128)
    notes = ("A sentence that says something which the reader should know of. " * 4,) * 3
    page = page_of(
        fitted=fitted(rest, scale_known=False, notes=notes),
        measurements=values,
        bounds=bounds(values, height_given=False),
        caption=long,
    )
    placed_words = [(words, box) for words, box in texts(page) if words]
    for words, box in placed_words:
        assert box.x0 >= LEFT_MM - 0.5, words
        assert box.x1 <= RIGHT_MM + 0.5, words
        assert box.y0 > 5, words
    for i, (words, box) in enumerate(placed_words):
        # boxes of letters have a hair of air above and below
        inner = Bbox.from_extents(box.x0 + 0.2, box.y0 + 0.5, box.x1 - 0.2, box.y1 - 0.5)
        over = [other for other, place in placed_words[i + 1 :] if inner.overlaps(place)]
        assert not over, (words, over)


def test_height_given_and_height_guessed_are_said_plainly() -> None:
    assert "Height given: 172.0 cm" in all_words(page_of())
    guessed = page_of(
        fitted=fitted(mesh(), scale_known=False),
        bounds=bounds(measurements(), height_given=False),
    )
    words = all_words(guessed)
    assert "Height not given. 172.0 cm is a guess" in words
    assert words.count("scale guessed") == 9


def test_notes_are_on_the_page_or_said_to_be_left_out() -> None:
    words = all_words(page_of(fitted=fitted(mesh(), notes=("One. ", "Two."))))
    assert "One." in words
    assert "Two." in words
    many = tuple(f"Note {number}." for number in range(30))
    words = all_words(page_of(fitted=fitted(mesh(), notes=many)))
    assert "Note 3." in words
    assert "Note 29." not in words
    assert "the avatar's record has all" in words


def test_letters_without_a_glyph_and_signs_of_mathematics_are_harmless() -> None:
    page = page_of(caption=SheetCaption(subject="中 $x^2 \\frac{ Zoë"))
    # drawing warns of glyphs that are missing, and warnings are errors here
    FigureCanvasAgg(page).draw()
    assert "□ $x^2 \\frac{ Zoë" in all_words(page)


def test_labels_of_one_side_keep_apart_and_in_their_order() -> None:
    values = measurements()
    low = replace(values, waist=values.hip, thigh=values.hip)
    found = labels(low, lambda points_m: MM_PER_M * points_m[:, :2], 15.0)
    for side in (-1, 1):
        heights = [label.end_mm[1] for label in found if label.side == side]
        assert np.all(np.diff(heights) <= -9 + 1e-9)


def test_a_label_touches_its_own_line() -> None:
    values = measurements()
    for label in labels(values, lambda points_m: MM_PER_M * points_m[:, :2], 15.0):
        measure = getattr(values, label.name)
        points = np.concatenate([MM_PER_M * path[:, :2] for path in measure.paths_m])
        if label.name == "inseam":
            assert label.anchor_mm == pytest.approx(points.mean(axis=0))
        else:
            assert np.linalg.norm(points - label.anchor_mm, axis=1).min() < 1e-9
        assert np.sign(label.end_mm[0] - points[:, 0].mean()) == label.side


def test_the_bar_is_twenty_centimetres_at_the_scale_of_the_body() -> None:
    page = page_of()
    (paper,) = page.axes
    words = next(words for words, _ in texts(page) if words.startswith("20 cm"))
    scale = float(words.split("1 : ")[1].split()[0])
    # the height's line goes from the floor to the top of the head
    lines = [np.ptp(line.get_xydata(), axis=0) for line in paper.lines]
    heights = [rise for across, rise in lines if across == 0 and rise > 50]
    assert max(heights) == pytest.approx(1720 / scale, rel=0.005)
    assert any(across == pytest.approx(200 / scale, rel=0.005) for across, _ in lines)


def test_each_band_is_drawn_as_a_share_of_its_value() -> None:
    given = bounds(measurements())
    # not as wide to both sides, and wider than all others
    given["waist"] = replace(given["waist"], low_cm=0.7 * given["waist"].value_cm)
    (paper,) = page_of(bounds=given).axes
    bands = [lines for lines in paper.collections if lines.get_linewidth()[0] == 3.0]
    ends = np.array([segment[:, 0] for segment in bands[0].get_segments()])
    dot = next(line.get_xdata()[0] for line in paper.lines if len(line.get_xdata()) == 9)
    shares = [(b.low_cm / b.value_cm - 1, b.high_cm / b.value_cm - 1) for b in given.values()]
    scale = (ends[2] - dot) / shares[2]
    assert scale[0] == pytest.approx(scale[1])
    np.testing.assert_allclose(ends - dot, scale[0] * np.array(shares))
    assert np.ptp(ends, axis=1).max() == pytest.approx(20)


def test_a_page_without_a_date_has_none() -> None:
    assert not any(words.startswith("20") and "-" in words for words, _ in texts(page_of()))
