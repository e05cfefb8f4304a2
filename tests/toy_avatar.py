"""Steps of an avatar's making that need no nets and no body: what they give is known."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from pose_service.avatar.avatar_record import (
    GLB_NAME,
    OBJ_NAME,
    PARAMS_NAME,
    SHEET_PDF_NAME,
    SHEET_PNG_NAME,
)
from pose_service.avatar.make import Checked, Seen, Steps
from pose_service.avatar.records import FittedBody, RestMesh, Sight, Wish
from pose_service.avatar.steps import everybody
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.errors import PoseError
from pose_service.core.records import BodyPoses
from pose_service.engines.seam import Engine
from pose_service.measurement.bounds import Bound, Reliability
from pose_service.measurement.records import MEASURES, Measure, Measurements
from pose_service.pipeline.video import NetRunner

TOY_CM = {
    "height": 180.0, "chest": 100.0, "waist": 80.0, "hip": 96.0, "inseam": 78.0,
    "shoulder_width": 36.0, "arm_length": 56.0, "thigh": 55.0, "neck": 38.0,
}  # fmt: skip
NOBODY = "No person detected in image"
_CUBE = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)


class NobodyError(PoseError):
    status = 422

    def __init__(self) -> None:
        super().__init__(NOBODY, hint="Send a photograph of somebody.", code="NO_PERSON")


@dataclass
class ToySteps:
    """Makes avatars at once. `before`: called with a step's name before it is done."""

    before: Callable[[str], None] = lambda step: None
    fitted: list[tuple[int, Wish]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, settings: Settings, engine: Engine, nets: NetRunner, wish: Wish) -> Steps:
        return Steps(
            look=lambda images: nets.run_clip(partial(everybody, images)),
            check=self.check,
            fit=self.fit,
            measure=self.measure,
            write=self.write,
        )

    def check(self, images: Sequence[ImageArray], seen: Sequence[Seen]) -> Checked:
        self.before("check")
        places = tuple(place for place, people in enumerate(seen) if people)
        if not places:
            raise NobodyError
        return Checked(places, tuple(seen[place][0] for place in places), {"people": len(seen[0])})

    def fit(self, sights: Sequence[Sight], wish: Wish) -> FittedBody:
        self.before("fit")
        with self.lock:
            self.fitted.append((len(sights), wish))
        return fitted_body(wish)

    def measure(self, fitted: FittedBody) -> tuple[Measurements, Mapping[str, Bound]]:
        self.before("measure")
        return measures_of(fitted)

    def write(
        self,
        folder: Path,
        fitted: FittedBody,
        measurements: Measurements,
        bounds: Mapping[str, Bound],
    ) -> Mapping[str, Path]:
        self.before("write")
        paths = {}
        for name in (PARAMS_NAME, OBJ_NAME, GLB_NAME, SHEET_PNG_NAME, SHEET_PDF_NAME):
            paths[name] = folder / name
            paths[name].write_bytes(f"the toy's {name}".encode())
        return paths


def fitted_body(wish: Wish) -> FittedBody:
    pose = BodyPoses(np.tile(np.eye(3), (1, 2, 1, 1)), np.array([[0, 0, 3.0]]), np.ones((1, 1)))
    height_m = (wish.height_cm or TOY_CM["height"]) / 100
    return FittedBody(
        body_name="toy",
        model_version="toy/1",
        shape_names=("size",),
        shape=np.ones(1),
        shape_covariance=np.zeros((1, 1)),
        rest=RestMesh(height_m * _CUBE, np.array([[0, 1, 2]]), np.zeros((24, 3))),
        scale_known=wish.height_cm is not None,
        pose=pose,
        parameters={"shape": np.ones(1)},
        notes=("This is a toy.",),
    )


def measures_of(fitted: FittedBody) -> tuple[Measurements, dict[str, Bound]]:
    """Everything in proportion to the height."""
    scale = float(fitted.rest.vertices_m[:, 1].max()) / (TOY_CM["height"] / 100)
    lines = {
        name: Measure((np.array([(0, 0, 0), (0, scale * value / 100, 0)]),), closed=False)
        for name, value in TOY_CM.items()
    }
    bounds = {
        name: Bound(scale * TOY_CM[name], 0.9 * TOY_CM[name], 1.1 * TOY_CM[name], Reliability.FAIR)
        for name in MEASURES
    }
    return Measurements(**lines), bounds
