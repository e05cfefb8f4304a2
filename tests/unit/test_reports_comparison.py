"""Two clips of a movement on one page."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from biomechanics_kit import moving, series_2d, without
from PIL import Image
from reports_kit import compared, squats
from reports_page_kit import LONG, assert_tidy, curved_report, pages, with_long_names, words_of

from pose_service.core.errors import BadRequestError
from pose_service.reports.comparison_page import (
    both_curves,
    comparison_curves,
    comparison_page,
    comparison_pdf,
)
from pose_service.reports.records import MovementReport


@pytest.fixture(scope="module")
def report() -> MovementReport:
    return curved_report()


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
