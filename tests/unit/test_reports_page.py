"""The page of a movement: read back from its PDF, and held against the data handed to its axes."""

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from biomechanics_kit import Posture, moving, series_2d, without
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from PIL import Image
from pypdf import PdfReader
from reports_kit import LIMITS, MODEL, compared, frames_of, person_of, report_of, squats, unseen

from pose_service.biomechanics.angles import ANGLES, PAIRS
from pose_service.biomechanics.joints import JointSeries
from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.summary import summarise
from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.keypoints import KeypointFrame, KeypointModel
from pose_service.core.records import Provenance
from pose_service.reports.comparison_page import (
    both_curves,
    comparison_curves,
    comparison_page,
    comparison_pdf,
)
from pose_service.reports.curves import angle_curves, draw_panels
from pose_service.reports.notes import notes_of
from pose_service.reports.page import report_page, report_pdf
from pose_service.reports.paper import Paper, Type, fitted, printable, width_mm, wrapped
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import (
    chosen_frames,
    chosen_indices,
    draw_strip,
    people_of,
    stick_figure_strip,
)
from pose_service.reports.thinning import alone, thinned
from pose_service.reports.wording import degrees

ROOT = Path(__file__).resolve().parents[2]
LONG = "Wettkampfvorbereitung, dritte Einheit: einbeinige Kniebeugen mit Zusatzgewicht, " * 3


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def words_of(report: MovementReport) -> str:
    """All that is written on the page, as it is handed to the drawing."""
    figure = report_page(report).figure
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return " ".join(" ".join(text.get_text() for text in texts).split())


@pytest.fixture(scope="module")
def report() -> MovementReport:
    return report_of(without(squats(), "left_wrist", frames=slice(20, 30)))


@pytest.fixture(scope="module")
def panels(report: MovementReport) -> dict[str, Axes]:
    return draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)


# what the page says


def test_the_page_is_one_and_has_every_name_and_value(report: MovementReport) -> None:
    (page,) = pages(report_pdf(report))
    words = " ".join(page.split())
    assert "squats.mp4" in words and "90 frames at 30 a second, 1280 × 720 px" in words
    assert "RTMPose-Medium 1.0 (fp32)" in words and "picture's plane (2D)" in words
    for name in ANGLES:
        found = report.summary.angles_deg[name]
        assert found is not None
        least, greatest = f"{found.least:.0f}°", f"{found.greatest:.0f}°"
        times = f"{found.least_time_s:.2f} s", f"{found.greatest_time_s:.2f} s"
        row = (
            f"{name.replace('_', ' ')} {found.range:.0f}° {least} {times[0]} {greatest} {times[1]}"
        )
        assert row in words
    for joint in PAIRS:
        sides = report.summary.asymmetry_deg[joint]
        assert sides is not None
        assert f"{joint} {degrees(sides.mean, sign=True)} {sides.mean_absolute:.0f}°" in words
    for label in ("Pose quality", "Stability", "Symmetry", "Readiness"):
        assert label in words


def test_the_page_says_the_repetitions_and_the_events_that_were_made(
    report: MovementReport,
) -> None:
    words = words_of(report)
    # three squats in three seconds, one each second
    assert "3 repetitions of the left knee, one each 1.00 s" in words
    assert [event.limit.name for event in report.summary.events[:4]] == [
        "knee too deep", "knee too deep", "knee too deep", "elbow bent",
    ]  # fmt: skip
    first = report.summary.events[0]
    assert f"1 knee too deep left knee {first.start_s:.2f} s" in words
    assert f"{first.worst_deg:.0f}°" == "95°"
    assert len(report.summary.events) == 6 and "and 1 more" in words


