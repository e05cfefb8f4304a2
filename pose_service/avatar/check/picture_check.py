"""Whether an avatar can be made of a picture, before anything is made; if not, what to change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from pose_service.avatar.check.body_points import BodyPoints
from pose_service.avatar.check.examined import Examined, percent
from pose_service.avatar.check.light import bad_light
from pose_service.avatar.check.person_patch import PersonPatch
from pose_service.avatar.check.refusals import NO_PERSON, PictureRefusedError, Problem
from pose_service.avatar.check.sharpness import edge_width_share
from pose_service.avatar.check.whole_body import cut_ends, head_is_cut
from pose_service.blazeface.detector import Face, FaceDetector
from pose_service.blazepose.boxes import iou
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Observation
from pose_service.pipeline.image import box_area_px
from pose_service.tracking.colours import torso_colours

MIN_STATURE_PX = 240
"""The outline network sees a person about 200 px high: smaller ones would only be enlarged."""

MAX_EDGE_WIDTH_SHARE = 0.003
"""Of the stature: 5 mm of an adult. Sharp photographs have 0 to 0.0021; blurred by a Gaussian with
a standard deviation of 0.0025 of the stature they have 0.0020 to 0.0028, by 0.005 0.0044 to 0.0051.
"""

RIVAL_AREA = 0.7
"""Somebody whose box has this share of the largest box may as well be meant."""

_SAME_BODY_IOU = 0.8
_MIN_FACE_FROM_BEHIND = 0.8
"""The back of a dark head is a face by up to 0.64; so a trunk seen from behind asks for more."""

_FROM_BEHIND = -0.5
_FACE_OFF = 0.2
"""Of the side of the square: how far from its middle the person's own face may be."""


def check_picture(
    image: ImageArray, observations: Sequence[Observation], faces: FaceDetector
) -> Examined:
    """The picture, if an avatar can be made of it; else `PictureRefusedError`.

    `image`: (height, width, 3) uint8 RGB, upright. `observations`: everybody in it, as an engine
    told. A drawing or a figure with a face is not told from a person.
    """
    examined = examine(image, observations, faces)
    if examined.problems:
        raise PictureRefusedError.of(examined.problems)
    return examined


def examine(
    image: ImageArray, observations: Sequence[Observation], faces: FaceDetector
) -> Examined:
    """The picture and all that is wrong with it; see `check_picture`."""
    people = sorted(observations, key=box_area_px, reverse=True)
    if not people:
        return Examined((_nobody(image),))
    person, *rest = people
    others = np.array([one.box_xyxy_px for one in rest]).reshape(-1, 4)
    others = others[iou(person.box_xyxy_px, others) < _SAME_BODY_IOU]
    if len(others) and _area(others[0]) >= RIVAL_AREA * box_area_px(person):
        return Examined((_rivals(len(others) + 1),), None, others)
    return _Look(image, person, others, faces).examined()


@dataclass(frozen=True)
class _Look:
    """The main person of a picture, looked at for everything that matters."""

    image: ImageArray
    person: Observation
    others_xyxy_px: FloatArray
    faces: FaceDetector

    def examined(self) -> Examined:
        points = BodyPoints(self.person)
        patch = PersonPatch.of(self.image, points, self.person.box_xyxy_px)
        face = self._face(points)
        width = edge_width_share(patch)
        problems = tuple(self._problems(points, patch, width, face))
        return Examined(
            problems, self.person, self.others_xyxy_px, face, points.stature_px, points.facing,
            width, float(np.median(patch.person_gray)),
            torso_colours(self.image, points.torso_px),
        )  # fmt: skip

    def _face(self, points: BodyPoints) -> Face | None:
        """The person's own face, not one behind the shoulder."""
        square = points.face_square
        needed = _MIN_FACE_FROM_BEHIND if points.facing < _FROM_BEHIND else 0.0
        own = (
            face
            for face in self.faces.detect(self.image, [square])
            if face.score >= needed and _off(face, square.x, square.y) < _FACE_OFF * square.side
        )
        return next(own, None)

    def _problems(
        self, points: BodyPoints, patch: PersonPatch, width: float, face: Face | None
    ) -> Iterator[Problem]:
        """What is wrong; what cannot be told because of it is left out."""
        if points.stature_px < MIN_STATURE_PX:
            yield _too_small(points.stature_px)
            return
        height_px, width_px = self.image.shape[:2]
        yield from cut_ends(self.person, points, width_px, height_px)
        if light := bad_light(patch.person_gray):
            yield light
        elif width > MAX_EDGE_WIDTH_SHARE:
            yield _blurred(width)
        elif face is None and not head_is_cut(points, width_px, height_px):
            yield _no_face(points.facing)


def _nobody(image: ImageArray) -> Problem:
    """A picture without light says so in its hint."""
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
    light = bad_light(gray)
    return replace(NO_PERSON, hint=light.hint) if light else NO_PERSON


def _rivals(count: int) -> Problem:
    return Problem(
        "TWO_EQUAL_PEOPLE",
        f"{count} people are in the picture, and two of them are about equally large",
        "Send a picture in which one person alone is meant, or is clearly nearest.",
    )


def _too_small(stature_px: float) -> Problem:
    return Problem(
        "TOO_SMALL",
        f"the person is about {stature_px:.0f} px high in the picture; at least {MIN_STATURE_PX}"
        " are needed",
        "Come closer, or send the picture in its full size.",
    )


def _blurred(width: float) -> Problem:
    seen = (
        f"edges of the person are {percent(width)} % of the person's height wide; at most"
        f" {percent(MAX_EDGE_WIDTH_SHARE)} % will do"
        if np.isfinite(width)
        else "hardly an edge of the person is seen"
    )
    return Problem(
        "BLURRED",
        f"the picture is blurred: {seen}",
        "Hold the camera still, wipe its lens, let it focus on the person, and use good light.",
    )


def _no_face(facing: float) -> Problem:
    if facing < _FROM_BEHIND:
        message = "no face is seen: the person is seen from behind"
        return Problem("NO_FACE", message, "Turn round to the camera.")
    hint = (
        "Face the camera, with light on the face and nothing before it, and hold the camera still."
    )
    return Problem("NO_FACE", "no face is seen on the person", hint)


def _off(face: Face, x: float, y: float) -> float:
    middle = (face.box_xyxy_px[:2] + face.box_xyxy_px[2:]) / 2
    return float(np.hypot(*(middle - (x, y))))


def _area(box_xyxy_px: FloatArray) -> float:
    return float(np.prod(box_xyxy_px[2:] - box_xyxy_px[:2]))
