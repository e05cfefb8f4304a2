"""The page of a movement, read back, and what is written on it."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from biomechanics_kit import moving, series_2d
from PIL import Image
from pypdf import PdfReader
from reports_kit import report_of, squats, unseen
from reports_page_kit import (
    LONG,
    assert_tidy,
    curved_report,
    nobody,
    pages,
    with_long_names,
    words_of,
)

from pose_service.biomechanics.angles import ANGLES, PAIRS
from pose_service.core.keypoints import KeypointModel
from pose_service.reports.curves import draw_panels
from pose_service.reports.notes import notes_of
from pose_service.reports.page import report_page, report_pdf
from pose_service.reports.paper import Paper, Type, fitted, printable, width_mm, wrapped
from pose_service.reports.records import MovementReport
from pose_service.reports.strip import chosen_indices
from pose_service.reports.wording import degrees

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def report() -> MovementReport:
    return curved_report()


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


def test_nothing_overlaps_or_is_cut_off_on_the_page(report: MovementReport) -> None:
    assert_tidy(report_page(report))


def test_long_names_are_cut_and_nothing_overlaps(report: MovementReport) -> None:
    assert_tidy(report_page(with_long_names(report)))


def test_a_session_of_an_hour_has_room_for_its_times() -> None:
    postures, _ = moving(120)
    assert_tidy(report_page(report_of(series_2d(postures, np.linspace(0, 3600, 120)))))


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


def test_a_page_of_ten_thousand_frames_is_quick_and_small() -> None:
    series = squats(10_000)
    jitter_px = np.random.default_rng(0).normal(0, 1, series.points.shape)
    report = report_of(series.with_points(series.points + jitter_px))
    started = time.process_time()
    pdf = report_pdf(report)
    assert time.process_time() - started < 3
    assert len(pdf) < 1_000_000


def test_words_are_cut_and_wrapped_to_the_width_there_is() -> None:
    letters = Type(8)
    assert fitted("knee", 40, letters) == "knee"
    cut = fitted(LONG, 40, letters)
    assert cut.endswith("…") and LONG.startswith(cut[:-1])
    assert 36 < width_mm(cut, letters) <= 40
    lines = wrapped(LONG, 60, letters)
    assert " ".join(lines) == " ".join(LONG.split())
    assert all(width_mm(line, letters) <= 60 for line in lines)


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