def test_what_lowers_trust_is_said(report: MovementReport) -> None:
    words = words_of(report)
    assert "a limb that points at the camera looks shorter" in words
    assert "left elbow 89 %" in words
    spatial = replace(
        report,
        model=KeypointModel("BlazePose", "1", "fp32", 3, fallback="no ONNX file is there"),
        clip=replace(report.clip, fps=12.0, notes=("the file ends early",)),
        notes=("tilted camera",),
    )
    said = words_of(spatial)
    for part in (
        "true angles in space", "no ONNX file is there", "12 frames a second",
        "the file ends early", "tilted camera", "in space (3D)",
    ):  # fmt: skip
        assert part in said


def test_equal_reports_are_equal_bytes_and_a_date_is_said_only_where_given(
    report: MovementReport,
) -> None:
    pdf = report_pdf(report)
    assert pdf == report_pdf(report)
    told = PdfReader(BytesIO(pdf)).metadata
    assert told is not None and told.title == "squats.mp4" and told.creation_date is None
    made_at = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    dated = PdfReader(BytesIO(report_pdf(replace(report, made_at=made_at)))).metadata
    assert dated is not None and dated.creation_date == made_at


@pytest.mark.parametrize(
    "title", ["$x_{", "kiviä ½ × 3 µ", "深蹲 训练", "a\nb\tc", "", "\U0001f3cb lift"]
)
def test_a_title_of_any_letters_is_printed_as_far_as_there_are_letters(
    report: MovementReport, title: str
) -> None:
    said = words_of(replace(report, title=title))
    assert " ".join(printable(title).split()) in said
    assert printable("深蹲") == "??" and printable("a\nb") == "a b"


# what can be seen on it


def boxes_of(paper: Paper) -> Iterator[tuple[str, Bbox]]:
    """Every line of words and every pair of axes with their ticks, in points."""
    canvas = FigureCanvasAgg(paper.figure)
    renderer = canvas.get_renderer()
    for text in paper.figure.texts:
        if text.get_text().strip():
            yield text.get_text(), text.get_window_extent(renderer)
    for number, axes in enumerate(paper.figure.axes):
        box = axes.get_tightbbox(renderer) if axes.axison else None
        if box is not None:
            yield f"axes {number}", box


def assert_tidy(paper: Paper) -> None:
    """Nothing overlaps and nothing is cut off; a printer needs 5 mm at the edges."""
    boxes = list(boxes_of(paper))
    edge = 5 / 25.4 * paper.figure.dpi
    whole = paper.figure.bbox
    for name, box in boxes:
        assert box.x0 > whole.x0 + edge and box.x1 < whole.x1 - edge, name
        assert box.y0 > whole.y0 + edge and box.y1 < whole.y1 - edge, name
    for (name, box), (other_name, other) in combinations(boxes, 2):
        across = min(box.x1, other.x1) - max(box.x0, other.x0)
        along = min(box.y1, other.y1) - max(box.y0, other.y0)
        # boxes of letters include room that the letters do not fill: 1 px of 100 to the inch
        assert across <= 1 or along <= 1, f"{name!r} on {other_name!r}"


def with_long_names(report: MovementReport) -> MovementReport:
    limits = [replace(limit, name=LONG) for limit in LIMITS]
    return replace(
        report,
        title=LONG,
        model=replace(MODEL, name=LONG, fallback=LONG),
        summary=summarise(report.movement, limits),
        notes=(LONG, "unbroken" * 60, LONG),
    )


def test_nothing_overlaps_or_is_cut_off_on_the_page(report: MovementReport) -> None:
    assert_tidy(report_page(report))


def test_long_names_are_cut_and_nothing_overlaps(report: MovementReport) -> None:
    assert_tidy(report_page(with_long_names(report)))


def test_a_session_of_an_hour_has_room_for_its_times() -> None:
    postures, _ = moving(120)
    assert_tidy(report_page(report_of(series_2d(postures, np.linspace(0, 3600, 120)))))


