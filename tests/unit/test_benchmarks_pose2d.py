"""The measurement of the 2D nets: the stand-in's size, and figures with their goals."""

from pathlib import Path

import pytest

from benchmarks.nets2d import chapters
from benchmarks.nets2d.chapters import MEASURES, Bed
from benchmarks.nets2d.stand_in import save_stand_in
from benchmarks.results import PAGE, POSE2D, measured, write
from pose_service.pose2d.files import MODES
from pose_service.pose2d.layouts import Kind

SIZE = {}


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    path = tmp_path_factory.mktemp("net") / "stand-in.onnx"
    SIZE[path] = save_stand_in(path)
    return Bed(path, threads=1)


def test_the_stand_in_is_as_large_as_the_published_net(bed: Bed) -> None:
    millions, products = SIZE[bed.path]
    # published: 13.59 million weights, 1.93 thousand million products; the official file's bytes
    assert millions == pytest.approx(13.59, rel=0.01)
    assert products == pytest.approx(1.93, rel=0.01)
    assert bed.path.stat().st_size == pytest.approx(54_330_655, rel=0.01)


def test_the_stand_in_is_taken_for_an_rtmpose(bed: Bed) -> None:
    layout = MODES["balanced"].rtmpose.opened_as.check(bed.path)
    assert (layout.kind, layout.size_px) == (Kind.SIMCC, (192, 256))


def test_figures_say_how_much_is_over_the_bare_session(
    bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chapters, "_ROUNDS", 1)
    write(
        tmp_path / POSE2D,
        {"title": "T", "machine": None, "chapters": measured(MEASURES, MEASURES, bed)},
    )
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    for people in ("1 person", "4 people"):
        assert f"| {people}: whole call, over the bare session |" in page
        assert f"| {people}: heat maps read, DARK |" in page
    assert page.count("≤ 15 %") == 4  # in the table of goals and in the chapter
