"""Draw `docs/images/phalp.png`: two people cross; what is expected, what is seen, what it costs.

    python scripts/make_phalp_figure.py [--out docs/images/phalp.png]

The people are those of the tests' scripted scenes, the numbers are the tracker's own.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scenes.people import HEIGHT_PX, WIDTH_PX, Actor, Place, walk
from scenes.playing import SimpleLooks
from scenes.stage import SceneFrame, scene

from pose_service.core.arrays import FloatArray
from pose_service.phalp.distance.cost import lower_bounds
from pose_service.phalp.distance.terms import Features, terms
from pose_service.phalp.records import POINT, SPREAD
from pose_service.phalp.track.frames import TrackedFrame
from pose_service.phalp.track.track import Track
from pose_service.phalp.tracker import PhalpTracker

ROOT = Path(__file__).resolve().parents[1]
LAST, HIDDEN = 54, range(46, 54)
SIZE_PX = 1000, 500
# of the scene, what is drawn, from where, and how much larger
LOW_PX, SCALE = np.array([250.0, 175.0]), 1.05
PICTURE_WIDTH_PX = 620
COLOURS = (206, 84, 28), (28, 98, 170)
INK, GREY, PAPER, GROUND, CHOSEN = (
    (30, 30, 30), (120, 120, 120), (255, 255, 255), (241, 240, 234), (212, 236, 212),
)  # fmt: skip
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Moment:
    """A frame, what its tracks expected of it, and the tracker's answer. `rest`: (2, 2) factors."""

    frame: SceneFrame
    tracks: tuple[Track, ...]
    answer: TrackedFrame
    rest: FloatArray


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the figure of docs/phalp.md.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "phalp.png")
    out = parser.parse_args().out
    now = crossing()
    image = Image.new("RGB", SIZE_PX, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, PICTURE_WIDTH_PX, SIZE_PX[1]), fill=GROUND)
    for seen, name in zip(now.frame.detections, "AB", strict=True):
        _draw_person(draw, seen.box_xyxy_px, name)
    for track, colour in zip(now.tracks, COLOURS, strict=True):
        _draw_track(draw, track, colour)
    _draw_legend(draw)
    _draw_costs(draw, now)
    image.quantize(64).save(out, optimize=True)
    print(f"written: {out}, {out.stat().st_size / 1000:.0f} kB")


def crossing() -> Moment:
    """The second person comes out from behind the first, unseen for eight frames."""
    actors = [
        Actor(walk(Place(170, 380, 330), 8), range(100), look=1, phase_rad=0.2),
        Actor(walk(Place(1060, 350, 300), -10), range(100), HIDDEN, look=2, phase_rad=1.4),
    ]
    tracker = PhalpTracker(looks=SimpleLooks())
    for frame in scene(actors, range(LAST + 1), seed=1).frames:
        answer = tracker.step(frame.index, frame.detections, frame.looks)
    tracks = tracker.tracks
    expected = Features.of([(each.location, each.pose) for each in tracks])
    seen = Features.of([(each.location, each.pose) for each in frame.detections])
    return Moment(frame, tracks, answer, lower_bounds(terms(expected, seen)))


def _draw_person(draw: ImageDraw.ImageDraw, box_xyxy_px: FloatArray, name: str) -> None:
    low, high = (box_xyxy_px.reshape(2, 2) - LOW_PX) * SCALE
    draw.rectangle((*low, *high), outline=INK, width=2)
    draw.text((low[0] + 6, low[1] + 3), f"detection {name}", fill=INK, font=_font(15))
    width, height = high - low
    middle = (low + high) / 2
    # head, trunk, legs: half a width and half a height each, in shares of the box
    for part in ((0.0, -0.38, 0.10, 0.06), (0.0, -0.13, 0.16, 0.17), (0.0, 0.27, 0.12, 0.20)):
        across, down, half_width, half_height = part
        centre = middle + np.array([across * width, down * height])
        half = np.array([half_width * width, half_height * height])
        draw.ellipse((*(centre - half), *(centre + half)), outline=GREY, width=2)


def _draw_track(draw: ImageDraw.ImageDraw, track: Track, colour: Colour) -> None:
    """The newest sight is that of this very frame, so it is left out."""
    for point in track.history.locations[:-1, POINT]:
        middle = _drawn(point)
        draw.ellipse((*(middle - 5), *(middle + 5)), fill=colour)
    expected = _drawn(track.location[POINT])
    reach = track.location[SPREAD][:2] * WIDTH_PX * SCALE
    draw.ellipse((*(expected - reach), *(expected + reach)), outline=colour, width=2)
    for corner in ((8, 8), (8, -8)):
        draw.line((*(expected - corner), *(expected + corner)), fill=colour, width=4)


def _draw_legend(draw: ImageDraw.ImageDraw) -> None:
    lines = (
        "dots: the last sights of track 1 and track 2",
        "cross and ellipse: where each is expected, and how surely",
        "boxes: what the detector finds in this frame",
    )
    for place, line in enumerate(lines):
        draw.text((14, SIZE_PX[1] - 68 + 20 * place), line, fill=INK, font=_font(14))


def _draw_costs(draw: ImageDraw.ImageDraw, now: Moment) -> None:
    left, top, cell_width, cell_height = PICTURE_WIDTH_PX + 92, 120, 140, 120
    draw.text((left - 76, 40), "Cost = look x rest", fill=INK, font=_font(22))
    draw.text((left - 76, 70), "rest: pose, place, nearness", fill=GREY, font=_font(14))
    for column, name in enumerate("AB"):
        draw.text((left + column * cell_width + 58, top - 26), name, fill=INK, font=_font(18))
    for row, colour in enumerate(COLOURS):
        draw.text((left - 76, top + row * cell_height + 46), f"track {row + 1}", fill=colour,
                  font=_font(18))  # fmt: skip
        for column in range(2):
            corner = left + column * cell_width, top + row * cell_height
            box = (*corner, corner[0] + cell_width - 8, corner[1] + cell_height - 8)
            chosen = (row, column) in now.answer.assignment.matches
            draw.rectangle(box, fill=CHOSEN if chosen else GROUND)
            cost, rest = now.answer.costs[row, column], now.rest[row, column]
            number = (corner[0] + 16, corner[1] + 26)
            draw.text(number, f"{cost:.3g}", fill=INK, font=_font(26))
            factors = f"{cost / rest:.1f} x {rest:.1f}"
            draw.text((number[0], number[1] + 38), factors, fill=GREY, font=_font(15))
    lines = ("The cheapest pairs together are", "chosen. More than 100 is no match.")
    for place, line in enumerate(lines):
        draw.text((left - 76, top + 2 * cell_height + 14 + 20 * place), line, fill=INK,
                  font=_font(15))  # fmt: skip


def _drawn(point: FloatArray) -> FloatArray:
    """From the padded square to pixels of the figure."""
    place_px = (point - 0.5) * max(WIDTH_PX, HEIGHT_PX) + np.array([WIDTH_PX, HEIGHT_PX]) / 2
    return np.asarray((place_px - LOW_PX) * SCALE)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    main()
