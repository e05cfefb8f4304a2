"""What a picture shows of the person that an avatar is to be made of."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pose_service.avatar.check.refusals import Problem
from pose_service.blazeface.detector import Face
from pose_service.core.arrays import FloatArray
from pose_service.core.records import Observation


@dataclass(frozen=True)
class Examined:
    """What a picture shows. `person`: the main one, None where there is none or it is not clear.

    `others_xyxy_px`: (n, 4) boxes of everybody else, the largest first. `facing`: see `BodyPoints`.
    `edge_width_share`: see `sharpness`. `brightness`: 0 to 255, the median of the person's pixels.
    `colours`: (96,) of the torso, see `tracking.colours`; zeros without a person.
    """

    problems: tuple[Problem, ...]
    person: Observation | None = None
    others_xyxy_px: FloatArray = field(default_factory=lambda: np.zeros((0, 4)))
    face: Face | None = None
    stature_px: float = 0.0
    facing: float = 0.0
    edge_width_share: float = np.inf
    brightness: float = 0.0
    colours: FloatArray = field(default_factory=lambda: np.zeros(96))

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(problem.code for problem in self.problems)

    @property
    def face_score(self) -> float:
        """0 without a face."""
        return 0.0 if self.face is None else self.face.score

    def report(self) -> dict[str, Any]:
        """For JSON; boxes are x1, y1, x2, y2 in pixels."""
        face, person = self.face, self.person
        return {
            "person_box": None if person is None else _rounded(person.box_xyxy_px),
            "person_height_px": round(self.stature_px),
            "other_people": [_rounded(box) for box in self.others_xyxy_px],
            "face_box": None if face is None else _rounded(face.box_xyxy_px),
            "face_score": None if face is None else round(face.score, 3),
            "facing": round(self.facing, 2),
            "edge_width_percent": percent(self.edge_width_share),
            "brightness": round(self.brightness),
            "problems": list(self.codes),
        }


def percent(share: float) -> float | None:
    """For people: None for what is not finite, which JSON does not know."""
    return round(100 * share, 2) if np.isfinite(share) else None


def _rounded(box_xyxy_px: FloatArray) -> list[float]:
    return [round(float(value), 1) for value in box_xyxy_px]
