"""What is kept of an avatar beside its files, as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pose_service.avatar.records import FittedBody, Wish
from pose_service.core.errors import PoseError
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import MEASURES, Measurements

PARAMS_NAME = "params.npz"
OBJ_NAME = "mesh.obj"
GLB_NAME = "mesh.glb"
SHEET_PNG_NAME = "sheet.png"
SHEET_PDF_NAME = "sheet.pdf"
SOURCE_NAME = "source.jpg"

MEDIA_TYPES: Mapping[str, str] = {
    PARAMS_NAME: "application/octet-stream",
    OBJ_NAME: "model/obj",
    GLB_NAME: "model/gltf-binary",
    SHEET_PNG_NAME: "image/png",
    SHEET_PDF_NAME: "application/pdf",
    SOURCE_NAME: "image/jpeg",
}
"""Every file of an avatar, and what it is."""


class AvatarError(PoseError):
    """No avatar can be made of these pictures."""

    status = 422
    code = "AVATAR_FAILED"


@dataclass(frozen=True, eq=False)
class AvatarRecord:
    """An avatar that is made. `quality`: what the check of the pictures found, for JSON.

    `engine`: its name. `pictures`: so many were looked at, `used` of them shaped the body.
    """

    wish: Wish
    engine: str
    fitted: FittedBody
    measurements: Measurements
    bounds: Mapping[str, Bound]
    quality: Mapping[str, Any]
    pictures: int
    used: int

    def __post_init__(self) -> None:
        if missing := set(MEASURES) - set(self.bounds):
            raise ValueError(f"bounds: expected all nine measures, {sorted(missing)} missing")
        if not 1 <= self.used <= self.pictures:
            raise ValueError(f"used: expected 1 to {self.pictures}, got {self.used}")

    def to_json(self) -> bytes:
        """For the answer: centimetres to the millimetre."""
        fitted = self.fitted
        values = {
            "gender": self.wish.gender.value,
            "height_cm": self.wish.height_cm,
            "weight_kg": self.wish.weight_kg,
            "height_source": "given" if fitted.scale_known else "guessed",
            "measurements": {
                name: round(value, 1) for name, value in self.measurements.centimetres().items()
            },
            "measurement_bounds": {name: _bound(self.bounds[name]) for name in MEASURES},
            "body": fitted.body_name,
            "engine": self.engine,
            "model_version": fitted.model_version,
            "quality": {
                **self.quality,
                "pictures": self.pictures,
                "pictures_used": self.used,
                "notes": [*self.quality.get("notes", ()), *fitted.notes],
            },
        }
        return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)


def _bound(bound: Bound) -> dict[str, Any]:
    return {
        "value": round(bound.value_cm, 1),
        "low": round(bound.low_cm, 1),
        "high": round(bound.high_cm, 1),
        "reliability": bound.reliability.value,
    }