def test_curves_hold_the_measured_angles(report: MovementReport, panels: dict[str, Axes]) -> None:
    for joint in PAIRS:
        curves = {line.get_label(): line for line in panels[joint].lines}
        for side in ("left", "right"):
            line = curves[side]
            np.testing.assert_array_equal(line.get_xdata(), report.movement.times_s)
            # NaN stays NaN: the line is open there
            np.testing.assert_array_equal(
                line.get_ydata(), report.movement.angle_deg(f"{side}_{joint}")
            )
    elbow = next(line for line in panels["elbow"].lines if line.get_label() == "left")
    assert np.isnan(np.asarray(elbow.get_ydata())[20:30]).all()


def paths_of(axes: Axes, label: str) -> list[Bbox]:
    """The box around each thing that was drawn under this name."""
    (found,) = [one for one in axes.collections if one.get_label() == label] or [None]
    return [] if found is None else [path.get_extents() for path in found.get_paths()]


def test_repetitions_are_marked_where_the_squats_are_deepest(panels: dict[str, Axes]) -> None:
    marked = {
        joint: [box.x0 for box in paths_of(axes, "repetitions")] for joint, axes in panels.items()
    }
    np.testing.assert_allclose(marked.pop("knee"), [0.5, 1.5, 2.5])
    assert not any(marked.values())


def test_events_are_shaded_from_their_first_to_their_last_frame(
    report: MovementReport, panels: dict[str, Axes]
) -> None:
    for joint, angle in (("knee", "left_knee"), ("elbow", "right_elbow")):
        spans = paths_of(panels[joint], "events")
        events = [one for one in report.summary.events if one.limit.angle == angle]
        assert len(spans) == len(events) == 3
        for box, event in zip(spans, events, strict=True):
            assert (box.x0, box.x1) == pytest.approx((event.start_s, event.end_s))
    assert paths_of(panels["hip"], "events") == paths_of(panels["shoulder"], "events") == []


def test_events_have_the_numbers_of_the_table(
    report: MovementReport, panels: dict[str, Axes]
) -> None:
    written = {text.get_text(): text.get_position()[0] for text in panels["knee"].texts}
    for number, event in enumerate(report.summary.events[:3], start=1):
        assert written[str(number)] == pytest.approx((event.start_s + event.end_s) / 2)
    assert {text.get_text() for text in panels["elbow"].texts} == {"4", "5"}


def test_numbers_of_events_close_together_are_not_written_over_each_other() -> None:
    series = squats(3000)
    report = report_of(series)
    assert len(report.summary.events) > 5
    panels = draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)
    places = [text.get_position()[0] for text in panels["knee"].texts]
    assert 1 <= len(places) < 5 and np.all(np.diff(places) > 0.025 * series.times_s[-1])
    assert len(paths_of(panels["knee"], "events")) == 100


def test_peaks_are_ringed(report: MovementReport, panels: dict[str, Axes]) -> None:
    found = report.summary.angles_deg["right_knee"]
    assert found is not None
    (rings,) = [line for line in panels["knee"].lines if line.get_label() == "right peaks"]
    assert list(np.asarray(rings.get_ydata())) == [found.least, found.greatest]
    assert list(np.asarray(rings.get_xdata())) == [found.least_time_s, found.greatest_time_s]


def test_pictures_of_curves_and_figures_can_be_opened(report: MovementReport) -> None:
    curves = angle_curves(report.movement, report.summary, dots_per_inch=80)
    strip = stick_figure_strip(report.chosen, 1, dots_per_inch=80)
    for png in (curves, strip):
        with Image.open(BytesIO(png)) as picture:
            picture.load()
            assert picture.format == "PNG" and picture.width == round(190 / 25.4 * 80)
    assert curves == angle_curves(report.movement, report.summary, dots_per_inch=80)


# clips that are short, long, or of nobody


def nobody(count: int = 30) -> JointSeries:
    return unseen(squats(count), slice(None))


