"""Curves held against what was measured: the data handed to the axes."""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from PIL import Image
from reports_kit import report_of, squats, unseen
from reports_page_kit import curved_report

from pose_service.biomechanics.angles import PAIRS
from pose_service.core.arrays import FloatArray
from pose_service.reports.curves import angle_curves, draw_panels
from pose_service.reports.paper import Paper
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import (
    stick_figure_strip,
)
from pose_service.reports.thinning import alone, thinned


@pytest.fixture(scope="module")
def report() -> MovementReport:
    return curved_report()


@pytest.fixture(scope="module")
def panels(report: MovementReport) -> dict[str, Axes]:
    return draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)


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


def test_a_single_known_frame_is_a_dot() -> None:
    report = report_of(unseen(squats(9), np.s_[1:]))
    panels = draw_panels(Paper(), (10, 10, 180, 90), report.movement, report.summary)
    dots = [line for line in panels["knee"].lines if line.get_marker() == "."]
    assert [np.isfinite(np.asarray(line.get_ydata(), np.float64)).sum() for line in dots] == [1, 1]


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
