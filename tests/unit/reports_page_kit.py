"""What is written on a page, and whether it is tidy."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import combinations

from biomechanics_kit import without
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from pypdf import PdfReader
from reports_kit import LIMITS, MODEL, report_of, squats, unseen

from pose_service.biomechanics.joints import JointSeries
from pose_service.biomechanics.summary import summarise
from pose_service.reports.page import report_page
from pose_service.reports.paper import Paper
from pose_service.reports.records import MovementReport

LONG = "Wettkampfvorbereitung, dritte Einheit: einbeinige Kniebeugen mit Zusatzgewicht, " * 3


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def words_of(report: MovementReport) -> str:
    """All that is written on the page, as it is handed to the drawing."""
    figure = report_page(report).figure
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return " ".join(" ".join(text.get_text() for text in texts).split())


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


def nobody(count: int = 30) -> JointSeries:
    return unseen(squats(count), slice(None))


def curved_report() -> MovementReport:
    """Three squats; the left wrist is hidden for a third of a second."""
    return report_of(without(squats(), "left_wrist", frames=slice(20, 30)))
