"""A picture of a person, drawn on the spot, and the engine's try at it."""

import time

import cv2
import numpy as np

from pose_service.commands.findings import Finding, State
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.errors import PoseError
from pose_service.core.records import Frame
from pose_service.engines.registry import build_engine
from pose_service.media.images import decode_image, encode_png
from pose_service.pipeline.image import Picture, people_in_picture

WIDTH_PX, HEIGHT_PX = 640, 480
MIDDLE_X, HEAD_Y = 320, 92
WALL, FLOOR = (196, 206, 214), (120, 130, 110)
SKIN, HAIR, SHIRT, TROUSERS, SHOES = (
    (222, 176, 150), (60, 40, 30), (60, 90, 160), (50, 50, 60), (30, 30, 30),
)  # fmt: skip
# Of one side of the body: x from the middle and y of both ends, thickness, colour.
LIMBS = (
    (22, 265, 34, 345, 30, TROUSERS),
    (34, 345, 36, 425, 24, TROUSERS),
    (36, 430, 52, 436, 16, SHOES),
    (48, 150, 86, 205, 22, SHIRT),
    (86, 205, 96, 262, 16, SKIN),
)
TRUNK = ((264, 140), (376, 140), (360, 270), (280, 270))


def drawn_person() -> ImageArray:
    """(480, 640, 3) RGB: one person standing, seen from the front, whole."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), WALL, np.uint8)
    image[HEIGHT_PX * 4 // 5 :] = FLOOR
    for side in (-1, 1):
        for x1, y1, x2, y2, thickness, colour in LIMBS:
            ends = (MIDDLE_X + side * x1, y1), (MIDDLE_X + side * x2, y2)
            cv2.line(image, *ends, colour, thickness, cv2.LINE_AA)
    cv2.fillConvexPoly(image, np.array(TRUNK), SHIRT, cv2.LINE_AA)
    _draw_head(image)
    return image


def _draw_head(image: ImageArray) -> None:
    cv2.line(image, (MIDDLE_X, 120), (MIDDLE_X, 140), SKIN, 24, cv2.LINE_AA)
    cv2.ellipse(image, (MIDDLE_X, HEAD_Y), (28, 36), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    cv2.ellipse(image, (MIDDLE_X, HEAD_Y - 16), (30, 26), 0, 180, 360, HAIR, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(image, (MIDDLE_X + 10 * side, HEAD_Y - 2), 3, SHOES, -1, cv2.LINE_AA)
    cv2.line(image, (MIDDLE_X, HEAD_Y + 2), (MIDDLE_X, HEAD_Y + 10), HAIR, 2, cv2.LINE_AA)
    cv2.line(image, (MIDDLE_X - 8, 110), (MIDDLE_X + 8, 110), (150, 60, 60), 2, cv2.LINE_AA)


def selftest(settings: Settings) -> Finding:
    """Encode, decode, detect, fit: the one drawn person must be found."""
    try:
        engine, _ = build_engine(settings)
        image = decode_image(
            encode_png(drawn_person()), max_pixels=settings.max_pixels, turn_by_exif=True
        )
        started = time.perf_counter()
        found = people_in_picture(engine, Picture(Frame(0, 0.0, image)))
    except PoseError as error:
        return Finding("self test", State.PROBLEM, str(error), error.hint or "See above.")
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        remedy = "Install the packages again; if it stays, report it with this table."
        return Finding("self test", State.PROBLEM, f"{type(error).__name__}: {error}", remedy)
    seconds = time.perf_counter() - started
    detail = (
        f"{len(found.people)} of 1 drawn person found in {seconds:.2f} s ({engine.model_version})"
    )
    if len(found.people) == 1:
        return Finding("self test", State.OK, detail)
    return Finding(
        "self test", State.NOTE, detail, "Try a photograph: python -m pose_service frame IN"
    )
