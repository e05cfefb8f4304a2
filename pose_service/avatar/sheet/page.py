"""The measurement sheet: one A4 page with the body, nine lines on it, and a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose_service.avatar.sheet.body import draw_body
from pose_service.avatar.sheet.data import SheetCaption, SheetData
from pose_service.avatar.sheet.style import BODY_DPI, PICTURE_DPI
from pose_service.avatar.sheet.table import draw_table
from pose_service.avatar.sheet.words import draw_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_MM = (210.0, 297.0)
_MM_PER_INCH = 25.4


def write_sheet(data: SheetData, png: Path, pdf: Path) -> None:
    """Draw the page once and write it twice: as a picture of 150 dots per inch, and as vectors."""
    page = sheet_page(data)
    _draw_images(page, "bilinear")
    # zlib's default level takes three times as long for a tenth less
    page.savefig(
        png, dpi=PICTURE_DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3}
    )
    # as they are: what is resampled gets edges that readers of PDF draw grey
    _draw_images(page, "none")
    page.savefig(pdf, dpi=BODY_DPI, metadata=_pdf_words(data.caption))


def sheet_page(data: SheetData) -> "Figure":
    """The page as a figure whose one set of axes counts in millimetres from its lower left."""
    from matplotlib.figure import Figure

    width_mm, height_mm = PAGE_MM
    page = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH))
    paper = page.add_axes((0, 0, 1, 1), xlim=(0, width_mm), ylim=(0, height_mm))
    paper.set_axis_off()
    draw_words(paper, data)
    draw_body(paper, data)
    draw_table(paper, data)
    return page


def _draw_images(page: "Figure", interpolation: str) -> None:
    for image in page.axes[0].images:
        image.set_interpolation(interpolation)


def _pdf_words(caption: SheetCaption) -> dict[str, Any]:
    return {
        "Title": caption.title,
        "Creator": "pose-service",
        "Producer": None,
        # without one the bytes would tell when it was written
        "CreationDate": caption.made_at,
    }
