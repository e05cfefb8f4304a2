"""A drawn person for the picture check: exact places, sharp edges, and faces wherever wanted."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from pose_service.blazeface.detector import Face, FaceDetector
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import NEW_TRACK, Observation
from pose_service.core.skeletons import BLAZEPOSE33, SMPL24, Skeleton

WIDTH_PX, HEIGHT_PX = 640, 720
PX_PER_M = 300.0
FEET_Y_PX = 640.0

# Metres above the floor and, of the left side of somebody who faces the camera, to the right.
_PLACES = {
    "shoulder": (0.18, 1.40), "elbow": (0.28, 1.13), "wrist": (0.34, 0.88), "hip": (0.10, 0.92),
    "knee": (0.11, 0.50), "ankle": (0.12, 0.09), "heel": (0.12, 0.03), "foot_index": (0.14, 0.02),
    "foot": (0.14, 0.02), "ear": (0.08, 1.58),
}  # fmt: skip
_MIDDLE = {"nose": 1.58, "head": 1.55, "neck": 1.45, "pelvis": 0.92}
_ELSEWHERE = (0.0, 1.2)


def joints_m(skeleton: Skeleton, *, away: bool = False) -> FloatArray:
    """(n, 3) camera axes, metres, feet at y = 0, of a person 1.7 m high who faces the camera."""
    places = np.array([_place(joint) for joint in skeleton.joints])
    across = -places[:, 0] if away else places[:, 0]
    return np.column_stack([across, -places[:, 1], np.zeros(len(places))])


def _place(joint: str) -> tuple[float, float]:
    side, _, name = joint.partition("_")
    if name in _PLACES:
        across, up = _PLACES[name]
        return (across if side == "left" else -across), up
    return (0.0, _MIDDLE[joint]) if joint in _MIDDLE else _ELSEWHERE


def standing(
    x_px: float = WIDTH_PX / 2,
    feet_y_px: float = FEET_Y_PX,
    scale: float = PX_PER_M,
    *,
    skeleton: Skeleton = BLAZEPOSE33,
    away: bool = False,
) -> Observation:
    """Whoever stands there, as an engine tells; the box is not cut to any picture."""
    metres = joints_m(skeleton, away=away)
    pixels = metres[:, :2] * scale + (x_px, feet_y_px)
    box = np.array([x_px - 0.4 * scale, feet_y_px - 1.7 * scale, x_px + 0.4 * scale, feet_y_px])
    return Observation(
        NEW_TRACK, box, 0.9, np.array([x_px, feet_y_px - scale, 2 * scale, 0.0]), pixels, metres,
        np.full(len(skeleton), 0.9), np.full(len(SMPL24), 0.9),
    )  # fmt: skip


def drawn(*people: Observation, background: int = 90) -> ImageArray:
    """The people in gray, limbs and head of hard edges, on a plain background."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), background, np.uint8)
    for one in people:
        _draw(image, one)
    return image


def _draw(image: ImageArray, one: Observation) -> None:
    # (parent, child) of the skeleton's own bones would draw fingers, too
    names = BLAZEPOSE33.joints
    at = dict(zip(names, np.rint(one.landmarks_px).astype(int).tolist(), strict=True))
    scale = (one.box_xyxy_px[3] - one.box_xyxy_px[1]) / 1.7
    for side in ("left", "right"):
        way = [f"{side}_{joint}" for joint in ("wrist", "elbow", "shoulder", "hip", "knee")]
        for start, end in zip(way, [*way[1:], f"{side}_heel"], strict=True):
            cv2.line(image, at[start], at[end], (200, 200, 200), round(0.12 * scale))
    cv2.circle(image, at["nose"], round(0.11 * scale), (220, 220, 220), -1)


def cut_to_picture(seen: Observation) -> Observation:
    """With the box inside the picture, as engines tell it."""
    limits = np.tile([WIDTH_PX, HEIGHT_PX], 2)
    return replace(seen, box_xyxy_px=np.clip(seen.box_xyxy_px, 0, limits).astype(float))


class FacesAt(FaceDetector):
    """Stands for the networks: a face of `score` in every square, `off` its middle (shares)."""

    def __init__(self, score: float | None = 0.9, off: float = 0.0) -> None:
        self._score, self._off = score, off

    def detect(self, image: ImageArray, squares: Sequence[Roi] = ()) -> list[Face]:
        if self._score is None:
            return []
        found = []
        for square in squares:
            points = square.to_picture(np.full((6, 2), 0.5 + self._off / np.sqrt(2)))
            half = square.side / 8
            found.append(
                Face(np.concatenate([points[0] - half, points[0] + half]), points, self._score)
            )
        return found