def test_a_clip_of_nobody_makes_a_page_that_says_so() -> None:
    report = report_of(nobody())
    words = words_of(report)
    assert "Nobody was seen in this clip." in words
    assert "No angle is known in any frame" in words
    assert words.count("not seen") == 4 and "left knee – – –" in words
    assert "no movement was found to repeat" in words.lower()
    assert_tidy(report_page(report))
    assert chosen_indices(report.movement, report.summary) == ()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_clip_of_a_few_frames_makes_a_page(count: int) -> None:
    report = report_of(squats(count))
    assert f"only {count} frames" in words_of(report)
    assert len(report.chosen) == count
    assert_tidy(report_page(report))


def test_a_clip_of_240_frames_a_second_keeps_its_times() -> None:
    report = report_of(squats(480, 240.0))
    words = words_of(report)
    assert "480 frames at 240 a second" in words and "2 repetitions of the left knee" in words
    assert report.summary.repetitions is not None
    np.testing.assert_allclose(report.summary.repetitions.times_s, [0.5, 1.5])


def test_somebody_lost_half_way_leaves_half_of_the_curves() -> None:
    report = report_of(unseen(squats(), slice(45, None)))
    panels = draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)
    line = next(line for line in panels["knee"].lines if line.get_label() == "left")
    known = np.isfinite(np.asarray(line.get_ydata(), np.float64))
    assert known[:45].all() and not known[45:].any()
    assert panels["knee"].get_xlim()[1] == pytest.approx(89 / 30)
    assert "left knee 50 %" in words_of(report)
    assert max(frame.index for frame in report.chosen) < 45


def test_a_single_known_frame_is_a_dot() -> None:
    report = report_of(unseen(squats(9), np.s_[1:]))
    panels = draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)
    dots = [line for line in panels["knee"].lines if line.get_marker() == "."]
    assert [np.isfinite(np.asarray(line.get_ydata(), np.float64)).sum() for line in dots] == [1, 1]


def test_a_page_of_ten_thousand_frames_is_quick_and_small() -> None:
    series = squats(10_000)
    jitter_px = np.random.default_rng(0).normal(0, 1, series.points.shape)
    report = report_of(series.with_points(series.points + jitter_px))
    started = time.process_time()
    pdf = report_pdf(report)
    assert time.process_time() - started < 3
    assert len(pdf) < 1_000_000


def test_a_thinned_curve_keeps_its_extremes_its_ends_and_its_gaps() -> None:
    random = np.random.default_rng(1)
    times_s = np.sort(random.uniform(0, 100, 20_000))
    values = np.cumsum(random.normal(0, 1, 20_000))
    values[5_000:5_003] = np.nan
    values[12_345] = 1e4
    x, y = thinned(times_s, values, 100)
    assert len(x) <= 3 * 100 + 2 and np.all(np.diff(x) > 0)
    assert x[0] == times_s[0] and x[-1] == times_s[-1]
    assert np.nanmax(y) == 1e4 and np.nanmin(y) == np.nanmin(values)
    np.testing.assert_array_equal(x[np.isnan(y)], times_s[[5_000]])
    # each value that is kept is one of the curve's, at its own time
    places = np.searchsorted(times_s, x)
    np.testing.assert_array_equal(values[places], y)
    # and within every bin the band is the same as the curve's
    for bin_values, bin_kept in zip(_bins(values, range(20_000)), _bins(y, places), strict=True):
        assert (np.nanmin(bin_values), np.nanmax(bin_values)) == pytest.approx(
            (np.nanmin(bin_kept), np.nanmax(bin_kept))
        )


def _bins(values: FloatArray, places: Iterable[int]) -> list[FloatArray]:
    """Of 200 frames each."""
    number = np.array(list(places)) // 200
    return [values[number == one] for one in range(100)]


def test_short_curves_are_left_as_they_are() -> None:
    times_s, values = np.arange(400.0), np.sin(np.arange(400.0))
    assert thinned(times_s, values, 100)[1] is values


