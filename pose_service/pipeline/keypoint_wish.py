"""What is asked for a clip of keypoints, beside what all clips can be asked for."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import orjson

from pose_service.biomechanics.events import AngleLimit
from pose_service.biomechanics.joints import LEAST_CONFIDENCE

CUTOFF_HZ = 6.0


class Angles(StrEnum):
    """Where angles are measured."""

    AUTO = "auto"
    """In space where the keypoints come from a body, else in the picture."""
    PICTURE = "2d"
    SPACE = "3d"


@dataclass(frozen=True)
class KeypointWish:
    """`video`: an annotated clip is wanted; `data`: the numbers are.

    Keypoints less sure than `confidence` are not used. `cutoff_hz`: of the low-pass filter, None
    for no smoothing. `limits`: the table of dangerous angles. `compare_with`: the id of another job
    of keypoints.
    """

    video: bool = False
    data: bool = True
    confidence: float = LEAST_CONFIDENCE
    angles: Angles = Angles.AUTO
    cutoff_hz: float | None = CUTOFF_HZ
    limits: tuple[AngleLimit, ...] = ()
    compare_with: str | None = None

    def to_json(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote.

        >>> wish = KeypointWish(limits=(AngleLimit("deep", "left_knee", 70.0),))
        >>> KeypointWish.from_json(wish.to_json()) == wish
        True
        """
        fields: dict[str, Any] = orjson.loads(text)
        limits = tuple(AngleLimit(**row) for row in fields.pop("limits"))
        return cls(**{**fields, "angles": Angles(fields["angles"]), "limits": limits})