def test_values_without_neighbours_are_found() -> None:
    values = np.array([1, np.nan, 2, 3, np.nan, 4.0])
    np.testing.assert_array_equal(alone(values), [1, np.nan, np.nan, np.nan, np.nan, 4])


# stick figures


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


# words that must fit


def test_words_are_cut_and_wrapped_to_the_width_there_is() -> None:
    letters = Type(8)
    assert fitted("knee", 40, letters) == "knee"
    cut = fitted(LONG, 40, letters)
    assert cut.endswith("…") and LONG.startswith(cut[:-1])
    assert 36 < width_mm(cut, letters) <= 40
    lines = wrapped(LONG, 60, letters)
    assert " ".join(lines) == " ".join(LONG.split())
    assert all(width_mm(line, letters) <= 60 for line in lines)


# two clips


@pytest.fixture(scope="module")
def two() -> MovementReport:
    """The second squats 8° deeper in the left knee, and takes a fifth longer."""
    slower = [
        replace(one, knee=(one.knee[0] - 8, one.knee[1])) for one in moving(90)[0]
    ]  # fmt: skip
    return compared(squats(90), series_2d(slower, np.arange(90) * 1.2 / 30))


def test_the_page_of_two_clips_says_where_they_differ(two: MovementReport) -> None:
    (page,) = pages(comparison_pdf(two))
    words = " ".join(page.split())
    assert "squats.mp4" in words and "best.mp4" in words
    assert "left knee +8° 8°" in words and "right knee 0° 0°" in words
    assert "Against best.mp4: 1.0° apart, at most +8°, left knee" in words_of(two)


def test_the_page_of_two_clips_is_tidy_with_long_names(two: MovementReport) -> None:
    assert_tidy(comparison_page(two))
    assert_tidy(comparison_page(replace(with_long_names(two), other_title=LONG)))
    with Image.open(BytesIO(comparison_curves(two, dots_per_inch=60))) as picture:
        picture.load()


def test_the_second_curve_in_step_is_the_first_less_the_difference(two: MovementReport) -> None:
    first, second = both_curves(two, "left_knee")
    np.testing.assert_array_equal(first, two.movement.angle_deg("left_knee"))
    np.testing.assert_allclose(first - second, 8, atol=1e-6)


def test_curves_of_two_clips_stay_open_where_the_comparison_knows_nothing() -> None:
    report = compared(without(squats(60), "left_knee", frames=slice(20, 30)), squats(60))
    first, second = both_curves(report, "right_knee")
    gap = np.isnan(first)
    assert gap[20:30].all() and not gap[:20].any() and not gap[30:].any()
    np.testing.assert_array_equal(np.isnan(second), gap)


def test_a_report_that_compares_nothing_has_no_page_of_two_clips(report: MovementReport) -> None:
    with pytest.raises(BadRequestError, match="compares nothing"):
        comparison_pdf(report)


def test_notes_come_with_the_weightiest_first() -> None:
    assert next(iter(notes_of(report_of(nobody())))).startswith("No angle is known")


def test_nothing_of_the_reports_loads_matplotlib_before_the_first_page() -> None:
    code = (
        "import sys, pose_service.reports.page, pose_service.reports.comparison_page, "
        "pose_service.reports.annotated, pose_service.reports.tables; "
        "heavy = {'matplotlib', 'torch', 'scipy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_picture_of_the_documents_is_what_its_script_draws(tmp_path: Path) -> None:
    """Not bit by bit: another FreeType sets letters a little differently."""
    script = ROOT / "scripts" / "make_report_picture.py"
    drawn = tmp_path / "report.png"
    subprocess.run([sys.executable, script, "--out", drawn], check=True, capture_output=True)
    with Image.open(drawn) as new, Image.open(ROOT / "docs/images/movement-report.png") as kept:
        assert new.size == kept.size
        difference = np.abs(np.asarray(new, np.int16) - np.asarray(kept, np.int16))
    assert difference.mean() < 1
